package load_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/load"
	"github.com/meterhouse/meterhouse/schema"
)

// published stores rows and publishes them at an hour of the 1st of April.
func published(t *testing.T, w *load.Warehouse, s schema.Slice, hour int, rows ...schema.LicenseUsage) uint64 {
	t.Helper()
	id, totals := store(t, w, s, rows...)
	row := ledgerRow(s, schema.KindBigFix, id, schema.Published)
	row.Rows = totals.Rows
	row.ContentHash = fmt.Sprintf("%032d", id)
	row.FinishedAt = time.Date(2026, time.April, 1, hour, 0, 0, 0, time.UTC)
	row.StartedAt = row.FinishedAt.Add(-time.Minute)
	require.NoError(t, w.Record(t.Context(), []schema.Load{row}))
	return id
}

// finished writes a ledger row of a load that published nothing.
func finished(t *testing.T, w *load.Warehouse, s schema.Slice, hour int, status schema.Status, reason string) {
	t.Helper()
	row := ledgerRow(s, schema.KindBigFix, schema.NewLoadID(time.Now()), status)
	row.Reason, row.FinishedAt = reason, time.Date(2026, time.April, 1, hour, 0, 0, 0, time.UTC)
	row.StartedAt = row.FinishedAt.Add(-time.Hour)
	require.NoError(t, w.Record(t.Context(), []schema.Load{row}))
}

// TestLicensePeak takes the highest day of a month and of a quarter, never a sum
// of days, and the first of several equal days.
func TestLicensePeak(t *testing.T) {
	t.Parallel()
	w := migrated(t, newDatabase(t))
	february := schema.Slice{Source: "bfi", Feed: "default", Day: march(1) - 1}
	published(t, w, february, 6, usage(1, 1, 300))
	published(t, w, slice("bfi", 1), 6, usage(1, 1, 100), usage(1, 2, 50), usage(2, 1, 7))
	published(t, w, slice("bfi", 2), 6, usage(1, 1, 170))
	published(t, w, slice("bfi", 3), 6, usage(1, 1, 100), usage(1, 3, 70))
	published(t, w, schema.Slice{Source: "bfi", Feed: "group-5", Day: march(3)}, 6, usage(1, 1, 1000))

	require.Equal(t, []string{
		"2026-02-28 default Product 1 300 30 1",
		"2026-03-01 default Product 1 150 15 2",
		"2026-03-01 default Product 2 7 0 1",
		"2026-03-02 default Product 1 170 17 1",
		"2026-03-03 default Product 1 170 17 2",
		"2026-03-03 group-5 Product 1 1000 100 1",
	}, rows(t, w, "SELECT usage_date, feed, product_name, hwm_quantity_sum, hwm_cores_sum, servers FROM license_usage_daily ORDER BY usage_date, feed, product_id"))

	require.Equal(t, []string{
		"month 2026-02-01 default 1 2026-02-28 300 1 1",
		"month 2026-03-01 default 1 2026-03-02 170 1 3",
		"month 2026-03-01 default 2 2026-03-01 7 1 1",
		"month 2026-03-01 group-5 1 2026-03-03 1000 1 1",
		"quarter 2026-01-01 default 1 2026-02-28 300 1 4",
		"quarter 2026-01-01 default 2 2026-03-01 7 1 1",
		"quarter 2026-01-01 group-5 1 2026-03-03 1000 1 1",
	}, rows(t, w, "SELECT period_kind, period_start, feed, product_id, peak_day, peak_hwm_quantity_sum, peak_servers, days FROM license_peak ORDER BY period_kind, period_start, feed, product_id"))
}

// TestReconciliation has a product whose servers peak apart, one in a bundle,
// one that the source sums up differently, and those that only one side has; and
// a day without totals.
func TestReconciliation(t *testing.T) {
	t.Parallel()
	w := migrated(t, newDatabase(t))
	bundled := usage(2, 1, 40)
	bundled.BundleID, bundled.BundleName = 7, "Suite"
	published(t, w, slice("bfi", 1), 6, usage(1, 1, 1))
	h := schema.LoadHeader{LoadID: schema.NewLoadID(time.Now()), Slice: slice("bfi", 2), Kind: schema.KindBigFix}
	l, err := w.Begin(t.Context(), h)
	require.NoError(t, err)
	for _, row := range []schema.LicenseUsage{usage(1, 1, 100), usage(1, 2, 60), bundled, usage(2, 2, 5), usage(3, 1, 10), usage(4, 1, 3)} {
		require.NoError(t, l.LicenseUsage(&row))
	}
	total := func(product, bundle int64, quantity sql.Null[int64]) schema.LicenseTotal {
		return schema.LicenseTotal{
			ProductID: product, ProductName: fmt.Sprintf("Product %d", product), MetricID: 4, MetricCodeName: "PVU_SUB_CAP",
			BundleID: bundle, HWMQuantity: quantity,
		}
	}
	users := schema.LicenseTotal{ProductID: 1, ProductName: "Product 1", MetricID: -18783, MetricCodeName: "AUTHORIZED_USER"}
	for _, row := range []schema.LicenseTotal{
		total(1, 0, some[int64](130)), total(2, 7, some[int64](40)), total(2, -1, some[int64](5)), total(3, 0, some[int64](12)),
		total(5, 0, some[int64](9)), users,
	} {
		require.NoError(t, l.LicenseTotal(&row))
	}
	require.NoError(t, l.Finish(t.Context()))
	const question = "SELECT usage_date, product_name, metric_code_name, bundle_id, bundle_name, hwm_quantity_sum, hwm_quantity, difference, servers" +
		" FROM reconciliation ORDER BY product_id, metric_id, bundle_id"
	require.Empty(t, rows(t, w, question))
	publish(t, w, h.Slice, h.LoadID)

	require.Equal(t, []string{
		`2026-03-02 Product 1 AUTHORIZED_USER 0  \N \N \N 0`,
		`2026-03-02 Product 1 PVU_SUB_CAP 0  160 130 30 2`,
		`2026-03-02 Product 2 PVU_SUB_CAP 0  5 5 0 1`,
		`2026-03-02 Product 2 PVU_SUB_CAP 7 Suite 40 40 0 1`,
		`2026-03-02 Product 3 PVU_SUB_CAP 0  10 12 -2 1`,
		`2026-03-02 Product 4 PVU_SUB_CAP 0  3 \N \N 1`,
		`2026-03-02 Product 5 PVU_SUB_CAP 0  \N 9 \N 0`,
	}, rows(t, w, question))
}

// TestRestatementViews publishes a day three times and looks at what changed,
// and at what the warehouse said in between.
func TestRestatementViews(t *testing.T) {
	t.Parallel()
	w := migrated(t, newDatabase(t))
	published(t, w, slice("bfi", 1), 6, usage(1, 1, 100), usage(2, 1, 5), usage(3, 1, 9))
	published(t, w, slice("bfi", 2), 7, usage(1, 1, 1))
	published(t, w, slice("bfi", 1), 8, usage(1, 1, 120), usage(2, 1, 5), usage(4, 1, 2), usage(4, 2, 2))
	published(t, w, slice("bfi", 1), 9, usage(1, 1, 120), usage(2, 1, 5))

	require.Equal(t, []string{
		"2026-03-01 2026-04-01 08:00:00 3 4 1",
		"2026-03-01 2026-04-01 09:00:00 4 2 -2",
	}, rows(t, w, "SELECT day, restated_at, earlier_rows, rows, rows_delta FROM restatements ORDER BY restated_at"))

	require.Equal(t, []string{
		"2026-04-01 08:00:00 Product 1 100 120 20",
		"2026-04-01 08:00:00 Product 3 9 0 -9",
		"2026-04-01 08:00:00 Product 4 0 4 4",
		"2026-04-01 09:00:00 Product 4 4 0 -4",
	}, rows(t, w, "SELECT restated_at, product_name, earlier_hwm_quantity_sum, hwm_quantity_sum, hwm_quantity_delta FROM license_restatements ORDER BY restated_at, product_id"))

	asOf := func(hour int) []string {
		return rows(t, w, fmt.Sprintf("SELECT usage_date, count(), sum(hwm_quantity) FROM license_usage_as_of(ts = '2026-04-01 %02d:00:00') GROUP BY usage_date ORDER BY usage_date", hour))
	}
	require.Empty(t, asOf(5))
	require.Equal(t, []string{"2026-03-01 3 114"}, asOf(6))
	require.Equal(t, []string{"2026-03-01 3 114", "2026-03-02 1 1"}, asOf(7))
	require.Equal(t, []string{"2026-03-01 4 129", "2026-03-02 1 1"}, asOf(8))
	require.Equal(t, []string{"2026-03-01 2 125", "2026-03-02 1 1"}, asOf(23))
}

// TestAsOf publishes a day, restates it, rolls the restatement back, accepts a
// load that was refused and takes that back, too; and asks what readers saw at
// each moment, and in between.
func TestAsOf(t *testing.T) {
	t.Parallel()
	w := migrated(t, newDatabase(t))
	s := slice("bfi", 1)
	operator := func(hour int, id uint64, status schema.Status) {
		row := ledgerRow(s, schema.KindBigFix, id, status)
		row.FinishedAt = time.Date(2026, time.April, 1, hour, 0, 0, 0, time.UTC)
		require.NoError(t, w.Record(t.Context(), []schema.Load{row}))
	}
	first := published(t, w, s, 6, usage(1, 1, 100))
	second := published(t, w, s, 8, usage(1, 1, 120))
	operator(10, first, schema.RolledBack)
	refused, _ := store(t, w, s, usage(1, 1, 7))
	operator(12, refused, schema.Refused)
	operator(14, refused, schema.Accepted)
	operator(16, first, schema.RolledBack)
	operator(18, second, schema.RolledBack)

	for hour, want := range map[int]string{
		5: "", 6: "100", 7: "100", 8: "120", 9: "120", 10: "100", 11: "100",
		12: "100", 13: "100", 14: "7", 15: "7", 16: "100", 17: "100", 18: "120", 23: "120",
	} {
		got := rows(t, w, fmt.Sprintf("SELECT hwm_quantity FROM license_usage_as_of(ts = '2026-04-01 %02d:00:00')", hour))
		require.Equal(t, want, strings.Join(got, " "), "at %d:00", hour)
	}
	require.Equal(t, []string{"120"}, rows(t, w, "SELECT hwm_quantity FROM license_usage"))
	require.Equal(t, []string{"120"}, rows(t, w, "SELECT hwm_quantity FROM license_usage_as_of(ts = now())"))
}

// TestStateViews has a feed with a gap, a failure over a published day, a
// refused day, and one feed that never worked.
func TestStateViews(t *testing.T) {
	t.Parallel()
	w := migrated(t, newDatabase(t))
	published(t, w, slice("bfi", 1), 6, usage(1, 1, 100))
	finished(t, w, slice("bfi", 1), 7, schema.Failed, "timeout")
	published(t, w, slice("bfi", 3), 8, usage(1, 1, 100), usage(2, 1, 100))
	finished(t, w, slice("bfi", 4), 9, schema.Refused, "no rows")
	finished(t, w, slice("bfi", 4), 10, schema.Failed, "no answer")
	finished(t, w, slice("ilmt", 4), 6, schema.Failed, "wrong token")

	require.Equal(t, []string{
		`bfi 2026-03-01 published 1 2 failed timeout 2026-04-01 07:00:00`,
		`bfi 2026-03-02 missing 0 0   \N`,
		`bfi 2026-03-03 published 2 1 published  2026-04-01 08:00:00`,
		`bfi 2026-03-04 failed 0 2 failed no answer 2026-04-01 10:00:00`,
		`ilmt 2026-03-04 failed 0 1 failed wrong token 2026-04-01 06:00:00`,
	}, rows(t, w, "SELECT source, day, state, rows, attempts, last_status, last_reason, last_finished_at FROM coverage ORDER BY source, day"))

	require.Equal(t, []string{
		`bfi 2026-03-03 1 2026-04-01 08:00:00 2026-04-01 08:00:00 failed no answer 2`,
		`ilmt \N \N \N \N failed wrong token 1`,
	}, rows(t, w, "SELECT source, last_day, days_behind = dateDiff('day', last_day, toDate(now('UTC'))), published_at, checked_at, last_status, last_reason, failures_since FROM freshness ORDER BY source"))

	require.Equal(t, []string{
		"2026-03-01 published 60 1 1",
		"2026-03-01 failed 3600 0 0",
		"2026-03-03 published 60 1 1",
		"2026-03-04 refused 3600 0 0",
		"2026-03-04 failed 3600 0 0",
	}, rows(t, w, "SELECT day, status, seconds, published, current FROM load_history WHERE source = 'bfi' ORDER BY day, finished_at"))
}

// TestPartialInViews follows the mark of an incomplete source: it stands with
// the published load until a later pull finds the same and nothing missing.
func TestPartialInViews(t *testing.T) {
	t.Parallel()
	w := migrated(t, newDatabase(t))
	record := func(day, hour int, status schema.Status, partial string) {
		row := ledgerRow(slice("nx", day), schema.KindNexthink, schema.NewLoadID(time.Now()), status)
		row.Partial, row.FinishedAt = partial, time.Date(2026, time.April, 1, hour, 0, 0, 0, time.UTC)
		require.NoError(t, w.Record(t.Context(), []schema.Load{row}))
	}
	record(1, 6, schema.Published, "")
	record(2, 6, schema.Published, "engine lost")
	record(3, 6, schema.Published, "engine lost")
	record(3, 7, schema.Unchanged, "")
	record(4, 6, schema.Published, "engine lost")
	record(4, 7, schema.Unchanged, "engine still lost")
	record(5, 6, schema.Published, "")
	record(5, 7, schema.Unchanged, "engine lost")
	record(6, 6, schema.Published, "engine lost")
	record(6, 7, schema.Published, "")
	record(7, 6, schema.Published, "engine lost")
	record(7, 7, schema.Failed, "")
	record(8, 6, schema.Failed, "engine lost")

	require.Equal(t, []string{
		"1 published ", "2 published engine lost", "3 published ", "4 published engine lost", "5 published ", "6 published ",
		"7 published engine lost", "8 failed ",
	}, rows(t, w, "SELECT toDayOfMonth(day), state, partial FROM coverage ORDER BY day"))
	require.Equal(t, []string{"engine lost", "engine still lost"},
		rows(t, w, "SELECT partial FROM load_history WHERE toDayOfMonth(day) = 4 ORDER BY finished_at"))
}

// TestMeteringSummary tells a list without devices from one that is not there.
func TestMeteringSummary(t *testing.T) {
	t.Parallel()
	w := migrated(t, newDatabase(t))
	metering := func(feed, list string, day int, devices ...schema.MeteringDetail) {
		h := schema.LoadHeader{
			LoadID: schema.NewLoadID(time.Now()), Slice: schema.Slice{Source: "nx", Feed: feed, Day: march(day)},
			Kind: schema.KindNexthink, Target: schema.Target{Metric: "m", Path: []string{"Europe"}, List: list, WindowDays: 30},
		}
		l, err := w.Begin(t.Context(), h)
		require.NoError(t, err)
		for i := range devices {
			devices[i].Ordinal = uint64(i + 1)
			require.NoError(t, l.MeteringDetail(&devices[i]))
		}
		require.NoError(t, l.Finish(t.Context()))
		require.NoError(t, w.Record(t.Context(), []schema.Load{ledgerRow(h.Slice, h.Kind, h.LoadID, schema.Published)}))
	}
	device := func(seconds float64, active bool) schema.MeteringDetail {
		return schema.MeteringDetail{
			Device: "PC", AvgUsageSeconds: some(seconds),
			LastActivity: sql.Null[time.Time]{V: time.Unix(1, 0), Valid: active},
		}
	}
	metering("visio/installed", "installed", 1, device(100, true), device(300, true), device(0, false), schema.MeteringDetail{})
	metering("visio/underusage", "underusage", 1, device(0, false))
	metering("visio/installed", "installed", 2, device(100, true))
	metering("visio/underusage", "underusage", 2)
	metering("visio/installed", "installed", 3, device(100, true))
	metering("a/b/installed", "installed", 1)

	require.Equal(t, []string{
		`a/b 2026-03-01  [] 0 0 \N \N \N 0`,
		`visio 2026-03-01 m ['Europe'] 30 4 1 0.25 133 2`,
		`visio 2026-03-02 m ['Europe'] 30 1 0 0 100 0`,
		`visio 2026-03-03 m ['Europe'] 30 1 \N \N 100 0`,
	}, rows(t, w, "SELECT target, snapshot_date, metric, path, window_days, devices_installed, devices_underused, underused_share, round(avg_usage_seconds), devices_never_active"+
		" FROM metering_summary ORDER BY target, snapshot_date"))
}

// TestDictionary wants every table and view, and a meaning for every column of a
// table.
func TestDictionary(t *testing.T) {
	t.Parallel()
	w := migrated(t, newDatabase(t))
	var out strings.Builder
	require.NoError(t, w.Dictionary(t.Context(), &out))
	for _, m := range schema.Migrations() {
		require.Contains(t, out.String(), "\n## "+m.Object()+"\n\n"+m.Description+"\n")
	}
	require.Contains(t, out.String(), "| first_seen | Nullable(DateTime('UTC')) | First date with one of the packages, UTC; NULL when not given |\n")
	license, _, _ := strings.Cut(out.String()[strings.Index(out.String(), "\n## license_usage\n"):], "\n## metering_details\n")
	require.NotContains(t, license, "|  |", "the view's columns are explained by the table's")
}
