package wire_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/meterhouse/meterhouse/cmd/internal/config"
	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/etl/run"
	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/extract/bigfix/bigfixtest"
	"github.com/meterhouse/meterhouse/extract/extracttest/simfault"
	"github.com/meterhouse/meterhouse/extract/nexthink"
	"github.com/meterhouse/meterhouse/load"
	"github.com/meterhouse/meterhouse/schema"
)

// statuses counts the rows of the ledger by their status.
func (w *world) statuses() map[schema.Status]int {
	w.t.Helper()
	n := map[schema.Status]int{}
	for _, row := range w.ledger() {
		n[row.Status]++
	}
	return n
}

func TestARestatedDayReplacesTheOneBefore(t *testing.T) {
	t.Parallel()
	w := bigfixWorld(t, newWarehouse(t), "bfi", bigfixtest.Options{Rows: 400})
	day := w.today() - 2
	require.True(t, w.run(day, day).Complete())
	const keys = "SELECT product_id, metric_id, bundle_id, server_id FROM license_usage ORDER BY ALL"
	before := w.query(keys)

	require.NoError(t, w.bigfix.Revise(day.String(), 1))
	report := w.run(day, day)
	require.True(t, report.Complete())
	w.requireTruth(day, day)
	after := w.query(keys)
	require.Less(t, len(after), len(before), "rows that vanished from the day are gone")
	require.Subset(t, before, after)
	require.Equal(t, map[schema.Status]int{schema.Published: 2}, w.statuses())
	ledger := w.ledger()
	require.Equal(t, ledger[0].LoadID, ledger[1].PreviousLoadID)
	require.Equal(t, uint64(1), ledger[1].Requests, "it was asked once, and loaded from the spool")
	require.Equal(t, 2, w.bigfix.Requests(w.path))
}

func TestAnUnchangedRecheckInsertsNothing(t *testing.T) {
	t.Parallel()
	warehouse := newWarehouse(t)
	for _, w := range []*world{
		bigfixWorld(t, warehouse, "bfi", bigfixtest.Options{}),
		nexthinkWorld(t, warehouse, "hq"),
	} {
		table := map[string]string{"bfi": "license_usage_versions", "hq": "metering_details_versions"}[w.source.Name]
		day := w.today()
		if w.bigfix != nil {
			day--
		}
		require.True(t, w.run(day, day).Complete())
		stored := w.query("SELECT count(), uniqExact(load_id) FROM %s", table)
		report := w.run(day, day)
		require.True(t, report.Complete())
		require.Equal(t, len(w.feeds()), report.Count(schema.Unchanged))
		require.Equal(t, stored, w.query("SELECT count(), uniqExact(load_id) FROM %s", table))
		w.requireTruth(day, day)
	}
}

func TestARefusedLoadLeavesTheVersionBefore(t *testing.T) {
	t.Parallel()
	w := bigfixWorld(t, newWarehouse(t), "bfi", bigfixtest.Options{})
	day := w.today() - 2
	require.True(t, w.run(day, day).Complete())
	before := w.readersSee("default", day)

	require.NoError(t, w.bigfix.Clear(day.String()))
	report := w.run(day, day)
	var refusal *run.Refusal
	require.ErrorAs(t, report.Outcomes[0].Err, &refusal)
	require.Contains(t, refusal.Reason, "no rows, although this feed has had rows before")
	require.Equal(t, before, w.readersSee("default", day))
	require.Equal(t, map[schema.Status]int{schema.Published: 1, schema.Refused: 1}, w.statuses())

	w.source.Guards.AllowEmpty = true
	require.True(t, w.run(day, day).Complete())
	require.Equal(t, nothing, w.readersSee("default", day))
}

// A wrong password locks accounts: it is sent once per worker and never again.
func TestWrongCredentialsEndTheRun(t *testing.T) {
	t.Parallel()
	warehouse := newWarehouse(t)
	const slices = 30
	wrong := func(w *world) *world {
		w.api.retries = 4
		w.source.Password = config.NewSecret("guessed")
		return w
	}
	bfi := wrong(bigfixWorld(t, warehouse, "bfi", bigfixtest.Options{}))
	reports := map[*world]run.Report{bfi: bfi.run(bfi.today()-slices, bfi.today()-1)}
	require.LessOrEqual(t, bfi.bigfix.Requests(bigfixtest.TokenPath), bfi.source.Parallel)
	require.Zero(t, bfi.bigfix.Requests(bigfixtest.UsagePath))

	hq := wrong(nexthinkWorld(t, warehouse, "hq"))
	hq.addTargets(slices / 2)
	reports[hq] = hq.run(hq.today(), hq.today())
	require.LessOrEqual(t, hq.faults.Requests(""), hq.source.Parallel)

	for w, report := range reports {
		require.Len(t, report.Outcomes, slices)
		require.GreaterOrEqual(t, report.Untried(), slices-w.source.Parallel)
		require.Equal(t, map[schema.Status]int{schema.Failed: slices - report.Untried()}, w.statuses())
		for _, o := range report.Outcomes {
			require.ErrorContains(t, o.Err, "user and password", "also of what was not tried")
		}
	}
}

// addTargets makes the nexthink source one of so many targets with both lists.
func (w *world) addTargets(n int) {
	target := w.source.Targets[0]
	for i := range n {
		t := target
		t.Name = fmt.Sprintf("%s-%d", target.Name, i)
		if i == 0 {
			w.source.Targets = nil
		}
		w.source.Targets = append(w.source.Targets, t)
	}
}

func TestAServerThatIsDownIsGivenUp(t *testing.T) {
	t.Parallel()
	w := bigfixWorld(t, newWarehouse(t), "bfi", bigfixtest.Options{})
	w.faults.Always(bigfixtest.TokenPath, simfault.Reset())
	report := w.run(w.today()-30, w.today()-1)
	require.False(t, report.Complete())
	// Three in a row are enough, and what the other worker had in hand.
	require.LessOrEqual(t, 30-report.Untried(), 3+w.source.Parallel-1)
	require.Equal(t, map[schema.Status]int{schema.Failed: 30 - report.Untried()}, w.statuses())

	w.faults.Clear()
	require.True(t, w.run(w.today()-30, w.today()-1).Complete())
	w.requireTruth(w.today()-30, w.today()-1)
}

// cancelling ends a context once so many slices have finished.
type cancelling struct {
	nobody
	mu     sync.Mutex
	left   int
	cancel context.CancelCauseFunc
}

var errStop = errors.New("asked to stop")

func (c *cancelling) Finished(run.Outcome) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left--; c.left == 0 {
		c.cancel(errStop)
	}
}

func TestASoftStopFinishesWhatIsInHand(t *testing.T) {
	t.Parallel()
	w := bigfixWorld(t, newWarehouse(t), "bfi", bigfixtest.Options{Latency: 5 * time.Millisecond})
	soft, cancel := context.WithCancelCause(t.Context())
	from, to := w.today()-30, w.today()-1
	report := w.runWith(t.Context(), soft, w.sources(), w.plan(from, to), &cancelling{left: 3, cancel: cancel})

	published := report.Count(schema.Published)
	require.GreaterOrEqual(t, published, 3)
	require.Equal(t, 30, published+report.Untried(), "what was begun is published, and the rest was not begun")
	require.Positive(t, report.Untried())
	seen := w.allThatReadersSee()
	for _, o := range report.Outcomes {
		if o.Tried {
			require.Equal(t, w.truth("default", o.Item.Day), seen("default", o.Item.Day))
		} else {
			require.ErrorIs(t, o.Err, errStop)
			require.True(t, o.Interrupted())
			require.Equal(t, nothing, seen("default", o.Item.Day))
		}
	}
}

func TestAHardStopAbandonsWhatIsInHand(t *testing.T) {
	t.Parallel()
	w := bigfixWorld(t, newWarehouse(t), "bfi", bigfixtest.Options{})
	ctx, cancel := context.WithCancelCause(t.Context())
	from, to := w.today()-30, w.today()-1
	// Three days come in, and while the next are on their way it is stopped.
	three, done := context.WithCancelCause(t.Context())
	w.faults.Next(w.path, nil, nil, nil)
	w.faults.Always(w.path, simfault.After(3000, func(_ http.ResponseWriter, r *http.Request) {
		<-three.Done()
		cancel(errStop)
		<-r.Context().Done()
	}))
	report := w.runWith(ctx, t.Context(), w.sources(), w.plan(from, to), &cancelling{left: 3, cancel: done})

	require.Equal(t, 3, report.Count(schema.Published))
	failed := report.Count(schema.Failed)
	require.Positive(t, failed)
	require.LessOrEqual(t, failed, w.source.Parallel)
	seen := w.allThatReadersSee()
	for _, o := range report.Outcomes {
		if o.Err == nil {
			require.Equal(t, w.truth("default", o.Item.Day), seen("default", o.Item.Day))
			continue
		}
		require.ErrorIs(t, o.Err, errStop)
		require.True(t, o.Interrupted())
		require.Equal(t, nothing, seen("default", o.Item.Day))
	}

	w.faults.Clear()
	require.True(t, w.run(from, to).Complete())
	w.requireTruth(from, to)
}

// What a Portal answers after midnight must not be filed under the day that was
// planned before.
func TestASnapshotWhoseDayEndsDuringThePullFails(t *testing.T) {
	t.Parallel()
	w := nexthinkWorld(t, newWarehouse(t), "hq")
	w.source.Targets[0].Lists = []string{nexthink.ListInstalled}
	day := w.today()
	w.faults.Next(w.path, simfault.Rewrite(func(body string) string {
		w.clock.skipDay()
		return body
	}))
	report := w.run(day, day)
	require.ErrorContains(t, report.Outcomes[0].Err, "the source's day ended during the pull: it is 2026-03-11 there")
	require.Equal(t, map[schema.Status]int{schema.Failed: 1}, w.statuses())
	require.Equal(t, nothing, w.readersSee("visio/installed", day))

	require.True(t, w.run(day, day+1).Complete())
	require.Equal(t, nothing, w.readersSee("visio/installed", day), "that day is over")
	w.requireTruth(day+1, day+1)
}

// spy notes what the run asks of the warehouse.
type spy struct {
	*load.Warehouse
	mu       sync.Mutex
	begun    []uint64
	recorded []int // loads per write of the ledger
}

func (s *spy) Begin(ctx context.Context, h schema.LoadHeader) (run.Load, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begun = append(s.begun, h.LoadID)
	return s.Warehouse.Begin(ctx, h)
}

func (s *spy) Record(ctx context.Context, loads []schema.Load) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.recorded = append(s.recorded, len(loads))
	return s.Warehouse.Record(ctx, loads)
}

func (w *world) runSpied(s *spy, sources []run.Source, p plan.Plan, delay time.Duration) run.Report {
	w.t.Helper()
	return run.New(run.Options{
		Warehouse: s, Sources: sources, PublishDelay: delay, Clock: w.clock.now, Logger: zap.NewNop(), Observer: nobody{},
	}).Run(w.t.Context(), w.t.Context(), p)
}

func TestAnAnswerThatBrokeOffIsPulledAgainAsAWhole(t *testing.T) {
	t.Parallel()
	w := bigfixWorld(t, newWarehouse(t), "bfi", bigfixtest.Options{})
	w.faults.Next(w.path, simfault.CutAfter(3000))
	sources := w.sources()
	sources[0].MaxRetries = 1
	s := &spy{Warehouse: w.warehouse}
	day := w.today() - 1
	report := w.runSpied(s, sources, w.plan(day, day), 0)

	require.True(t, report.Complete())
	w.requireTruth(day, day)
	require.Len(t, s.begun, 2)
	require.NotEqual(t, s.begun[0], s.begun[1], "no row of the first try is among those of the second")
	ledger := w.ledger()
	require.Len(t, ledger, 1, "it is one load in the ledger, published once")
	require.Equal(t, s.begun[1], ledger[0].LoadID)
	require.Equal(t, uint64(2), ledger[0].Requests, "which counts all that was asked for")
}

// counting adds up the records that it is told of.
type counting struct {
	nobody
	rows atomic.Uint64
}

func (c *counting) Rows(_ plan.Item, n uint64) { c.rows.Add(n) }

func TestRowsThatAreReadAgainAreCountedOnce(t *testing.T) {
	t.Parallel()
	w := bigfixWorld(t, newWarehouse(t), "bfi", bigfixtest.Options{})
	day := w.today() - 1
	pass := func() (told, rows uint64) {
		t.Helper()
		sources := w.sources()
		sources[0].MaxRetries = 1
		o := &counting{}
		report := w.runWith(t.Context(), t.Context(), sources, w.plan(day, day), o)
		require.True(t, report.Complete())
		return o.rows.Load(), report.Rows()
	}
	w.faults.Next(w.path, simfault.CutAfter(3000))
	told, rows := pass()
	require.Equal(t, rows, told, "of an answer that broke off")
	require.Positive(t, rows)

	require.NoError(t, w.bigfix.Revise(day.String(), 1))
	told, rows = pass()
	require.Equal(t, rows, told, "of a restatement, which is compared and then loaded")
}

func TestAnAnswerThatKeepsBreakingOffFails(t *testing.T) {
	t.Parallel()
	w := bigfixWorld(t, newWarehouse(t), "bfi", bigfixtest.Options{})
	w.faults.Always(w.path, simfault.CutAfter(3000))
	sources := w.sources()
	sources[0].MaxRetries = 1
	s := &spy{Warehouse: w.warehouse}
	day := w.today() - 1
	report := w.runSpied(s, sources, w.plan(day, day), 0)
	var e *extract.Error
	require.ErrorAs(t, report.Outcomes[0].Err, &e)
	require.Equal(t, extract.Interrupted, e.Class)
	require.Len(t, s.begun, 2)
	require.Equal(t, nothing, w.readersSee("default", day))
	require.Equal(t, map[schema.Status]int{schema.Failed: 1}, w.statuses())
}

// Verified loads that rest for the publish delay at the same time are published
// by one write.
func TestPublicationsAreGathered(t *testing.T) {
	t.Parallel()
	w := bigfixWorld(t, newWarehouse(t), "bfi", bigfixtest.Options{Rows: 20})
	w.source.Parallel = 8
	s := &spy{Warehouse: w.warehouse}
	from, to := w.today()-8, w.today()-1
	require.True(t, w.runSpied(s, w.sources(), w.plan(from, to), time.Second).Complete())
	w.requireTruth(from, to)
	require.Less(t, len(s.recorded), 8, "writes of %v loads", s.recorded)
}

// Two processes load the same day. The answer of the first is older and arrives
// later, so that it is published last: readers keep the newer one.
func TestAnOlderAnswerDoesNotReplaceANewerOne(t *testing.T) {
	t.Parallel()
	for _, published := range []bool{false, true} {
		w := bigfixWorld(t, newWarehouse(t), "bfi", bigfixtest.Options{})
		day := w.today() - 2
		if published {
			require.True(t, w.run(day, day).Complete())
			require.NoError(t, w.bigfix.Revise(day.String(), 1))
		}
		asked, arrive := make(chan struct{}), make(chan struct{})
		w.faults.Next(w.path, func(proper http.Handler) http.Handler {
			return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				older := httptest.NewRecorder()
				proper.ServeHTTP(older, r)
				close(asked)
				<-arrive
				_, _ = rw.Write(older.Body.Bytes())
			})
		})
		first := make(chan run.Report)
		sources, planned := w.sources(), w.plan(day, day)
		go func() { first <- w.runSpied(&spy{Warehouse: w.warehouse}, sources, planned, 0) }()
		<-asked
		require.NoError(t, w.bigfix.Revise(day.String(), 2))
		require.True(t, w.run(day, day).Complete())
		w.requireTruth(day, day)
		close(arrive)
		require.True(t, (<-first).Complete())
		w.requireTruth(day, day)
		last := w.ledger()
		require.Equal(t, last[len(last)-1].LoadID, plan.Current(last, last[0].Slice).LoadID)

		// What came last in time is not the last word: the next pass has nothing to do.
		require.Equal(t, 1, w.run(day, day).Count(schema.Unchanged))
	}
}
