package loadtest

import (
	"bytes"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/load"
	"github.com/meterhouse/meterhouse/schema"
)

// Open opens a warehouse and closes it when the test ends.
func Open(t testing.TB, o load.Options) *load.Warehouse {
	t.Helper()
	w, err := load.Open(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.Close()) })
	return w
}

// Migrated opens a warehouse that has its tables.
func Migrated(t testing.TB, o load.Options) *load.Warehouse {
	t.Helper()
	w := Open(t, o)
	_, err := w.Migrate(t.Context())
	require.NoError(t, err)
	return w
}

// Answer asks w and returns the answer as text.
func Answer(t testing.TB, w *load.Warehouse, statement, format string) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, w.Query(t.Context(), statement, format, &out))
	return out.String()
}

// Rows asks w and returns a line per row, the values separated by spaces.
func Rows(t testing.TB, w *load.Warehouse, statement string) []string {
	t.Helper()
	text := strings.TrimSuffix(Answer(t, w, statement, "TSV"), "\n")
	if text == "" {
		return nil
	}
	return strings.Split(strings.ReplaceAll(text, "\t", " "), "\n")
}

// Slice is the default feed of a source on the given day of March 2026.
func Slice(source string, day int) schema.Slice {
	return schema.Slice{Source: source, Feed: "default", Day: March(day)}
}

// March is a day of March 2026.
func March(day int) schema.Day {
	return schema.DayOf(time.Date(2026, time.March, day, 0, 0, 0, 0, time.UTC), time.UTC)
}

// Usage is a row of a product on a server.
func Usage(product, server, quantity int64) schema.LicenseUsage {
	return schema.LicenseUsage{
		ProductID: product, ProductName: fmt.Sprintf("Product %d", product),
		MetricID: 4, MetricCodeName: "PVU_SUB_CAP",
		ServerID: server, Server: schema.Server{Name: fmt.Sprintf("server-%d", server), Cores: Some[int32](8)},
		HWMQuantity: quantity, HWMCores: quantity / 10,
	}
}

// Some is a value that is there.
func Some[T any](v T) sql.Null[T] { return sql.Null[T]{V: v, Valid: true} }

// Store inserts rows under a new load id and publishes nothing.
func Store(t testing.TB, w *load.Warehouse, s schema.Slice, rows ...schema.LicenseUsage) (uint64, schema.Totals) {
	t.Helper()
	h := schema.LoadHeader{LoadID: schema.NewLoadID(time.Now()), Slice: s, Kind: schema.KindBigFix}
	l, err := w.Begin(t.Context(), h)
	require.NoError(t, err)
	defer l.Abort()
	var totals schema.Totals
	for i := range rows {
		totals.LicenseUsage(&rows[i])
		require.NoError(t, l.LicenseUsage(&rows[i]))
	}
	require.NoError(t, l.Finish(t.Context()))
	return h.LoadID, totals
}

// LedgerRow is a row of the ledger as a run would write it.
func LedgerRow(s schema.Slice, kind string, loadID uint64, status schema.Status) schema.Load {
	at := time.Date(2026, time.April, 1, 6, 0, 0, 0, time.UTC)
	return schema.Load{
		LoadID: loadID, RunID: uuid.New(), Slice: s, Kind: kind, Status: status,
		ContentHash: schema.NoContent, StartedAt: at, FinishedAt: at.Add(time.Minute), Host: "host", Version: "v1",
	}
}

// Publish makes a load the version that readers see.
func Publish(t testing.TB, w *load.Warehouse, s schema.Slice, loadID uint64) {
	t.Helper()
	require.NoError(t, w.Record(t.Context(), []schema.Load{LedgerRow(s, schema.KindBigFix, loadID, schema.Published)}))
}
