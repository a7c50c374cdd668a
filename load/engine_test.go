//go:build !server

package load_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/meterhouse/meterhouse/load"
	"github.com/meterhouse/meterhouse/load/loadtest"
	"github.com/meterhouse/meterhouse/schema"
)

// Without a tag the tests run against the embedded engine over HTTP. Use
// `go test -tags server ./load` for a real server, see server_test.go.

func TestMain(m *testing.M) {
	code := loadtest.Main(m)
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// newDatabase names a database that does not exist yet.
func newDatabase(t testing.TB) load.Options {
	t.Helper()
	e := loadtest.Engine(t)
	name := databaseName(t)
	t.Cleanup(func() {
		require.NoError(t, loadtest.Exec(context.Background(), e, "DROP DATABASE IF EXISTS "+name+" SYNC"))
	})
	return load.Options{
		Protocol: load.HTTP, Addrs: []string{e.Addr}, Database: name,
		User: e.User, Password: func() string { return e.Key },
	}
}

func expectedSets() []string { return []string{schema.CoreSet, schema.ViewsSet} }

// TestHTTPFormats leaves the formatting to the server, which knows all formats.
func TestHTTPFormats(t *testing.T) {
	t.Parallel()
	w := migrated(t, newDatabase(t))
	require.Equal(t, "\"n\",\"s\"\n1,\"a\"\n", query(t, w, "SELECT 1 AS n, 'a' AS s", "CSVWithNames"))
	require.Equal(t, "PAR1", query(t, w, "SELECT 1 AS n", "Parquet")[:4])
	require.ErrorContains(t, w.Query(t.Context(), "SELECT 1", "NoSuchFormat", t.Output()), "NoSuchFormat")
}

// BenchmarkInsert measures rows per second from ready rows to acknowledged blocks.
func BenchmarkInsert(b *testing.B) {
	w := migrated(b, newDatabase(b))
	rows := make([]schema.LicenseUsage, 10_000)
	for i := range rows {
		rows[i] = usage(int64(i%50), int64(i/50), int64(i))
	}
	l, err := w.Begin(b.Context(), schema.LoadHeader{LoadID: 1, Slice: slice("bfi", 1), Kind: schema.KindBigFix})
	require.NoError(b, err)
	defer l.Abort()
	n := 0
	for b.Loop() {
		if err := l.LicenseUsage(&rows[n%len(rows)]); err != nil {
			b.Fatal(err)
		}
		n++
	}
	require.NoError(b, l.Finish(b.Context()))
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rows/s")
}
