package run

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/meterhouse/meterhouse/etl/normalise"
	"github.com/meterhouse/meterhouse/extract"
)

// class says what an error means for the rest of the run. It is the only
// classification outside the sources' own.
type class string

const (
	classWarehouse class = "warehouse" // the warehouse could not do its part
	classArchive   class = "archive"   // the archive could not do its part
	classSpool     class = "spool"     // there was no room for the answers
	classData      class = "data"      // the answer contradicts itself or what was sent
	classRefused   class = "refused"   // a guard spoke
)

// warehouseError marks what went wrong on the warehouse's side. Its text is the
// warehouse's own, which says what was being done.
type warehouseError struct{ error }

func (e *warehouseError) Unwrap() error { return e.error }

// inWarehouse marks err, unless it is nil or says that the rows contradict what
// was sent: that is the answer's fault.
func inWarehouse(err error) error {
	var mismatch interface{ Mismatch() }
	if err == nil || errors.As(err, &mismatch) {
		return err
	}
	return &warehouseError{err}
}

// archiveError marks what went wrong on the archive's side.
type archiveError struct{ err error }

func (e *archiveError) Error() string {
	return e.err.Error() + "; without it the load is not published (archive.policy is required)"
}
func (e *archiveError) Unwrap() error { return e.err }

// spoolError says that the answers could not be kept on disk on their way. The
// source is not to blame, whatever its decoder made of it.
type spoolError struct{ err error }

func (e *spoolError) Error() string {
	return e.err.Error() + "; TMPDIR names the folder for answers on their way, which needs room for a day's, compressed"
}
func (e *spoolError) Unwrap() error { return e.err }

var (
	errNotTried   = errors.New("not tried")
	errDayChanged = errors.New("the source's day ended during the pull")
)

// stopError is why somebody asked the run to stop. Whatever the reason, it is of
// the class of cancellations.
type stopError struct{ cause error }

func (e *stopError) Error() string   { return e.cause.Error() }
func (e *stopError) Unwrap() []error { return []error{e.cause, context.Canceled} }

// stopOf is why an ended context ended.
func stopOf(ctx context.Context) error { return &stopError{context.Cause(ctx)} }

// classify names the class for the log and for the decisions of the run.
func classify(err error) class {
	var (
		src      *extract.Error
		wh       *warehouseError
		arch     *archiveError
		spool    *spoolError
		conflict *normalise.Conflict
		refusal  *Refusal
	)
	switch {
	case err == nil:
		return ""
	case errors.Is(err, context.Canceled):
		return class(extract.Cancelled)
	case errors.As(err, &wh): // its time-outs, too: they are the warehouse's, not ours
		return classWarehouse
	case errors.As(err, &arch):
		return classArchive
	case errors.As(err, &spool):
		return classSpool
	case errors.Is(err, context.DeadlineExceeded):
		return class(extract.Cancelled)
	case errors.As(err, &src):
		return class(src.Class)
	case errors.As(err, &refusal):
		return classRefused
	case errors.As(err, &conflict):
		return classData
	default:
		return classData
	}
}

// temporary tells whether the warehouse failed in a way that it may have got over
// when the same slice is loaded again under another id.
func temporary(err error) bool {
	var mismatch interface{ Mismatch() }
	var t interface{ Temporary() bool }
	return (classify(err) == classWarehouse || errors.As(err, &mismatch)) && errors.As(err, &t) && t.Temporary()
}

// limits say how many slices in a row may fail in the same way before the rest
// is given up.
type limits map[class]int

// sourceLimits: wrong credentials lock accounts, and a server that is down costs
// all its retries once per slice.
func sourceLimits() limits {
	return limits{
		class(extract.Credentials): 1, class(extract.TLS): 1,
		class(extract.Transient): 3, class(extract.Throttled): 3, class(extract.Interrupted): 3,
	}
}

// feedLimits: what the source does not let us read, or does not understand, it
// will most likely not for any other day of the feed.
func feedLimits() limits {
	return limits{class(extract.Forbidden): 1, class(extract.BadRequest): 3}
}

// sharedLimits concern all sources.
func sharedLimits() limits { return limits{classWarehouse: 3, classArchive: 3} }

// breaker ends the work on a feed, a source, or all of it, when going on would
// only repeat a failure.
type breaker struct {
	limits limits

	mu          sync.Mutex
	consecutive limits
	err         error
}

func newBreaker(l limits) *breaker { return &breaker{limits: l, consecutive: limits{}} }

// observe takes note of how a slice ended. Failures that the breaker is not
// about say nothing to it, a success makes it forget.
func (b *breaker) observe(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := classify(err)
	if c == "" {
		clear(b.consecutive)
		return
	}
	b.consecutive[c]++
	if limit := b.limits[c]; limit > 0 && b.consecutive[c] >= limit && b.err == nil {
		b.err = fmt.Errorf("%w, because going on would only repeat: %w", errNotTried, err)
	}
}

// why is the reason to go no further, nil while there is none.
func (b *breaker) why() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}
