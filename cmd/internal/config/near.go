package config

import (
	"fmt"
	"strings"
)

// didYouMean names the candidate nearest to what was written, or all of them
// after otherwise.
func didYouMean(written string, candidates []string, otherwise string) string {
	if near := nearest(written, candidates); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return otherwise + strings.Join(candidates, ", ")
}

// nearest is the candidate that a typing mistake could have turned into
// written: one edit for every three letters, "" if none is so near.
func nearest(written string, candidates []string) string {
	const longest = 40 // nothing here is longer
	best, least := "", (len(written)+2)/3+1
	if len(written) > longest {
		return ""
	}
	for _, c := range candidates {
		if d := edits(written, c); d < least {
			best, least = c, d
		}
	}
	return best
}

// edits counts the insertions, deletions, replacements and swaps of
// neighbours that turn a into b.
func edits(a, b string) int {
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
	}
	for j := range d[0] {
		d[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			replace := d[i-1][j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			d[i][j] = min(replace, d[i-1][j]+1, d[i][j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}
