package notify

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// redactor gives a function that hides a URL in a text. Its services put pieces
// of it together anew (a token from the host, an address from the path), escape
// them, and repeat them in errors. So every run of three letters or digits of it
// is hidden, wherever it stands, but for the name of the service.
func redactor(secret string) func(string) string {
	scheme, rest, _ := strings.Cut(secret, "://")
	plain, err := url.PathUnescape(rest)
	if err != nil {
		plain = rest
	}
	public := words(scheme)
	if service, _, _ := strings.Cut(scheme, "+"); service == "generic" {
		if u, err := url.Parse(secret); err == nil {
			public = append(public, words(u.Hostname())...) // a host, and no more than that
		}
	}
	var hidden []string
	for _, w := range append(words(rest), words(plain)...) {
		if !slices.Contains(public, w) && !slices.Contains(hidden, w) {
			hidden = append(hidden, regexp.QuoteMeta(w))
		}
	}
	if len(hidden) == 0 {
		return func(text string) string { return text }
	}
	slices.SortFunc(hidden, func(a, b string) int { return cmp.Compare(len(b), len(a)) }) // the longest that fits goes first
	re := regexp.MustCompile("(?i)" + strings.Join(hidden, "|"))
	return func(text string) string { return re.ReplaceAllString(text, "***") }
}

func words(text string) []string {
	return regexp.MustCompile(`[\p{L}\p{N}]{3,}`).FindAllString(text, -1)
}
