package run

import (
	"context"
	"errors"
	"fmt"

	"github.com/meterhouse/meterhouse/etl/normalise"
	"github.com/meterhouse/meterhouse/extract"
)

// class says what an error means for the rest of the run. It is the only
// classification outside the sources' own.
type class string

const (
	classWarehouse class = "warehouse" // the warehouse could not do its part
	classArchive   class = "archive"   // the archive could not do its part
	classData      class = "data"      // the answer contradicts itself or what was sent
	classRefused   class = "refused"   // a guard spoke
)

// warehouseError marks what went wrong on the warehouse's side.
type warehouseError struct {
	doing string
	err   error
}

func (e *warehouseError) Error() string { return e.doing + ": " + e.err.Error() }
func (e *warehouseError) Unwrap() error { return e.err }

// inWarehouse marks err, unless it is nil.
func inWarehouse(doing string, err error) error {
	if err == nil {
		return nil
	}
	return &warehouseError{doing: doing, err: err}
}

// archiveError marks what went wrong on the archive's side.
type archiveError struct{ err error }

func (e *archiveError) Error() string {
	return e.err.Error() + "; without it the load is not published (archive.policy is required)"
}
func (e *archiveError) Unwrap() error { return e.err }

var (
	errNotTried   = errors.New("not tried")
	errDayChanged = errors.New("the source's day ended during the pull")
)

// classify names the class for the log and for the decisions of the run.
func classify(err error) class {
	var (
		src      *extract.Error
		wh       *warehouseError
		arch     *archiveError
		conflict *normalise.Conflict
		refusal  *Refusal
	)
	switch {
	case err == nil:
		return ""
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return class(extract.Cancelled)
	case errors.As(err, &wh):
		return classWarehouse
	case errors.As(err, &arch):
		return classArchive
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

// breaker ends the work on a feed, a source, or all of it, when going on would
// only repeat a failure: wrong credentials lock accounts, a server that is down
// costs all its retries once per slice.
type breaker struct {
	consecutive map[class]int
	why         error
}

// The number of slices in a row that may fail in the same way before the rest
// is given up.
const (
	maxUnreachable = 3
	maxWarehouse   = 3
	maxArchive     = 3
)

// observe takes note of how a slice ended.
func (b *breaker) observe(err error) {
	c := classify(err)
	if b.consecutive == nil || c == "" {
		b.consecutive = map[class]int{}
	}
	b.consecutive[c]++
	limit := 0
	switch c {
	case class(extract.Credentials), class(extract.TLS):
		limit = 1
	case class(extract.Transient), class(extract.Throttled):
		limit = maxUnreachable
	case classWarehouse:
		limit = maxWarehouse
	case classArchive:
		limit = maxArchive
	}
	if limit > 0 && b.consecutive[c] >= limit && b.why == nil {
		b.why = fmt.Errorf("%w, because going on would only repeat: %w", errNotTried, err)
	}
}
