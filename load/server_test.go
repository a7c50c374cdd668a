//go:build server

package load_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/meterhouse/meterhouse/load"
	"github.com/meterhouse/meterhouse/load/loadtest"
	"github.com/meterhouse/meterhouse/schema"
)

// With the tag "server" the tests run against a real server of version 18.16
// over the native protocol, and fail where none is installed.

var server *loadtest.Server

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "clickhouse-server-")
		if err == nil {
			defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			server, err = loadtest.StartServer(ctx, dir)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		code := m.Run()
		if err := errors.Join(server.Stop(), goleak.Find()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return code
	}())
}

func newDatabase(t testing.TB) load.Options {
	t.Helper()
	return load.Options{
		Protocol: load.Native, Addrs: []string{server.Native}, Database: databaseName(t),
		User: "default", Password: func() string { return loadtest.ServerPassword },
	}
}

func expectedSets() []string { return []string{schema.CoreSet} }

// TestOldServerOverHTTP checks that a server whose HTTP interface the driver
// cannot use is told apart from one that is down.
func TestOldServerOverHTTP(t *testing.T) {
	t.Parallel()
	o := newDatabase(t)
	o.Protocol, o.Addrs = load.HTTP, []string{server.HTTP}

	_, err := load.Open(t.Context(), o)

	var e *load.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, load.Unsupported, e.Class)
	require.ErrorContains(t, err, "clickhouse://")
}

// TestNativeFormats checks the formats that this program makes itself because
// the native protocol has none.
func TestNativeFormats(t *testing.T) {
	t.Parallel()
	const sql = "SELECT 1 AS n, 'a\\tb' AS s, NULL AS none, toDate('2026-03-31') AS d, toDateTime('2026-03-31 12:00:00', 'UTC') AS t, ['x', 'it\\'s'] AS l, 0.5 AS f"
	w := migrated(t, newDatabase(t))
	for format, want := range map[string]string{
		"TSV":          "1\ta\\tb\t\\N\t2026-03-31\t2026-03-31 12:00:00\t['x','it\\'s']\t0.5\n",
		"TSVWithNames": "n\ts\tnone\td\tt\tl\tf\n1\ta\\tb\t\\N\t2026-03-31\t2026-03-31 12:00:00\t['x','it\\'s']\t0.5\n",
		"JSONEachRow":  `{"n":1,"s":"a\tb","none":null,"d":"2026-03-31","t":"2026-03-31 12:00:00","l":["x","it's"],"f":0.5}` + "\n",
	} {
		require.Equal(t, want, query(t, w, sql, format), format)
	}
	require.Equal(t, ""+
		"┌───┬──────┐\n"+
		"│ n │ l    │\n"+
		"├───┼──────┤\n"+
		"│ 7 │ NULL │\n"+
		"└───┴──────┘\n", query(t, w, "SELECT 7 AS n, NULL AS l", "PrettyCompact"))

	err := w.Query(t.Context(), "SELECT 1", "Parquet", t.Output())
	require.ErrorContains(t, err, "TSVWithNames")
}
