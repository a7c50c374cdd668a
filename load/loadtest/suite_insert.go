package loadtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/load"
	"github.com/meterhouse/meterhouse/schema"
)

// factRows is how many rows one block of facts holds, so that a test knows when
// the first one has been sent.
const factRows = 65_536

// licenseUsageRow stores one row with everything set and one with nothing
// set, and reads both back through the view.
func (on Harness) licenseUsageRow(t *testing.T) {
	w := Migrated(t, on.Database(t))
	h := schema.LoadHeader{
		LoadID: 1<<64 - 1, Slice: schema.Slice{Source: "bfi-emea", Feed: "group-5", Day: March(31)},
		Kind: schema.KindBigFix, ComputerGroup: 5,
	}
	l, err := w.Begin(t.Context(), h)
	require.NoError(t, err)
	require.NoError(t, l.LicenseUsage(&schema.LicenseUsage{
		ProductID: 1 << 40, ProductName: "Größe \\ 'quoted'", ProductFamilyGUID: "pg",
		MetricID: -3, MetricCodeName: "PVU_FULL_CAP", BundleID: 7, BundleName: "B", BundleGUID: "bg", ServerID: 19,
		Server: schema.Server{
			Name: "LENOVO", Type: Some[int32](0), SerialNumber: "S/N", Vendor: "V", Model: "M",
			TotalProcessors: Some[int32](2), Cores: Some[int32](88), PVUPerCore: Some[int32](100), ActiveComputers: Some[int32](-1),
		},
		HWMQuantity: 8800, HWMCores: 88,
	}))
	require.NoError(t, l.LicenseUsage(&schema.LicenseUsage{ProductID: 1 << 41}))
	require.NoError(t, l.Finish(t.Context()))
	Publish(t, w, h.Slice, h.LoadID)

	require.Equal(t, []string{
		`bfi-emea group-5 5 2026-03-31 1099511627776 Größe \\ \'quoted\' pg -3 PVU_FULL_CAP 7 B bg 19 LENOVO 0 S/N V M 2 88 100 -1 8800 88 18446744073709551615`,
		`bfi-emea group-5 5 2026-03-31 2199023255552   0  0   0  \N    \N \N \N \N 0 0 18446744073709551615`,
	}, Rows(t, w, "SELECT * FROM license_usage ORDER BY product_id"))
}

// licenseTotalRow does the same for a product's total, and verifies it with
// the rows of its load.
func (on Harness) licenseTotalRow(t *testing.T) {
	w := Migrated(t, on.Database(t))
	h := schema.LoadHeader{
		LoadID: 42, Slice: schema.Slice{Source: "bfi-emea", Feed: "group-5", Day: March(31)}, Kind: schema.KindBigFix, ComputerGroup: 5,
	}
	l, err := w.Begin(t.Context(), h)
	require.NoError(t, err)
	var sent schema.Totals
	row := Usage(1, 1, 70)
	sent.LicenseUsage(&row)
	require.NoError(t, l.LicenseUsage(&row))
	for _, total := range []schema.LicenseTotal{
		{
			PublisherName: "IBM", ProductID: 1 << 40, ProductName: "Größe", ProductFamilyGUID: "pg",
			MetricID: -3, MetricName: "a metric", MetricCodeName: "PVU_FULL_CAP",
			BundleID: 7, BundleName: "B", BundleGUID: "bg", BundleType: "FLEXIBLE", FlexID: -1,
			RatioFactor: Some[int64](1), RatioDivider: Some[int64](3), HWMQuantity: Some[int64](8800), HWMPeakTime: "2026-03-31T14:00:00Z",
		},
		{ProductID: 1 << 41},
	} {
		sent.LicenseTotal(&total)
		require.NoError(t, l.LicenseTotal(&total))
	}
	require.NoError(t, l.Reject(schema.Reject{Ordinal: 3, Reason: "product totals: product_id is missing"}))
	sent.Rejects++
	require.NoError(t, l.Finish(t.Context()))
	require.NoError(t, w.Verify(t.Context(), h.Kind, h.LoadID, sent))
	require.Empty(t, Rows(t, w, "SELECT * FROM license_totals"), "nothing is seen before the load is published")
	Publish(t, w, h.Slice, h.LoadID)

	require.Equal(t, []string{
		`bfi-emea group-5 5 2026-03-31 IBM 1099511627776 Größe pg -3 a metric PVU_FULL_CAP 7 B bg FLEXIBLE -1 1 3 8800 2026-03-31T14:00:00Z 42`,
		`bfi-emea group-5 5 2026-03-31  2199023255552   0   0    0 \N \N \N  42`,
	}, Rows(t, w, "SELECT * FROM license_totals ORDER BY product_id"))
}

// meteringDetailRow does the same for a device.
func (on Harness) meteringDetailRow(t *testing.T) {
	w := Migrated(t, on.Database(t))
	at := time.Date(2026, time.March, 31, 6, 0, 1, 0, time.FixedZone("CEST", 2*3600))
	h := schema.LoadHeader{
		LoadID: 42, Slice: schema.Slice{Source: "nx", Feed: "visio/installed", Day: March(31)}, Kind: schema.KindNexthink, RetrievedAt: at,
		Target: schema.Target{
			Metric: "m", Program: "p", Hierarchy: "H", Path: []string{"Europe", "Val d'Isère"},
			List: "installed", WindowDays: 30, Format: "json",
		},
	}
	l, err := w.Begin(t.Context(), h)
	require.NoError(t, err)
	require.NoError(t, l.MeteringDetail(&schema.MeteringDetail{
		Device: "PC1", Entity: "E", AvgUsageSeconds: Some(0.25), AvgExecutions: Some(0.0),
		FirstSeen: Some(at), LastActivity: Some(at.Add(time.Hour)),
		Binaries: []string{"a.exe", "b.exe", "c.exe"}, BinariesUsed: []sql.Null[bool]{Some(true), Some(false), {}},
		Extra: `{"k":1}`, Ordinal: 1,
	}))
	require.NoError(t, l.MeteringDetail(&schema.MeteringDetail{Device: "PC2", Ordinal: 2}))
	require.NoError(t, l.Finish(t.Context()))
	require.NoError(t, w.Record(t.Context(), []schema.Load{LedgerRow(h.Slice, h.Kind, h.LoadID, schema.Published)}))

	const target = `nx visio/installed 2026-03-31 2026-03-31 04:00:01 m p H ['Europe','Val d\'Isère'] installed 30 `
	require.Equal(t, []string{
		target + `PC1 E 0.25 0 2026-03-31 04:00:01 2026-03-31 05:00:01 ['a.exe','b.exe','c.exe'] [1,0,NULL] {"k":1} json 1 42`,
		target + `PC2  \N \N \N \N [] []  json 2 42`,
	}, Rows(t, w, "SELECT * FROM metering_details ORDER BY ordinal"))
}

// manyBlocks sends more rows than blocks are recycled, so that every buffer
// is used again.
func (on Harness) manyBlocks(t *testing.T) {
	const servers, products = 30_000, 10 // 300,000 rows
	w := Migrated(t, on.Database(t))
	h := schema.LoadHeader{LoadID: schema.NewLoadID(time.Now()), Slice: Slice("bfi", 1), Kind: schema.KindBigFix}
	l, err := w.Begin(t.Context(), h)
	require.NoError(t, err)
	defer l.Abort()
	var totals schema.Totals
	for server := range int64(servers) {
		for product := range int64(products) {
			row := Usage(product, server, server*product)
			totals.LicenseUsage(&row)
			require.NoError(t, l.LicenseUsage(&row))
		}
	}
	require.NoError(t, l.Finish(t.Context()))
	require.NoError(t, w.Verify(t.Context(), schema.KindBigFix, h.LoadID, totals))

	Publish(t, w, h.Slice, h.LoadID)
	require.Equal(t, []string{"300000 300000"}, Rows(t, w, "SELECT count(), countIf(hwm_quantity = server_id * product_id"+
		" AND product_name = concat('Product ', toString(product_id)) AND server_name = concat('server-', toString(server_id)) AND server_cores = 8) FROM license_usage"))
}

// compressed inserts through LZ4, which is off by default over loopback.
func (on Harness) compressed(t *testing.T) {
	o := on.Database(t)
	o.Compress = true
	w := Migrated(t, o)

	id, totals := Store(t, w, Slice("bfi", 1), Usage(1, 1, 10), Usage(2, 1, 20))

	require.NoError(t, w.Verify(t.Context(), schema.KindBigFix, id, totals))
}

func (on Harness) rejects(t *testing.T) {
	w := Migrated(t, on.Database(t))
	h := schema.LoadHeader{LoadID: 7, Slice: Slice("bfi", 1), Kind: schema.KindBigFix}
	l, err := w.Begin(t.Context(), h)
	require.NoError(t, err)
	const n = 2500 // several blocks
	for i := range uint64(n) {
		require.NoError(t, l.Reject(schema.Reject{Ordinal: i + 1, Reason: "product_id: missing", Raw: strings.Repeat("x", 5000)}))
	}
	require.NoError(t, l.Finish(t.Context()))

	require.NoError(t, w.Verify(t.Context(), schema.KindBigFix, 7, schema.Totals{Rejects: n}))
	require.Equal(t, []string{"bfi default 2026-03-01 2500 2500 product_id: missing 4096"},
		Rows(t, w, "SELECT source, feed, day, max(ordinal), uniqExact(ordinal), any(reason), max(length(raw)) FROM rejected_rows WHERE load_id = 7 GROUP BY source, feed, day"))
}

func (on Harness) verify(t *testing.T) {
	w := Migrated(t, on.Database(t))
	id, sent := Store(t, w, Slice("bfi", 1), Usage(1, 1, 100), Usage(1, 2, 50))
	require.NoError(t, w.Verify(t.Context(), schema.KindBigFix, id, sent))

	sent.Rows, sent.Rejects, sent.Controls[0] = 3, 1, 151
	var wrong *load.VerifyError
	require.ErrorAs(t, w.Verify(t.Context(), schema.KindBigFix, id, sent), &wrong)
	require.Equal(t, []load.Difference{
		{What: "rows", Sent: 3, Held: 2},
		{What: "rejects", Sent: 1, Held: 0},
		{What: "sum(hwm_quantity)", Sent: 151, Held: 150},
	}, wrong.Differences)
	require.Zero(t, wrong.Duplicates)

	id, sent = Store(t, w, Slice("bfi", 1), Usage(1, 1, 100), Usage(24, 19, 1), Usage(24, 19, 2), Usage(24, 19, 2))
	require.ErrorAs(t, w.Verify(t.Context(), schema.KindBigFix, id, sent), &wrong)
	require.Empty(t, wrong.Differences)
	require.Equal(t, uint64(2), wrong.Duplicates)
	require.Equal(t, "product_id 24, metric_id 4, bundle_id 0, server_id 19", wrong.Example)

	require.ErrorContains(t, w.Verify(t.Context(), "flexera", id, sent), "flexera")
}

// verifyTotals finds a difference in the second table of a load.
func (on Harness) verifyTotals(t *testing.T) {
	w := Migrated(t, on.Database(t))
	h := schema.LoadHeader{LoadID: 7, Slice: Slice("bfi", 1), Kind: schema.KindBigFix}
	l, err := w.Begin(t.Context(), h)
	require.NoError(t, err)
	total := schema.LicenseTotal{ProductID: 24, MetricID: 4, HWMQuantity: Some[int64](5)}
	var sent schema.Totals
	for range 2 {
		sent.LicenseTotal(&total)
		require.NoError(t, l.LicenseTotal(&total))
	}
	require.NoError(t, l.Finish(t.Context()))

	var wrong *load.VerifyError
	require.ErrorAs(t, w.Verify(t.Context(), h.Kind, h.LoadID, sent), &wrong)
	require.Equal(t, "license_totals_versions", wrong.Table)
	require.Empty(t, wrong.Differences)
	require.Equal(t, uint64(1), wrong.Duplicates)
	require.Equal(t, "product_id 24, metric_id 4, bundle_id 0, flex_id 0", wrong.Example)

	sent.LicenseTotal(&total)
	require.ErrorAs(t, w.Verify(t.Context(), h.Kind, h.LoadID, sent), &wrong)
	require.Equal(t, []load.Difference{
		{What: "rows", Sent: 3, Held: 2},
		{What: "sum(ifNull(hwm_quantity, 0))", Sent: 15, Held: 10},
		{What: "count(hwm_quantity)", Sent: 3, Held: 2},
	}, wrong.Differences)
}

// cancelledMidInsert stops a load while blocks are on their way.
func (on Harness) cancelledMidInsert(t *testing.T) {
	w := Migrated(t, on.Database(t))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	h := schema.LoadHeader{LoadID: 7, Slice: Slice("bfi", 1), Kind: schema.KindBigFix}
	l, err := w.Begin(ctx, h)
	require.NoError(t, err)
	defer l.Abort()

	row := Usage(1, 1, 1)
	for i := range 20 * factRows {
		if i == factRows+1 { // the first block is on its way
			cancel()
		}
		row.ServerID = int64(i)
		if err = l.LicenseUsage(&row); err != nil {
			break
		}
	}
	var e *load.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, load.Cancelled, e.Class)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, err, l.Finish(t.Context()), "the load stays failed")
}

// finishIsBounded gives up waiting for acknowledgements when told to.
func (on Harness) finishIsBounded(t *testing.T) {
	w := Migrated(t, on.Database(t))
	l, err := w.Begin(t.Context(), schema.LoadHeader{LoadID: 7, Slice: Slice("bfi", 1), Kind: schema.KindBigFix})
	require.NoError(t, err)
	row := Usage(1, 1, 1)
	require.NoError(t, l.LicenseUsage(&row))
	stop := errors.New("the operator is impatient")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(stop)

	if err := l.Finish(ctx); err != nil { // the block may have been faster
		var e *load.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, load.Cancelled, e.Class)
	}
}

func (on Harness) abort(t *testing.T) {
	w := Migrated(t, on.Database(t))
	l, err := w.Begin(t.Context(), schema.LoadHeader{LoadID: 7, Slice: Slice("bfi", 1), Kind: schema.KindBigFix})
	require.NoError(t, err)
	row := Usage(1, 1, 1)
	require.NoError(t, l.LicenseUsage(&row))
	l.Abort()
	l.Abort()
	require.Empty(t, Rows(t, w, "SELECT * FROM license_usage_versions"))
}

func (on Harness) beginRefuses(t *testing.T) {
	w := Open(t, on.Database(t))
	for name, h := range map[string]schema.LoadHeader{
		"a kind that does not exist": {Kind: "flexera", Slice: Slice("x", 1)},
		"a day before 1970":          {Kind: schema.KindBigFix, Slice: schema.Slice{Day: -1}},
		"a day after 2149":           {Kind: schema.KindBigFix, Slice: schema.Slice{Day: 1 << 16}},
	} {
		_, err := w.Begin(t.Context(), h)
		require.Error(t, err, name)
	}
}

// timesOutsideOfDateTime are errors: the column would show another time.
func (on Harness) timesOutsideOfDateTime(t *testing.T) {
	w := Open(t, on.Database(t))
	for _, year := range []int{1969, 2107} {
		l, err := w.Begin(t.Context(), schema.LoadHeader{LoadID: 7, Slice: Slice("nx", 1), Kind: schema.KindNexthink})
		require.NoError(t, err)
		at := time.Date(year, time.June, 1, 0, 0, 0, 0, time.UTC)
		require.ErrorContains(t, l.MeteringDetail(&schema.MeteringDetail{LastActivity: Some(at)}), fmt.Sprint(year))
		l.Abort()
	}
}

// insertWithoutTables says what is missing instead of only that it failed.
func (on Harness) insertWithoutTables(t *testing.T) {
	w := Open(t, on.Database(t))
	l, err := w.Begin(t.Context(), schema.LoadHeader{LoadID: 7, Slice: Slice("bfi", 1), Kind: schema.KindBigFix})
	require.NoError(t, err)
	row := Usage(1, 1, 1)
	require.NoError(t, l.LicenseUsage(&row))

	err = l.Finish(t.Context())

	var e *load.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, load.Schema, e.Class)
	require.ErrorContains(t, err, "meterhouse migrate")
}
