package wire_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/meterhouse/meterhouse/cmd/internal/wire"
	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/etl/run"
	"github.com/meterhouse/meterhouse/load"
	"github.com/meterhouse/meterhouse/schema"
)

// A new day is compared with the days right before it, also when the same run has
// just brought in much older ones.
func TestANewDayIsComparedWithTheDaysBeforeIt(t *testing.T) {
	t.Parallel()
	first, err := schema.ParseDay("2026-03-01")
	require.NoError(t, err)
	small, large := contents{rows: map[int64]int64{}}, contents{rows: map[int64]int64{}}
	for key := range int64(10) {
		large.rows[key] = 1
		if key < 4 {
			small.rows[key] = 1
		}
	}
	source := &scripted{kind: schema.KindBigFix, says: map[string]contents{}}
	for n := range schema.Day(17) { // nine small days, seven large ones and one more small one
		s := schema.Slice{Feed: "default", Day: first + n}
		source.says[source.key(request(s))] = small
		if n >= 9 && n < 16 {
			source.says[source.key(request(s))] = large
		}
	}
	warehouse := &wire.Warehouse{Warehouse: newWarehouse(t)}
	now := time.Date(2026, time.April, 1, 6, 0, 0, 0, time.UTC)
	backfill := func(from, to schema.Day) run.Report {
		ledger, err := warehouse.Ledger(t.Context(), load.LedgerQuery{})
		require.NoError(t, err)
		feed := plan.Feed{Source: "bfi", Kind: schema.KindBigFix, Feed: "default", Location: time.UTC, History: true}
		in := plan.Input{Feeds: []plan.Feed{feed}, Ledger: ledger, Now: now}
		return wire.Runner(wire.RunnerOptions{
			Warehouse: warehouse, Clock: func() time.Time { return now }, Logger: zap.NewNop(), Observer: nobody{},
			Sources: []run.Source{{
				Name: "bfi", Kind: schema.KindBigFix, Location: time.UTC, API: source, Parallel: 1,
				Guards: run.Guards{MaxShrink: 0.5}, Feeds: map[string]run.Feed{"default": {}},
			}},
		}).Run(t.Context(), t.Context(), plan.Range(in, from, to, plan.RangeOptions{}))
	}
	require.True(t, backfill(first+9, first+15).Complete())
	report := backfill(first, first+16)
	require.Equal(t, 9, report.Count(schema.Published))
	require.Equal(t, 1, report.Count(schema.Refused))
	for _, o := range report.Outcomes {
		if o.Item.Day == first+16 {
			require.ErrorContains(t, o.Err, "4 rows against 10 of the median of the last published days")
		}
	}
}
