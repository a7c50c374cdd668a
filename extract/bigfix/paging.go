package bigfix

import (
	"errors"
	"fmt"

	"github.com/zeebo/xxh3"

	"github.com/meterhouse/meterhouse/extract"
)

var (
	// What another try may mend: the data changed while it was read page by page.
	errChanged = errors.New("the server's total changed from one page to the next")
	errOverlap = errors.New("a row of the page before came again: the data changed between the two pages")

	errSamePage = errors.New("the server sent the same page again: it does not know offset, so set page_size: 0")
)

// paging judges whether the pages so far are all of a day's rows, each once. No
// source says whether `total` counts what the query matches or what the page
// holds: it is taken for the former once it exceeds the page's rows, and until
// then only a page that is not full is the last.
type paging struct {
	limit     int // rows asked for at a time; 0 for all at once
	collected uint64
	whole     uint64 // the total of all pages, 0 until one has stated it
	page      pageKeys
	before    pageKeys
}

// pageKeys are hashes of the keys of a page's rows.
type pageKeys struct {
	first uint64
	all   map[uint64]struct{}
	text  []byte // scratch
}

// row notes a row of the page being read, and holds it against the page before.
// Rows that repeat further apart are found when the load is verified.
func (g *paging) row(rec *extract.Record, key []int) error {
	if g.limit == 0 || rec.Values[key[0]].Kind == extract.Absent { // which is a reject, and no key
		return nil
	}
	g.page.text = g.page.text[:0]
	for _, column := range key {
		g.page.text = append(append(g.page.text, rec.Values[column].Bytes...), 0)
	}
	hash := xxh3.Hash(g.page.text)
	first := len(g.page.all) == 0
	if first {
		g.page.first = hash
	}
	if _, again := g.before.all[hash]; again {
		if first && hash == g.before.first {
			return errSamePage
		}
		return errOverlap
	}
	if g.page.all == nil {
		g.page.all = map[uint64]struct{}{}
	}
	g.page.all[hash] = struct{}{}
	return nil
}

// add takes in the page that was read; done means that there is none behind it.
func (g *paging) add(p page) (done bool, err error) {
	g.collected += p.rows
	limit := uint64(g.limit) //nolint:gosec // never negative
	if g.limit == 0 {
		return true, g.disagree(p.hasTotal && p.total != p.rows, p.total)
	}
	g.page, g.before = g.before, g.page
	clear(g.page.all)
	if p.rows > limit {
		return false, fmt.Errorf("the server sent %d rows where at most %d were asked for", p.rows, g.limit)
	}
	if p.hasTotal {
		if g.whole > 0 && p.total != g.whole {
			return false, errChanged
		}
		if p.total > p.rows {
			g.whole = p.total
		} else if err := g.disagree(p.total < p.rows, p.total); err != nil {
			return false, err
		}
	}
	lastPage := p.rows < limit
	if g.whole == 0 {
		return lastPage, nil
	}
	done = g.collected >= g.whole
	return done, g.disagree(g.collected > g.whole || lastPage && !done, g.whole)
}

func (g *paging) disagree(really bool, total uint64) error {
	if !really {
		return nil
	}
	return fmt.Errorf("the server counts %d rows and sent %d", total, g.collected)
}
