package bigfix

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

const (
	scanBuffer = 256 << 10
	// longestValue bounds one row, and with it the memory of a pull.
	longestValue = 4 << 20
)

var (
	errEndedEarly = errors.New("the answer ended in the middle")
	errTooLong    = fmt.Errorf("a single value is longer than %d bytes", longestValue)
)

// scanner cuts a stream of JSON into whole values, without looking at more of
// them than their brackets and quotes; whoever decodes a value finds out
// whether it is well-formed.
type scanner struct {
	r     io.Reader
	buf   []byte
	start int // of what is not consumed yet
	end   int // of what was read
	read  int64
	err   error // what the reader ended with
}

func newScanner() *scanner { return &scanner{buf: make([]byte, scanBuffer)} }

// reset begins another stream with the same buffer.
func (s *scanner) reset(r io.Reader) { *s = scanner{r: r, buf: s.buf} }

// head is how the stream began, as far as all of it is still in the buffer.
func (s *scanner) head() []byte {
	if s.read > int64(s.end) {
		return nil
	}
	return s.buf[:s.end]
}

// more reads on. What was not consumed keeps its place relative to start.
func (s *scanner) more() error {
	if s.err != nil {
		return s.err
	}
	if s.start > 0 {
		s.end = copy(s.buf, s.buf[s.start:s.end])
		s.start = 0
	}
	if s.end == len(s.buf) {
		if len(s.buf) >= longestValue {
			return errTooLong
		}
		s.buf = append(s.buf, make([]byte, len(s.buf))...)
	}
	n, err := s.r.Read(s.buf[s.end:])
	s.end += n
	s.read += int64(n)
	s.err = err
	if n > 0 || err == nil {
		return nil
	}
	return err
}

// next skips white space and gives the byte behind it, without consuming it.
// At the end of the stream the error is io.EOF.
func (s *scanner) next() (byte, error) {
	for {
		for ; s.start < s.end; s.start++ {
			switch c := s.buf[s.start]; c {
			case ' ', '\t', '\r', '\n':
			default:
				return c, nil
			}
		}
		if err := s.more(); err != nil {
			return 0, err
		}
	}
}

// take consumes the byte that next gave.
func (s *scanner) take() { s.start++ }

// value consumes the next value and gives its text, valid until the next call.
// A stream that ends inside it is errEndedEarly.
func (s *scanner) value() ([]byte, error) {
	c, err := s.next()
	if err != nil {
		return nil, early(err)
	}
	length := scalarEnd
	switch c {
	case '{', '[':
		length = (&nesting{}).end
	case '"':
		length = func(window []byte) int { return stringEnd(window, 1) }
	}
	for {
		n := length(s.buf[s.start:s.end])
		if n == 0 {
			return nil, fmt.Errorf("there is %q where a value should be", c)
		}
		if n > 0 {
			v := s.buf[s.start : s.start+n]
			s.start += n
			return v, nil
		}
		if err := s.more(); err != nil {
			return nil, early(err)
		}
	}
}

func early(err error) error {
	if errors.Is(err, io.EOF) {
		return errEndedEarly
	}
	return err
}

// nesting finds the end of an object or array; it remembers how far it came,
// so that a value that is read in many pieces is looked at once.
type nesting struct{ at, depth int }

func (n *nesting) end(window []byte) int {
	for n.at < len(window) {
		switch window[n.at] {
		case '"':
			after := stringEnd(window, n.at+1)
			if after < 0 {
				return -1
			}
			n.at = after
			continue
		case '{', '[':
			n.depth++
		case '}', ']':
			n.depth--
			if n.depth == 0 {
				return n.at + 1
			}
		}
		n.at++
	}
	return -1
}

// stringEnd is where the string whose content begins at from ends, behind its
// closing quote; -1 when that is not in the window yet.
func stringEnd(window []byte, from int) int {
	for at := from; ; {
		quote := bytes.IndexByte(window[at:], '"')
		if quote < 0 {
			return -1
		}
		at += quote
		escapes := 0
		for at-1-escapes >= from && window[at-1-escapes] == '\\' {
			escapes++
		}
		at++
		if escapes%2 == 0 {
			return at
		}
	}
}

// scalarEnd is where a number, true, false or null ends; -1 when that is not in
// the window yet.
func scalarEnd(window []byte) int {
	return bytes.IndexAny(window, ",]} \t\r\n")
}
