package wire_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/cmd/internal/wire"
	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/etl/run"
	"github.com/meterhouse/meterhouse/extract/bigfix/bigfixtest"
	"github.com/meterhouse/meterhouse/schema"
)

// refusing is a world in which a guard refuses a day: the first one ever, or the
// restatement of one that readers see.
func refusing(t *testing.T, published bool) (w *world, day schema.Day, seen string) {
	t.Helper()
	w = bigfixWorld(t, newWarehouse(t), "bfi", bigfixtest.Options{})
	day = w.today() - 2
	if published {
		require.True(t, w.run(day, day).Complete())
	}
	seen = w.readersSee("default", day)
	require.NoError(t, w.bigfix.Revise(day.String(), 1))
	w.source.Guards.MinRows = 1_000_000
	return w, day, seen
}

// only is the one outcome of a pass over one day.
func (w *world) only(day schema.Day) run.Outcome {
	w.t.Helper()
	report := w.run(day, day)
	require.Len(w.t, report.Outcomes, 1)
	return report.Outcomes[0]
}

const storedRows = "SELECT count(), uniqExact(load_id) FROM license_usage_versions"

// A refused day is pulled on every pass. As long as the source says the same, the
// first refused load stands for all: nothing is stored again, and it can be
// accepted as if it were the last one, which it is.
func TestARefusedDayThatStaysTheSameIsStoredOnce(t *testing.T) {
	t.Parallel()
	for name, published := range map[string]bool{"never published": false, "a restatement": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, day, seen := refusing(t, published)
			first := w.only(day)
			require.Equal(t, schema.Refused, first.Load.Status)
			stored := w.query(storedRows)
			for range 2 {
				again := w.only(day)
				var refusal *run.Refusal
				require.ErrorAs(t, again.Err, &refusal)
				require.Contains(t, refusal.Reason, "the same as load")
				require.Equal(t, first.Load.LoadID, again.Load.LoadID)
				require.Equal(t, uint64(1), again.Load.Requests, "the source was asked")
				require.Equal(t, stored, w.query(storedRows), "and nothing inserted")
				require.Equal(t, 1, w.statuses()[schema.Refused])
				require.Equal(t, seen, w.readersSee("default", day))
			}

			v, err := plan.Accept(w.ledger(), plan.Publication{
				Slice: first.Load.Slice, Note: "right", Now: w.clock.now().Add(time.Second),
			})
			require.NoError(t, err)
			require.Equal(t, first.Load.LoadID, v.Row.LoadID)
			_, err = run.Republish(t.Context(), (&wire.Warehouse{Warehouse: w.warehouse}).Versions(), v)
			require.NoError(t, err)
			w.requireTruth(day, day)
			require.Equal(t, schema.Unchanged, w.only(day).Load.Status)
		})
	}
}

func TestARefusedDayIsStoredAgain(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]struct {
		then   func(t *testing.T, w *world, first run.Outcome)
		status schema.Status
	}{
		"when the source says something else": {func(t *testing.T, w *world, first run.Outcome) {
			t.Helper()
			require.NoError(t, w.bigfix.Revise(first.Item.Day.String(), 2))
		}, schema.Refused},
		"when the guard lets it pass": {func(_ *testing.T, w *world, _ run.Outcome) {
			w.source.Guards.MinRows = 0
		}, schema.Published},
		"when its rows were pruned": {func(t *testing.T, w *world, _ run.Outcome) {
			t.Helper()
			stock := (&wire.Warehouse{Warehouse: w.warehouse}).Stock()
			retention := plan.Retention{Now: w.clock.now().Add(time.Hour)}
			chosen, err := run.PlanPrune(t.Context(), stock, retention)
			require.NoError(t, err)
			require.Len(t, chosen.Loads, 1)
			_, err = run.Prune(t.Context(), stock, retention, chosen, schema.PrunedLoad{PrunedAt: w.clock.now()})
			require.NoError(t, err)
		}, schema.Refused},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, day, _ := refusing(t, false)
			first := w.only(day)
			require.Equal(t, schema.Refused, first.Load.Status)
			f.then(t, w, first)
			again := w.only(day)
			require.Equal(t, f.status, again.Load.Status)
			require.NotEqual(t, first.Load.LoadID, again.Load.LoadID)
			require.NoError(t, (&wire.Warehouse{Warehouse: w.warehouse}).Versions().VerifyStored(t.Context(), again.Load))
		})
	}
}
