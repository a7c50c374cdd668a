package load

import (
	"cmp"
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
// blocks by a goroutine of its own for each shard, so that the caller prepares the
// next block while one is on its way. What was sent stays invisible until Record
// publishes the load's id.
//
// Its methods are for one goroutine. Every Load ends with Finish or Abort.
type Load struct {
	warehouse *Warehouse
	header    schema.LoadHeader
	lanes     []*lane // one per shard; one without a cluster
	cancel    context.CancelCauseFunc
	ended     bool // Finish or Abort was called
}

// Begin starts a load, once a server answers: nothing is asked of a source for a
// warehouse that is not there. Cancelling ctx stops the load.
func (w *Warehouse) Begin(ctx context.Context, h schema.LoadHeader) (*Load, error) {
	if h.Day < 0 || h.Day > maxDay {
		return nil, &Error{Class: Invalid, Doing: "beginning a load", Err: fmt.Errorf("day %s: outside of what a Date can hold", h.Day)}
	}
	l := &Load{warehouse: w, header: h}
	var facts, totals func() *block
	switch h.Kind {
	case schema.KindBigFix:
		facts = func() *block { return newLicenseBlock(&l.header) }
		totals = func() *block { return newTotalBlock(&l.header) }
	case schema.KindNexthink:
		facts = func() *block { return newMeteringBlock(&l.header) }
	default:
		return nil, &Error{Class: Invalid, Doing: "beginning a load", Err: fmt.Errorf("no kind of source %q", h.Kind)}
	}

	takers, err := w.takers(ctx, h.LoadID)
	if err != nil {
		return nil, err
	}
	ctx, l.cancel = context.WithCancelCause(ctx)
	for _, to := range takers {
		lane := newLane(to)
		lane.facts, lane.totals = newQueue(facts), newQueue(totals)
		lane.rejects = newQueue(func() *block { return newRejectBlock(&l.header) })
		l.lanes = append(l.lanes, lane)
		go lane.send(ctx, w, h.LoadID, l.cancel)
	}
	return l, nil
}

// LicenseUsage adds a row; the load must be of a bigfix source. The row is
// copied, but its strings are kept until their block is sent. An error means
// that the load cannot go on.
func (l *Load) LicenseUsage(r *schema.LicenseUsage) error {
	to := l.lanes[0]
	if len(l.lanes) > 1 {
		to = l.number(uint64(r.ServerID)) //nolint:gosec // any number does
	}
	b, err := to.room(&to.facts)
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
	to := l.lanes[0]
	if len(l.lanes) > 1 {
		to = l.number(uint64(r.ProductID)) //nolint:gosec // any number does
	}
	b, err := to.room(&to.totals)
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
	to := l.lanes[0]
	if len(l.lanes) > 1 {
		to = l.text(r.Device)
	}
	b, err := to.room(&to.facts)
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
	to := l.lanes[0]
	if len(l.lanes) > 1 {
		to = l.number(r.Ordinal)
	}
	b, err := to.room(&to.rejects)
	if err != nil {
		return err
	}
	b.reject.append(r)
	b.rows++
	return nil
}

// Finish sends what is left and waits until the server has acknowledged every
// block; on a cluster, until every replica that lives has them. After it nothing
// of the load is in flight, whatever it returns.
func (l *Load) Finish(ctx context.Context) error {
	if l.ended {
		panic("BUG: a load was finished twice, or after it was aborted")
	}
	l.ended = true
	for _, lane := range l.lanes {
		lane.end()
	}
	var err error
	for _, lane := range l.lanes {
		select {
		case <-lane.stopped:
		case <-ctx.Done():
			l.cancel(context.Cause(ctx))
			<-lane.stopped
		}
		err = cmp.Or(err, lane.err)
	}
	l.cancel(nil)
	if err != nil {
		return err
	}
	return l.warehouse.settleLoad(ctx, l)
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
	for _, lane := range l.lanes {
		<-lane.stopped
	}
}
