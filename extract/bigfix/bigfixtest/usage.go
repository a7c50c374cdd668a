package bigfixtest

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// flushAt is how much of an answer is gathered before it is sent.
const flushAt = 64 << 10

// Revise restates a day: the revision, counted from 1, changes a tenth of its
// rows and drops one in a hundred, always the same ones. 0 takes it back.
func (s *Simulator) Revise(day string, revision int) error {
	d, err := parseDay(day)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.revisions[d] = revision
	return nil
}

// Clear takes all rows from a day.
func (s *Simulator) Clear(day string) error {
	d, err := parseDay(day)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.empty[d] = true
	return nil
}

// Truth is what a complete answer for a day and a computer group (0 for all
// servers) adds up to.
func (s *Simulator) Truth(day string, group int64) (rows uint64, sumHWM int64, err error) {
	d, err := parseDay(day)
	if err != nil {
		return 0, 0, err
	}
	t := s.truth(d, group)
	return t.rows, t.sum, nil
}

type truthKey struct {
	day, revision int
	group         int64
}

type truth struct {
	rows uint64
	sum  int64
}

func (s *Simulator) truth(day int, group int64) truth {
	revision, has := s.version(day)
	if !has {
		return truth{}
	}
	key := truthKey{day, revision, group}
	s.mu.Lock()
	known, ok := s.truths[key]
	s.mu.Unlock()
	if ok {
		return known
	}
	var t truth
	s.estate.each(day, group, revision, s.natural(), false, func(u *usage) bool {
		t.rows++
		t.sum += u.quantity
		return true
	})
	s.mu.Lock()
	s.truths[key] = t
	s.mu.Unlock()
	return t
}

// version says which revision of a day is served, and whether it has rows.
func (s *Simulator) version(day int) (revision int, has bool) {
	y, m, d := s.o.Now().Date()
	today := int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.revisions[day], day >= s.first && day < today && !s.empty[day]
}

func (s *Simulator) natural() []int {
	order := make([]int, len(s.estate.lines))
	for i := range order {
		order[i] = i
	}
	return order
}

func (s *Simulator) usage(w http.ResponseWriter, r *http.Request) {
	q, err := s.parseQuery(r.URL.Query())
	if err != nil {
		refuse(w, http.StatusBadRequest, "Bad Request: "+err.Error())
		return
	}
	if mayRead(w, q.group) {
		s.answer(w, r, q)
	}
}

// mayRead refuses the groups that cannot be read.
func mayRead(w http.ResponseWriter, group int64) bool {
	switch group {
	case 0, GroupEurope, GroupAmericas:
		return true
	case GroupWithout:
		refuse(w, http.StatusPreconditionFailed, "Precondition Failed: license usage calculations are not enabled for this computer group")
	default:
		refuse(w, http.StatusForbidden, fmt.Sprintf("Forbidden: no access to computer group %d", group))
	}
	return false
}

func (s *Simulator) answer(w http.ResponseWriter, r *http.Request, q query) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Language", "en-US")
	out := &stream{w: w, r: r, own: q.own, ofServer: q.ofServer, limit: q.limit, skip: q.skip}
	if s.o.Shape == ShapeObject {
		out.text(`{"total":` + strconv.FormatUint(s.count(q), 10) + `,"rows":`)
	}
	out.text("[")
	s.rows(q, out.row)
	out.text("]")
	if s.o.Shape == ShapeObject {
		out.text("}")
	}
	out.flush()
}

// count is the number of rows that a query matches, over all pages.
func (s *Simulator) count(q query) uint64 {
	if q.matches == nil {
		return s.truth(q.day, q.group).rows
	}
	var n uint64
	s.rows(q, func(*usage) bool { n++; return true })
	return n
}

// rows hands on what a query matches, in the order it asks for. Only an order
// other than the rows' own is made by holding them all.
func (s *Simulator) rows(q query, yield func(*usage) bool) {
	revision, has := s.version(q.day)
	if !has {
		return
	}
	lines := s.natural()
	if q.unordered { // a database promises nothing then
		turn := s.Requests(UsagePath) % len(lines)
		lines = append(lines[turn:], lines[:turn]...)
	}
	var held []usage
	s.estate.each(q.day, q.group, revision, lines, true, func(u *usage) bool {
		switch {
		case q.matches != nil && !q.matches(u):
			return true
		case len(q.order) == 0:
			return yield(u)
		}
		kept := *u
		kept.server.name, kept.server.serial = bytes.Clone(u.server.name), bytes.Clone(u.server.serial)
		held = append(held, kept)
		return true
	})
	slices.SortStableFunc(held, func(a, b usage) int {
		for _, o := range q.order {
			c := o.of(&a).compare(o.of(&b))
			if o.descending {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return 0
	})
	for i := range held {
		if !yield(&held[i]) {
			return
		}
	}
}

// stream writes rows in pieces, as servers since 10.0.2 do.
type stream struct {
	w             http.ResponseWriter
	r             *http.Request
	own, ofServer []column
	limit, skip   int
	sent          int
	buf           []byte
	broken        bool
}

func (o *stream) row(u *usage) bool {
	if o.skip > 0 {
		o.skip--
		return true
	}
	if o.limit >= 0 && o.sent == o.limit {
		return false
	}
	if o.sent > 0 {
		o.buf = append(o.buf, ',', '\n')
	}
	o.sent++
	o.buf = appendRow(o.buf, u, o.own, o.ofServer)
	if len(o.buf) >= flushAt {
		o.flush()
	}
	return !o.broken
}

func (o *stream) text(s string) { o.buf = append(o.buf, s...) }

func (o *stream) flush() {
	if !o.broken {
		_, err := o.w.Write(o.buf)
		o.broken = err != nil
	}
	o.buf = o.buf[:0]
}

func parseDay(day string) (int, error) {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return 0, fmt.Errorf("%q is not a day written YYYY-MM-DD", day)
	}
	return int(t.Unix() / 86400), nil
}
