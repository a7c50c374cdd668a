package bigfix

import (
	"bytes"
	"errors"
	"fmt"
)

var errChanged = errors.New("the server's total changed from one page to the next")

// paging judges whether the pages so far are all of a day's rows. No source
// says whether `total` counts what the query matches or what the page holds:
// it is taken for the former once it exceeds the page's rows, and until then
// only a page that is not full is the last.
type paging struct {
	limit     int // rows asked for at a time; 0 for all at once
	collected uint64
	whole     uint64 // the total of all pages, 0 until one has stated it
	first     []byte // row of the page before
}

// add takes in the next page; done means that there is none behind it.
func (g *paging) add(p page) (done bool, err error) {
	g.collected += p.rows
	limit := uint64(g.limit) //nolint:gosec // never negative
	if g.limit == 0 {
		return true, g.disagree(p.hasTotal && p.total != p.rows, p.total)
	}
	if p.rows > limit {
		return false, fmt.Errorf("the server sent %d rows where at most %d were asked for", p.rows, g.limit)
	}
	if p.rows > 0 && bytes.Equal(p.first, g.first) {
		return false, errors.New("the server sent the same page again: it does not know offset, so set page_size: 0")
	}
	g.first = p.first
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
