package load

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"go.uber.org/zap"
)

// What may be run twice is run again while the server is unreachable or busy:
// every read, and the ledger's insert, whose rows are the same rows however often
// they come. Never a block of facts: the first one may have arrived, and a load
// that holds it twice can only be given up.
const (
	// defaultPatience outlasts the restart of a server.
	defaultPatience = 30 * time.Second
	firstPause      = 250 * time.Millisecond
	maxPause        = 8 * time.Second
	// ledgerTimeout bounds one try of a small statement.
	ledgerTimeout = 20 * time.Second
)

// timeout is the reason of a statement that was given up for taking too long.
// It is no context.DeadlineExceeded: nobody told us to stop.
type timeout struct {
	after time.Duration
	name  string
}

func (e *timeout) Error() string { return fmt.Sprintf("no answer within %s (%s)", e.after, e.name) }

// within bounds one statement, the sending of its data included: the driver
// alone would wait for ever on a server that does not read. The limit is no
// deadline of the context, which the driver would make a setting of the query,
// and a user who may only read cannot change settings.
func (w *Warehouse) within(ctx context.Context, limit time.Duration, do func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timer := time.AfterFunc(limit, func() { cancel(&timeout{limit, "read_timeout"}) })
	defer timer.Stop()
	err := do(ctx)
	var late *timeout
	var answer *clickhouse.Exception
	if err != nil && errors.As(context.Cause(ctx), &late) && !errors.As(err, &answer) {
		return late
	}
	return err
}

// hint adds to the error of a server that is not reached any more what to do.
func (w *Warehouse) hint(err error) error {
	var e *Error
	if errors.As(err, &e) && e.Class == Unreachable && e.Hint == "" {
		e.Hint = w.gone
	}
	return err
}

// again runs what may be run twice until it succeeds, fails for good, or the
// warehouse's patience is at its end. The error is an *Error.
func (w *Warehouse) again(ctx context.Context, limit time.Duration, doing string, do func(context.Context) error) error {
	limit = min(limit, w.readTimeout)
	end := time.Now().Add(w.patience)
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		err := w.hint(fail(w.within(ctx, limit, do), doing))
		var e *Error
		if !errors.As(err, &e) || !e.Temporary() || time.Now().Add(pause).After(end) {
			return err
		}
		w.log.Warn("trying the warehouse again", zap.Error(err), zap.Duration("pause", pause))
		if !after(ctx, pause) {
			return err
		}
	}
}

// after waits; false when ctx ended first.
func after(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
