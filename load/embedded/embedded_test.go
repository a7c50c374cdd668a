package embedded_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/meterhouse/meterhouse/load/loadtest"
)

// TestMain runs the tests on one engine, or plays another process's part when
// process_test.go started this binary.
func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		os.Exit(play(role))
	}
	code := loadtest.Main(m)
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// dial connects clickhouse-go to the engine that the tests share.
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
	return conn
}

// methods are the compressions that clickhouse-go can be told to use.
func methods() map[string]clickhouse.CompressionMethod {
	return map[string]clickhouse.CompressionMethod{
		"none": clickhouse.CompressionNone, "lz4": clickhouse.CompressionLZ4, "zstd": clickhouse.CompressionZSTD,
	}
}
