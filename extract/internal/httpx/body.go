package httpx

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/meterhouse/meterhouse/extract"
)

// body is one request in flight: its slot, its clocks and the answer's body.
// Every error that it returns is an *extract.Error, or io.EOF at the end of an
// answer that is complete as far as HTTP can tell.
type body struct {
	c      *Client
	doing  string
	parent context.Context //nolint:containedctx // to tell "told to stop" from the clocks below
	ctx    context.Context //nolint:containedctx // the request's own; lives exactly as long as the body
	cancel context.CancelCauseFunc
	total  *time.Timer
	idle   *time.Timer
	status int
	rc     io.ReadCloser // nil until the header arrived
	read   int64
	closed sync.Once
}

// newBody starts the clocks of a request that holds a slot; end gives all back.
func (c *Client) newBody(parent context.Context, doing string) *body {
	b := &body{c: c, doing: doing, parent: parent}
	b.ctx, b.cancel = context.WithCancelCause(parent)
	b.total = time.AfterFunc(c.o.RequestTimeout, func() { b.cancel(errRequestTimeout) })
	return b
}

// from takes over the answer's body once the header is there.
func (b *body) from(answer *http.Response) {
	b.rc, b.status = answer.Body, answer.StatusCode
	b.idle = time.AfterFunc(b.c.o.IdleTimeout, func() { b.cancel(errIdleTimeout) })
	b.idle.Stop()
}

// Read reads what has arrived. The idle clock only runs inside Read, so a slow
// reader is not taken for a stalled server.
func (b *body) Read(p []byte) (int, error) {
	if b.read > b.c.o.MaxBytes {
		return 0, b.tooLong()
	}
	b.idle.Reset(b.c.o.IdleTimeout)
	n, err := b.rc.Read(p)
	b.idle.Stop()
	b.read += int64(n)
	switch {
	case b.read > b.c.o.MaxBytes:
		return n - int(b.read-b.c.o.MaxBytes), b.tooLong()
	case err == nil:
		return n, nil
	}
	// Before anything else: a server that is hung up on may still end its answer
	// in good order, and then what is missing looks complete.
	if e := b.stopped(extract.Interrupted); e != nil {
		return n, e
	}
	if errors.Is(err, io.EOF) {
		return n, io.EOF
	}
	return n, b.fault(extract.Interrupted, fmt.Errorf("the answer broke off after %d bytes: %w", b.read, b.c.scrub(err)))
}

// Close ends the request, read to its end or not, and lets the next one start.
func (b *body) Close() error {
	b.end()
	return nil
}

func (b *body) end() {
	b.closed.Do(func() {
		b.total.Stop()
		if b.rc != nil {
			b.idle.Stop()
			_ = b.rc.Close() // nothing can be lost: what matters was read
		}
		b.cancel(nil)
		<-b.c.slots
	})
}

// stopped tells whether one of our own clocks or the caller ended the request;
// timeout is the class of a request that took too long.
func (b *body) stopped(timeout extract.Class) *extract.Error {
	if b.ctx.Err() == nil {
		return nil
	}
	cause := context.Cause(b.ctx)
	switch {
	case errors.Is(cause, errRequestTimeout):
		e := b.fault(timeout, fmt.Errorf("%w of %s passed after %d bytes of the answer", errRequestTimeout, b.c.o.RequestTimeout, b.read))
		e.Hint = "raise request_timeout or ask for less at once"
		return e
	case errors.Is(cause, errIdleTimeout):
		return b.fault(extract.Interrupted, fmt.Errorf("%w: no byte for %s, after %d bytes of the answer", errIdleTimeout, b.c.o.IdleTimeout, b.read))
	default:
		return b.c.cancelled(b.parent, b.doing, 0)
	}
}

func (b *body) tooLong() *extract.Error {
	return b.fault(extract.BadAnswer, fmt.Errorf("the answer is longer than the %d bytes that are allowed", b.c.o.MaxBytes))
}

func (b *body) fault(class extract.Class, err error) *extract.Error {
	return &extract.Error{Class: class, Doing: b.doing, Status: b.status, Err: err}
}
