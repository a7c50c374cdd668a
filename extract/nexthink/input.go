package nexthink

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/meterhouse/meterhouse/extract"
)

const (
	// readSize is the buffer between the network and the decoders, and how far
	// the look at the beginning of an answer reaches.
	readSize = 64 << 10
	// maxRecord bounds the text of one row; real ones have some hundred bytes.
	maxRecord = 4 << 20
	// headLength is how many bytes of a strange answer an error shows,
	// peekLength how many are looked at before.
	headLength = 96
	peekLength = 1 << 10

	byteOrderMark = "\xEF\xBB\xBF"
)

// unbounded lifts the limit of input.allow.
const unbounded = -1

// input is the body of an answer as the decoders read it: without byte order
// mark, with the reason why reading stopped, and with a limit to what one row
// may take.
type input struct {
	body  io.Reader
	ahead *bufio.Reader
	head  string // how the answer begins, for errors
	read  int64  // bytes of the body
	// failed is why no more can be read, for anything but the end; ended is set
	// once a decoder wanted more than there was. Decoders wrap or hide both, so
	// they are kept here.
	failed error
	ended  bool
	left   int64 // what may be read until the next allow, or unbounded
}

func newInput(body io.Reader) *input {
	in := &input{body: body, left: unbounded}
	in.ahead = bufio.NewReaderSize(bodyReader{in}, readSize)
	return in
}

// bodyReader counts what comes from the body and keeps its error.
type bodyReader struct{ in *input }

func (b bodyReader) Read(p []byte) (int, error) {
	n, err := b.in.body.Read(p)
	b.in.read += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		b.in.failed = err
	}
	return n, err
}

// Read is for the decoders.
func (in *input) Read(p []byte) (int, error) {
	if in.left == 0 {
		in.failed = badAnswer("a row is longer than the %d bytes that are allowed", maxRecord)
		return 0, in.failed
	}
	if in.left > 0 && int64(len(p)) > in.left {
		p = p[:in.left]
	}
	n, err := in.ahead.Read(p)
	if in.left > 0 {
		in.left -= int64(n)
	}
	if errors.Is(err, io.EOF) {
		in.ended = true
	}
	return n, err
}

// allow says how many bytes the next row may take.
func (in *input) allow(n int64) { in.left = n }

// open looks at the beginning of the answer and refuses what cannot be one: an
// empty body and, unless a page was asked for, HTML, which is both the API's
// default format and what a login page is written in.
func (in *input) open(secrets []string, page bool) error {
	if mark, _ := in.ahead.Peek(len(byteOrderMark)); string(mark) == byteOrderMark {
		_, _ = in.ahead.Discard(len(mark)) // they were just seen
	}
	head, err := in.ahead.Peek(peekLength)
	if in.failed != nil {
		return in.failed
	}
	in.head = fingerprint(head, secrets)
	head = bytes.TrimSpace(head)
	switch {
	case len(head) == 0 && err != nil:
		return badAnswer("the answer is empty")
	case len(head) > 0 && head[0] == '<' && !page:
		return badAnswer("the answer is a page and not data: %s", in.head)
	}
	return nil
}

// fingerprint shows the first bytes of an answer, without what is secret in them.
func fingerprint(head []byte, secrets []string) string {
	text := redact(string(head), secrets)
	return fmt.Sprintf("it begins with %q", text[:min(len(text), headLength)])
}

// redact replaces what must never be seen.
func redact(text string, secrets []string) string {
	for _, secret := range secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return text
}

// explain turns a decoder's error into the one to report: why the body could
// not be read, an early end, or text that is not what was asked for.
func (in *input) explain(err error) error {
	var ours *extract.Error
	switch {
	case in.failed != nil:
		return in.failed
	case errors.As(err, &ours):
		return ours
	case in.ended:
		return interrupted("the answer ends in the middle, after %d bytes", in.read)
	default:
		return badAnswer("the answer cannot be read: %w", err)
	}
}

func badAnswer(format string, args ...any) error {
	return &extract.Error{Class: extract.BadAnswer, Err: fmt.Errorf(format, args...)}
}

func interrupted(format string, args ...any) error {
	return &extract.Error{Class: extract.Interrupted, Err: fmt.Errorf(format, args...)}
}
