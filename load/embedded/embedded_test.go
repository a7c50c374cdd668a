package embedded_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/load/loadtest"
)

func TestMain(m *testing.M) { os.Exit(loadtest.Main(m)) }

// dial connects clickhouse-go to the shared engine.
func dial(t testing.TB, database string, method clickhouse.CompressionMethod) driver.Conn {
	t.Helper()
	e := loadtest.Engine(t)
	conn, err := clickhouse.Open(&clickhouse.Options{
		Protocol:    clickhouse.HTTP,
		Addr:        []string{e.Addr},
		Auth:        clickhouse.Auth{Database: database, Username: e.User, Password: e.Key},
		Compression: &clickhouse.Compression{Method: method},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	require.NoError(t, conn.Ping(t.Context()))
	return conn
}

func TestSpeed(t *testing.T) {
	for _, method := range []clickhouse.CompressionMethod{clickhouse.CompressionNone, clickhouse.CompressionLZ4} {
		conn := dial(t, loadtest.Database(t), method)
		ctx := context.Background()
		require.NoError(t, conn.Exec(ctx, "CREATE TABLE t (id UInt64, s LowCardinality(String), d Date, n Nullable(Float64), a Array(String)) ENGINE = MergeTree ORDER BY id"))
		batch, err := conn.PrepareBatch(ctx, "INSERT INTO t (id, s, d, n, a)")
		require.NoError(t, err)
		start := time.Now()
		for i := range 500_000 {
			require.NoError(t, batch.Append(uint64(i), fmt.Sprint("p", i%100), time.Unix(0, 0), float64(i), []string{"x"}))
		}
		t.Log("append", time.Since(start))
		require.NoError(t, batch.Send())
		t.Log("send", time.Since(start))
		var n, sum uint64
		require.NoError(t, conn.QueryRow(ctx, "SELECT count(), sum(id) FROM t").Scan(&n, &sum))
		require.Equal(t, uint64(500_000), n)
		require.Equal(t, uint64(500_000)*499_999/2, sum)
	}
}
