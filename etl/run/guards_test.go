package run_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/etl/run"
	"github.com/meterhouse/meterhouse/schema"
)

func TestGuards(t *testing.T) {
	t.Parallel()
	defaults := run.Guards{MaxShrink: 0.5, MaxRejects: 0.01}
	published := func(rows uint64) plan.Item {
		return plan.Item{Published: &schema.Load{Rows: rows}, EverRows: rows > 0}
	}
	days := func(rows ...uint64) (recent []plan.DayRows) {
		for i, n := range rows {
			recent = append(recent, plan.DayRows{Day: schema.Day(i), Rows: n})
		}
		return recent
	}
	recent := func(rows ...uint64) plan.Item { return plan.Item{Recent: days(rows...), EverRows: true} }
	type c struct {
		guards  run.Guards
		item    plan.Item
		totals  schema.Totals
		refused string // "" when it passes
	}
	f := func(name string, x c) {
		t.Helper()
		got := x.guards.Check(x.item, x.totals)
		if x.refused == "" {
			require.Nil(t, got, name)
			return
		}
		require.NotNil(t, got, name)
		require.Contains(t, got.Reason, x.refused, name)
	}
	f("a first day of any size", c{defaults, plan.Item{}, schema.Totals{Rows: 3}, ""})
	f("an empty day of a feed that never had rows", c{defaults, plan.Item{}, schema.Totals{}, ""})
	f("an empty day of a feed that had", c{defaults, recent(10, 10), schema.Totals{}, "no rows, although this feed has had rows"})
	f("an empty day that is allowed", c{run.Guards{MaxShrink: 0.5, AllowEmpty: true}, recent(10), schema.Totals{}, ""})
	f("min_rows holds for empty days, too", c{run.Guards{MinRows: 1, MaxShrink: 0.5, AllowEmpty: true}, plan.Item{}, schema.Totals{}, "fewer than guards.min_rows (1)"})
	f("too few", c{run.Guards{MinRows: 100, MaxShrink: 1}, plan.Item{}, schema.Totals{Rows: 99}, "99 rows, fewer than guards.min_rows (100)"})
	f("just enough", c{run.Guards{MinRows: 100, MaxShrink: 1}, plan.Item{}, schema.Totals{Rows: 100}, ""})
	f("half of the version before", c{defaults, published(100), schema.Totals{Rows: 50}, ""})
	f("less than half of it", c{defaults, published(100), schema.Totals{Rows: 49}, "49 rows against 100 of the version published now"})
	f("the version before counts, not the median", c{
		defaults,
		plan.Item{Published: &schema.Load{Rows: 10}, Recent: days(100, 100, 100), EverRows: true},
		schema.Totals{Rows: 6},
		"",
	})
	f("less than half of the median", c{defaults, recent(1000, 100, 90, 110, 5), schema.Totals{Rows: 49}, "49 rows against 100 of the median"})
	f("half of the median, though the mean is higher", c{defaults, recent(1000, 100, 90, 110, 5), schema.Totals{Rows: 50}, ""})
	f("one reject in a hundred", c{defaults, plan.Item{}, schema.Totals{Rows: 99, Rejects: 1}, ""})
	f("two in a hundred", c{defaults, plan.Item{}, schema.Totals{Rows: 98, Rejects: 2}, "2 of 100 rows of the source could not be read"})
	f("nothing but rejects", c{defaults, plan.Item{}, schema.Totals{Rejects: 1}, "1 of 1 rows"})
}
