package load_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/meterhouse/meterhouse/load"
	"github.com/meterhouse/meterhouse/load/loadtest"
	"github.com/meterhouse/meterhouse/schema"
)

// The tests of this package run against the embedded engine over HTTP. With the
// tag "server" there are those against real servers, too: see server_test.go.

func TestMain(m *testing.M) {
	code := loadtest.Main(m)
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// TestEmbedded holds the embedded engine to what every warehouse can do.
func TestEmbedded(t *testing.T) {
	t.Parallel()
	loadtest.Exercise(t, loadtest.Embedded(t))
}

// newDatabase names a database of the embedded engine that does not exist yet.
func newDatabase(t testing.TB) load.Options {
	t.Helper()
	return loadtest.Embedded(t).Database(t)
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
