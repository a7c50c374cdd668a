package load

import (
	"context"
	"errors"
	"fmt"

	"github.com/meterhouse/meterhouse/schema"
)

const (
	// factRows and rejectRows are how many rows one block, and so one INSERT, holds.
	// Half as many facts cost the engine half as much again; twice as many gain
	// little and take 170 MB more.
	factRows   = 65_536
	rejectRows = 1_024
	// totalRows is the same for license_totals_versions, which has some rows per product.
	totalRows = 4_096
	// blocksPerTable is how many blocks a load recycles per table: one being
	// filled while the other is on its way.
	blocksPerTable = 2
	// maxTables is how many tables one load writes to.
	maxTables = 3
	// maxRaw bounds the source's own text of a reject, in bytes.
	maxRaw = 4096
	// maxDay is the last day that a Date column can hold, 2149-06-06.
	maxDay = schema.Day(1<<16 - 1)
)

var errAborted = errors.New("the load was aborted")

// Load sends the rows of one load. Rows are collected in columns and sent in
// blocks by a goroutine of its own, so that the caller prepares the next block
// while one is on its way. What was sent stays invisible until Record publishes
// the load's id.
//
// Its methods are for one goroutine. Every Load ends with Finish or Abort.
type Load struct {
	header  schema.LoadHeader
	facts   queue
	totals  queue // of bigfix
	rejects queue
	full    chan *block   // blocks to send
	stopped chan struct{} // closed when the sender has returned
	err     error         // why the sender stopped; read it only after stopped
	cancel  context.CancelCauseFunc
	ended   bool // Finish or Abort was called
}

// queue recycles the blocks of one table.
type queue struct {
	make    func() *block
	made    int
	current *block
	free    chan *block
}

func newQueue(newBlock func() *block) queue {
	return queue{make: newBlock, free: make(chan *block, blocksPerTable)}
}

// Begin starts a load, once a server answers: nothing is asked of a source for a
// warehouse that is not there. Cancelling ctx stops the load.
func (w *Warehouse) Begin(ctx context.Context, h schema.LoadHeader) (*Load, error) {
	if h.Day < 0 || h.Day > maxDay {
		return nil, &Error{Class: Invalid, Doing: "beginning a load", Err: fmt.Errorf("day %s: outside of what a Date can hold", h.Day)}
	}
	l := &Load{
		header:  h,
		full:    make(chan *block, maxTables*blocksPerTable),
		stopped: make(chan struct{}),
	}
	switch h.Kind {
	case schema.KindBigFix:
		l.facts = newQueue(func() *block { return newLicenseBlock(&l.header) })
		l.totals = newQueue(func() *block { return newTotalBlock(&l.header) })
	case schema.KindNexthink:
		l.facts = newQueue(func() *block { return newMeteringBlock(&l.header) })
	default:
		return nil, &Error{Class: Invalid, Doing: "beginning a load", Err: fmt.Errorf("no kind of source %q", h.Kind)}
	}
	l.rejects = newQueue(func() *block { return newRejectBlock(&l.header) })

	if err := w.again(ctx, ledgerTimeout, "beginning a load", w.admin.Ping); err != nil {
		return nil, err
	}
	ctx, l.cancel = context.WithCancelCause(ctx)
	go l.send(ctx, w)
	return l, nil
}

// LicenseUsage adds a row; the load must be of a bigfix source. The row is
// copied, but its strings are kept until their block is sent. An error means
// that the load cannot go on.
func (l *Load) LicenseUsage(r *schema.LicenseUsage) error {
	b, err := l.room(&l.facts)
	if err != nil {
		return err
	}
	b.license.append(r)
	b.rows++
	return nil
}

// LicenseTotal adds a row; the load must be of a bigfix source. As with
// LicenseUsage.
func (l *Load) LicenseTotal(r *schema.LicenseTotal) error {
	b, err := l.room(&l.totals)
	if err != nil {
		return err
	}
	b.total.append(r)
	b.rows++
	return nil
}

// MeteringDetail adds a row; the load must be of a nexthink source. The row is
// copied, but its strings are kept until their block is sent. An error means
// that the load cannot go on.
func (l *Load) MeteringDetail(r *schema.MeteringDetail) error {
	b, err := l.room(&l.facts)
	if err != nil {
		return err
	}
	if err := b.metering.append(r); err != nil {
		return &Error{Class: Invalid, Doing: fmt.Sprintf("adding row %d of load %d", r.Ordinal, l.header.LoadID), Err: err}
	}
	b.rows++
	return nil
}

// Reject stores a source row that could not become a record, its text cut after
// 4 KiB. An error means that the load cannot go on.
func (l *Load) Reject(r schema.Reject) error {
	b, err := l.room(&l.rejects)
	if err != nil {
		return err
	}
	b.reject.append(r)
	b.rows++
	return nil
}

// Finish sends what is left and waits until the server has acknowledged every
// block. After it nothing of the load is in flight, whatever it returns.
func (l *Load) Finish(ctx context.Context) error {
	if l.ended {
		panic("BUG: a load was finished twice, or after it was aborted")
	}
	l.ended = true
	for _, q := range []*queue{&l.facts, &l.totals, &l.rejects} {
		if q.current != nil && q.current.rows > 0 {
			l.full <- q.current // there is room for all blocks that exist
		}
	}
	close(l.full)
	select {
	case <-l.stopped:
	case <-ctx.Done():
		l.cancel(context.Cause(ctx))
		<-l.stopped
	}
	l.cancel(nil)
	return l.err
}

// Abort gives the load up and waits until nothing of it is in flight. Rows that
// were sent stay in the warehouse, invisible. After Finish it does nothing, so
// it can be deferred.
func (l *Load) Abort() {
	if l.ended {
		return
	}
	l.ended = true
	l.cancel(errAborted)
	<-l.stopped
}

// room gives a block that takes one more row, after handing a full one to the sender.
func (l *Load) room(q *queue) (*block, error) {
	if q.current != nil && q.current.rows < q.current.capacity {
		return q.current, nil
	}
	if q.current != nil {
		select {
		case l.full <- q.current:
			q.current = nil
		case <-l.stopped:
			return nil, l.err
		}
	}
	if q.made < blocksPerTable {
		q.made++
		q.current = q.make()
		q.current.free = q.free
		return q.current, nil
	}
	select {
	case q.current = <-q.free:
		return q.current, nil
	case <-l.stopped:
		return nil, l.err
	}
}

// send inserts blocks until there are no more, one fails, or ctx is cancelled.
func (l *Load) send(ctx context.Context, w *Warehouse) {
	defer close(l.stopped)
	in := newInserter(w)
	for {
		select {
		case b, more := <-l.full:
			if !more {
				return
			}
			err := w.within(ctx, w.readTimeout, func(ctx context.Context) error { return in.insert(ctx, b) })
			if err != nil {
				l.err = w.hint(stopped(ctx, err, fmt.Sprintf("inserting %d rows of load %d into %s", b.rows, l.header.LoadID, b.table)))
				return
			}
			b.reset()
			b.free <- b // there is room for all blocks that exist
		case <-ctx.Done():
			l.err = stopped(ctx, ctx.Err(), fmt.Sprintf("inserting load %d", l.header.LoadID))
			return
		}
	}
}

// stopped says why the sender gave up: the driver failed, or ctx ended. In the
// latter case the driver's own words are noise.
func stopped(ctx context.Context, err error, doing string) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return &Error{Class: Cancelled, Doing: doing, Err: context.Cause(ctx)}
	}
	return fail(err, doing)
}
