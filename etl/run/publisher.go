package run

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/meterhouse/meterhouse/schema"
)

// A failed write of the ledger is tried again: writing the same rows twice is
// harmless. When the run is abandoned, writing may go on for a moment longer: a
// verified load that waits for its publication is worth it.
const (
	recordTimeout  = 20 * time.Second
	recordAttempts = 3
	recordPause    = time.Second
	recordGrace    = 5 * time.Second
)

// publisher writes finished loads into the ledger while the next slices are
// pulled. Verified loads rest for the publish delay first; whatever is ready
// by then goes in one block.
type publisher struct {
	o         Options
	collector *collector
	trip      func(error) // told how each write to the ledger went
	in        chan finished
	done      chan struct{}
}

type finished struct {
	outcome Outcome
	began   time.Time // by the system's clock, as ready
	ready   time.Time // not to be recorded before
	log     *zap.Logger
}

func newPublisher(ctx context.Context, o Options, c *collector, trip func(error)) *publisher {
	p := &publisher{o: o, collector: c, trip: trip, in: make(chan finished), done: make(chan struct{})}
	go p.loop(ctx)
	return p
}

// add takes a finished slice. Only publications wait for the delay.
func (p *publisher) add(o Outcome, began time.Time, log *zap.Logger) {
	f := finished{outcome: o, began: began, log: log, ready: time.Now()}
	if o.Load.Status == schema.Published {
		f.ready = f.ready.Add(p.o.PublishDelay)
	}
	p.in <- f
}

// close waits until all that was added is in the ledger.
func (p *publisher) close() {
	close(p.in)
	<-p.done
}

func (p *publisher) loop(run context.Context) {
	defer close(p.done)
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(run))
	defer cancel(nil)
	defer context.AfterFunc(run, func() {
		if after(ctx, recordGrace) {
			cancel(context.Cause(run))
		}
	})()
	in := p.in
	var waiting []finished
	timer := time.NewTimer(0)
	defer timer.Stop()
	open := true
	for open || len(waiting) > 0 {
		select {
		case f, ok := <-in:
			if !ok {
				open, in = false, nil
				continue
			}
			waiting = append(waiting, f)
		case <-timer.C:
		}
		waiting = p.record(ctx, waiting)
		if len(waiting) > 0 {
			timer.Reset(time.Until(earliest(waiting)))
		}
	}
}

func earliest(fs []finished) time.Time {
	t := fs[0].ready
	for _, f := range fs[1:] {
		if f.ready.Before(t) {
			t = f.ready
		}
	}
	return t
}

// record writes what is ready and returns what is not.
func (p *publisher) record(ctx context.Context, waiting []finished) []finished {
	now := time.Now()
	var ready, later []finished
	for _, f := range waiting {
		if f.ready.After(now) {
			later = append(later, f)
		} else {
			ready = append(ready, f)
		}
	}
	if len(ready) == 0 {
		return later
	}
	loads := make([]schema.Load, len(ready))
	for i, f := range ready {
		loads[i] = f.outcome.Load
	}
	err := inWarehouse(record(ctx, p.o.Warehouse, loads))
	p.trip(err)
	for i, f := range ready {
		f.outcome.Load = loads[i]
		p.conclude(f, err)
	}
	return later
}

// ledgerWriter is a Warehouse as far as writing the ledger goes.
type ledgerWriter interface {
	Record(ctx context.Context, loads []schema.Load) error
}

func record(ctx context.Context, w ledgerWriter, loads []schema.Load) (err error) {
	for attempt := range recordAttempts {
		if attempt > 0 && !after(ctx, recordPause) {
			return err
		}
		limited, cancel := context.WithTimeout(ctx, recordTimeout)
		err = w.Record(limited, loads)
		cancel()
		if err == nil {
			return nil
		}
	}
	return err
}

// conclude settles the outcome of a slice, writes its end line and reports it.
func (p *publisher) conclude(f finished, recordErr error) {
	o := f.outcome
	if recordErr != nil {
		switch o.Load.Status {
		case schema.Unchanged:
			recordErr = fmt.Errorf("the source says what readers see, but that could not be written into the ledger: %w", recordErr)
			o.Load.Status = schema.Failed
		case schema.Published:
			recordErr = fmt.Errorf("the rows of load %d are complete, but whether it was published is not known "+
				"(the version readers see is whole in either case; `meterhouse status` tells): %w", o.Load.LoadID, recordErr)
			o.Load.Status = schema.Failed
		case schema.Refused, schema.Failed, schema.Accepted, schema.RolledBack:
		}
		if o.Err == nil {
			o.Err = recordErr
		} else {
			o.Err = fmt.Errorf("%w; and the ledger does not know that: %w", o.Err, recordErr)
		}
		o.Restated = nil
	}
	o.Took = time.Since(f.began)
	fields := []zap.Field{
		zap.Uint64("load_id", o.Load.LoadID), zap.String("status", string(o.Load.Status)),
		zap.Uint64("rows", o.Load.Rows), zap.Uint64("rejects", o.Load.Rejects),
		zap.Uint64("requests", o.Load.Requests), zap.Uint64("bytes", o.Load.Bytes),
		zap.Duration("took", o.Took),
	}
	if o.Load.Partial != "" {
		fields = append(fields, zap.String("partial", o.Load.Partial))
	}
	switch c := classify(o.Err); {
	case o.Err == nil:
		f.log.Info("load finished", fields...)
	case c == classRefused:
		f.log.Warn("load finished", append(fields, zap.String("error_class", string(c)), zap.Error(o.Err))...)
	default:
		f.log.Error("load finished", append(fields, zap.String("error_class", string(c)), zap.Error(o.Err))...)
	}
	if o.Restated != nil {
		o.Restated.log(f.log, o.Load)
	}
	p.collector.add(o)
}
