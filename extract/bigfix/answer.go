package bigfix

import (
	"errors"
	"fmt"
	"io"
	"strconv"
)

// The two documented shapes of an answer: HCL's page on license_usage_per_server
// shows a bare array of rows; other endpoints of v2, and the same one on License
// Metric Tool, wrap it as {"total": n, "rows": [...]}.

// page is what one answer said beside its rows.
type page struct {
	rows     uint64
	total    uint64
	hasTotal bool
}

// readAnswer hands the text of every row to row. Only an answer that is
// complete to its last bracket returns without error; what row returns stops
// the reading and is returned as it is.
func readAnswer(s *scanner, row func(raw []byte) error) (page, error) {
	var p page
	first, err := s.next()
	switch {
	case errors.Is(err, io.EOF):
		return p, errors.New("the body is empty")
	case err != nil:
		return p, err
	case first == '[':
		err = p.array(s, row)
	case first == '{':
		err = p.object(s, row)
	case first == '<':
		return p, errors.New("the answer is an HTML or XML page, not JSON")
	default:
		return p, fmt.Errorf("the answer begins with %q and is not a JSON array or object", first)
	}
	if err != nil {
		return p, err
	}
	if c, err := s.next(); err == nil {
		return p, fmt.Errorf("there is text behind the end of the answer, beginning with %q", c)
	} else if !errors.Is(err, io.EOF) {
		return p, err
	}
	return p, nil
}

func (p *page) array(s *scanner, row func(raw []byte) error) error {
	return elements(s, ']', func() error {
		raw, err := s.value()
		if err != nil {
			return err
		}
		p.rows++
		return row(raw)
	})
}

func (p *page) object(s *scanner, row func(raw []byte) error) error {
	hasRows := false
	err := elements(s, '}', func() error {
		key, err := s.value()
		if err != nil {
			return err
		}
		name := string(key)
		if name[0] != '"' {
			return fmt.Errorf("there is %.40s where a key should be", name)
		}
		if c, err := s.next(); err != nil {
			return early(err)
		} else if c != ':' {
			return fmt.Errorf("there is %q instead of a colon behind the key %.40s", c, name)
		}
		s.take()
		switch {
		case name == `"rows"` && hasRows:
			return errors.New(`the answer has "rows" twice`)
		case name == `"rows"`:
			hasRows = true
			if c, err := s.next(); err != nil {
				return early(err)
			} else if c != '[' {
				return errors.New(`"rows" is not an array`)
			}
			return p.array(s, row)
		case name == `"total"`:
			return p.readTotal(s)
		default:
			_, err := s.value()
			return err
		}
	})
	if err == nil && !hasRows && p.hasTotal {
		return errors.New(`the answer is only a count, an object with "total" and without "rows"`)
	}
	if err == nil && !hasRows {
		return errors.New(`the answer is an object without "rows"`)
	}
	return err
}

func (p *page) readTotal(s *scanner) error {
	raw, err := s.value()
	if err != nil {
		return err
	}
	if string(raw) == "null" {
		return nil
	}
	if p.total, err = strconv.ParseUint(string(raw), 10, 64); err != nil {
		return fmt.Errorf(`"total" is %.40s, not a number of rows`, raw)
	}
	p.hasTotal = true
	return nil
}

// elements consumes an array or object that ends with closing; one consumes one
// element of it.
func elements(s *scanner, closing byte, one func() error) error {
	s.take() // the opening bracket, which next has shown
	for first := true; ; first = false {
		c, err := s.next()
		if err != nil {
			return early(err)
		}
		switch {
		case c == closing:
			s.take()
			return nil
		case first:
		case c == ',':
			s.take()
		default:
			return fmt.Errorf("there is %q between two elements instead of a comma", c)
		}
		if err := one(); err != nil {
			return err
		}
	}
}
