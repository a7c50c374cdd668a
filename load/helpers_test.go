package load_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/load"
	"github.com/meterhouse/meterhouse/schema"
)

// databaseName makes a name that no other test has.
func databaseName(t testing.TB) string {
	t.Helper()
	return "t_" + strings.ReplaceAll(uuid.NewString(), "-", "")
}

func open(t testing.TB, o load.Options) *load.Warehouse {
	t.Helper()
	w, err := load.Open(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.Close()) })
	return w
}

// migrated opens a warehouse that has its tables.
func migrated(t testing.TB, o load.Options) *load.Warehouse {
	t.Helper()
	w := open(t, o)
	_, err := w.Migrate(t.Context())
	require.NoError(t, err)
	return w
}

// exec runs what a Warehouse never would.
func exec(t testing.TB, o load.Options, statement string) {
	t.Helper()
	protocol := clickhouse.Native
	if o.Protocol == load.HTTP {
		protocol = clickhouse.HTTP
	}
	conn, err := clickhouse.Open(&clickhouse.Options{
		Protocol: protocol, Addr: o.Addrs,
		Auth: clickhouse.Auth{Database: o.Database, Username: o.User, Password: o.Password()},
	})
	require.NoError(t, err)
	require.NoError(t, conn.Exec(t.Context(), statement))
	require.NoError(t, conn.Close())
}

// query asks w and returns the answer as text.
func query(t testing.TB, w *load.Warehouse, statement, format string) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, w.Query(t.Context(), statement, format, &out))
	return out.String()
}

// rows asks w and returns a line per row, the values separated by spaces.
func rows(t testing.TB, w *load.Warehouse, statement string) []string {
	t.Helper()
	text := strings.TrimSuffix(query(t, w, statement, "TSV"), "\n")
	if text == "" {
		return nil
	}
	return strings.Split(strings.ReplaceAll(text, "\t", " "), "\n")
}

// slice is the default feed of a source on the given day of March 2026.
func slice(source string, day int) schema.Slice {
	return schema.Slice{Source: source, Feed: "default", Day: march(day)}
}

func march(day int) schema.Day {
	return schema.DayOf(time.Date(2026, time.March, day, 0, 0, 0, 0, time.UTC), time.UTC)
}

// usage is a row of a product on a server.
func usage(product, server, quantity int64) schema.LicenseUsage {
	return schema.LicenseUsage{
		ProductID: product, ProductName: fmt.Sprintf("Product %d", product),
		MetricID: 4, MetricCodeName: "PVU_SUB_CAP",
		ServerID: server, Server: schema.Server{Name: fmt.Sprintf("server-%d", server), Cores: some[int32](8)},
		HWMQuantity: quantity, HWMCores: quantity / 10,
	}
}

func some[T any](v T) sql.Null[T] { return sql.Null[T]{V: v, Valid: true} }

// store inserts rows under a new load id and publishes nothing.
func store(t testing.TB, w *load.Warehouse, s schema.Slice, rows ...schema.LicenseUsage) (uint64, schema.Totals) {
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

// ledgerRow is a row of the ledger as a run would write it.
func ledgerRow(s schema.Slice, kind string, loadID uint64, status schema.Status) schema.Load {
	at := time.Date(2026, time.April, 1, 6, 0, 0, 0, time.UTC)
	return schema.Load{
		LoadID: loadID, RunID: uuid.New(), Slice: s, Kind: kind, Status: status,
		ContentHash: schema.NoContent, StartedAt: at, FinishedAt: at.Add(time.Minute), Host: "host", Version: "v1",
	}
}

// publish makes a load the version that readers see.
func publish(t testing.TB, w *load.Warehouse, s schema.Slice, loadID uint64) {
	t.Helper()
	require.NoError(t, w.Record(t.Context(), []schema.Load{ledgerRow(s, schema.KindBigFix, loadID, schema.Published)}))
}
