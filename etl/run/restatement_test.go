package run_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/etl/run"
	"github.com/meterhouse/meterhouse/schema"
)

func shift(product int64, metric string, earlier, later int64) schema.Shift {
	return schema.Shift{ProductID: product, ProductName: "P", MetricID: 9, MetricCodeName: metric, Earlier: earlier, Later: later}
}

func TestChangesBeyondTheThreshold(t *testing.T) {
	t.Parallel()
	f := func(above float64, rows [2]int64, shifts []schema.Shift, want ...string) {
		t.Helper()
		var got []string
		for _, c := range run.BeyondThreshold(above, run.Change{What: "rows", Earlier: rows[0], Later: rows[1]}, shifts) {
			got = append(got, c.String())
		}
		require.Equal(t, want, got)
	}
	same := [2]int64{10, 10}

	// More than the share of what it was, in either direction.
	f(0.05, same, []schema.Shift{shift(1, "PVU", 1200, 900), shift(2, "PVU", 100, 105), shift(3, "PVU", 100, 95), shift(4, "PVU", 100, 106)},
		"product 1 (P), PVU: 1200 -> 900 (-25 %)", "product 4 (P), PVU: 100 -> 106 (+6 %)")
	// What came or went is beyond any share; the largest changes come first.
	f(0.99, same, []schema.Shift{shift(1, "PVU", 0, 1), shift(2, "", 7, 0), shift(3, "RVU", 3, 2)},
		"product 2 (P), metric 9: 7 -> 0 (gone)", "product 1 (P), PVU: 0 -> 1 (new)")
	// What moves from one product to another does not cancel out.
	f(0.05, same, []schema.Shift{shift(1, "PVU", 50, 70), shift(2, "PVU", 70, 50)},
		"product 1 (P), PVU: 50 -> 70 (+40 %)", "product 2 (P), PVU: 70 -> 50 (-28.6 %)")
	// Rows count, too, and first.
	f(0.05, [2]int64{100, 90}, []schema.Shift{shift(1, "PVU", 1000, 10)},
		"rows: 100 -> 90 (-10 %)", "product 1 (P), PVU: 1000 -> 10 (-99 %)")
	// 0 tells of every change, NoAlert of none.
	f(0, [2]int64{100, 99}, []schema.Shift{shift(1, "PVU", 1000, 1001)},
		"rows: 100 -> 99 (-1 %)", "product 1 (P), PVU: 1000 -> 1001 (+0.1 %)")
	f(run.NoAlert, [2]int64{100, 0}, []schema.Shift{shift(1, "PVU", 0, 1001)})
	// The source sends what it likes.
	f(0.05, same, []schema.Shift{shift(1, "PVU", -100, -103), shift(2, "PVU", -100, -200)},
		"product 2 (P), PVU: -100 -> -200 (-100 %)")
}

func TestAlert(t *testing.T) {
	t.Parallel()
	a, b := run.Change{What: "rows", Earlier: 4, Later: 2}, run.Change{What: "x", Later: 1}
	f := func(want string, o run.Outcome) {
		t.Helper()
		require.Equal(t, want, o.Alert())
	}
	f("", run.Outcome{})
	f("", run.Outcome{Restated: &run.Restatement{}})
	f("rows: 4 -> 2 (-50 %)", run.Outcome{Restated: &run.Restatement{Beyond: []run.Change{a}}})
	f("rows: 4 -> 2 (-50 %), and 1 more", run.Outcome{Restated: &run.Restatement{Beyond: []run.Change{a, b}}})
}
