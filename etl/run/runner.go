package run

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"github.com/meterhouse/meterhouse/etl/archive"
	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/schema"
)

// Runner brings slices in.
type Runner struct {
	o       Options
	sources map[string]Source
}

// New makes a Runner. Every source of the plans that it will be given must be
// among the options' sources.
func New(o Options) *Runner {
	r := &Runner{o: o, sources: make(map[string]Source, len(o.Sources))}
	for _, s := range o.Sources {
		r.sources[s.Name] = s
	}
	return r
}

// Run does what the plan lists, the sources side by side, after it has removed the
// spools of processes that were killed. When soft ends, no further slice is begun,
// and those in hand are finished; when ctx ends they are abandoned. Loads that were
// verified by then are still published. Run returns after the last goroutine that
// it started, with an outcome for every slice of p.Do.
func (r *Runner) Run(ctx, soft context.Context, p plan.Plan) Report {
	began := time.Now()
	runID := uuid.New()
	if err := archive.SweepRecordings(r.o.SpoolDir); err != nil {
		r.o.Logger.Warn("recordings of killed processes stay", zap.Error(err))
	}
	r.o.Observer.Planned(p.Do)

	perSource := map[string][]plan.Item{}
	for _, item := range p.Do {
		perSource[item.Source] = append(perSource[item.Source], item)
	}
	c := &collector{observer: r.o.Observer}
	warehouse := newBreaker(sharedLimits())
	pub := newPublisher(ctx, r.o, c, warehouse.observe)

	var wg sync.WaitGroup
	for name, items := range perSource {
		src := r.sources[name]
		if src.Name == "" {
			panic(fmt.Sprintf("BUG: the plan names source %q, which is not configured", name))
		}
		w := &sourceRun{
			runner: r, src: src, runID: runID, publisher: pub, collector: c,
			own: newBreaker(sourceLimits()), all: warehouse, feeds: feedBreakers(items),
			arrivals: arrivals{observer: r.o.Observer, told: map[schema.Slice]uint64{}},
		}
		wg.Go(func() { w.work(ctx, soft, items) })
	}
	wg.Wait()
	pub.close()
	return Report{Outcomes: c.outcomes, Took: time.Since(began)}
}

// sourceRun works off the slices of one source.
type sourceRun struct {
	runner    *Runner
	src       Source
	runID     uuid.UUID
	publisher *publisher
	collector *collector
	own       *breaker            // the source's own failures
	all       *breaker            // the warehouse's and the archive's, for all sources
	feeds     map[string]*breaker // what concerns one feed
	history   history
	arrivals  arrivals
	notes     sync.Map // what was already said
}

// work pulls the items in their order, src.Parallel at a time.
func (s *sourceRun) work(ctx, soft context.Context, items []plan.Item) {
	queue := make(chan plan.Item)
	var wg sync.WaitGroup
	for range max(1, s.src.Parallel) {
		wg.Go(func() {
			for item := range queue {
				s.one(ctx, soft, item)
			}
		})
	}
	for i, item := range items {
		why := s.stopped(ctx, soft)
		if why == nil {
			select {
			case queue <- item:
				continue
			case <-soft.Done():
				why = s.stopped(ctx, soft)
			}
		}
		for _, left := range items[i:] {
			s.untried(left, why)
		}
		break
	}
	close(queue)
	wg.Wait()
}

// stopped says why no further slice may begin, nil when one may.
func (s *sourceRun) stopped(ctx, soft context.Context) error {
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %w", errNotTried, stopOf(ctx))
	case soft.Err() != nil:
		return fmt.Errorf("%w: %w", errNotTried, stopOf(soft))
	case s.all.why() != nil:
		return s.all.why()
	default:
		return s.own.why()
	}
}

func (s *sourceRun) untried(item plan.Item, why error) {
	s.collector.add(Outcome{Item: item, Load: schema.Load{Slice: item.Slice, Kind: item.Kind}, Err: why})
}

// one brings one slice in and hands its ledger row to the publisher.
func (s *sourceRun) one(ctx, soft context.Context, item plan.Item) {
	why := s.stopped(ctx, soft)
	if why == nil {
		why = s.feeds[item.Feed].why()
	}
	if why != nil {
		s.untried(item, why)
		return
	}
	o := s.runner.o
	log := o.Logger.With(zap.String("source", item.Source), zap.String("feed", item.Feed), zap.Stringer("day", item.Day))
	began := time.Now()
	log.Info("load started", zap.String("reason", string(item.Reason)))

	load, err := s.guarded(ctx, item, log)
	if classify(err) == class(extract.NotReady) {
		log.Info("load not begun", zap.String("error_class", string(extract.NotReady)), zap.Error(err))
		s.untried(item, err)
		return
	}
	s.own.observe(err)
	s.feeds[item.Feed].observe(err)
	s.all.observe(err)
	out := Outcome{Item: item, Load: load, Tried: true, Err: err}
	if err == nil {
		out.Restated = s.restatement(ctx, item, load)
	}
	s.publisher.add(out, began, log)
}

// guarded is bringIn that survives a panic: a mistake in the reading of one
// answer must not end a daemon, and with it all other sources.
func (s *sourceRun) guarded(ctx context.Context, item plan.Item, log *zap.Logger) (load schema.Load, err error) {
	defer func() {
		if p := recover(); p != nil {
			log.Error("panic", zap.Any("panic", p), zap.Stack("stack"))
			load = s.begin(item)
			load.FinishedAt = load.StartedAt
			load.Status, load.Reason = schema.Failed, fmt.Sprintf("a mistake in meterhouse itself: panic: %v", p)
			err = errors.New(load.Reason)
		}
	}()
	return s.bringIn(ctx, item)
}

// feedBreakers makes one for every feed of the items.
func feedBreakers(items []plan.Item) map[string]*breaker {
	out := map[string]*breaker{}
	for _, item := range items {
		if out[item.Feed] == nil {
			out[item.Feed] = newBreaker(feedLimits())
		}
	}
	return out
}

// collector gathers outcomes from all goroutines.
type collector struct {
	mu       sync.Mutex
	outcomes []Outcome
	observer Observer
}

func (c *collector) add(o Outcome) {
	c.mu.Lock()
	c.outcomes = append(c.outcomes, o)
	c.mu.Unlock()
	c.observer.Finished(o)
}

// after waits for d, or less when ctx ends; it reports whether d passed.
func after(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
