package load_test

import (
	"database/sql"
	"testing"

	"github.com/meterhouse/meterhouse/load"
	"github.com/meterhouse/meterhouse/load/loadtest"
	"github.com/meterhouse/meterhouse/schema"
)

// The tests of this package and the suite speak with the same words.

func migrated(t testing.TB, o load.Options) *load.Warehouse {
	t.Helper()
	return loadtest.Migrated(t, o)
}

func rows(t testing.TB, w *load.Warehouse, sql string) []string {
	t.Helper()
	return loadtest.Rows(t, w, sql)
}

func slice(source string, day int) schema.Slice { return loadtest.Slice(source, day) }

func march(day int) schema.Day { return loadtest.March(day) }

func usage(product, server, quantity int64) schema.LicenseUsage {
	return loadtest.Usage(product, server, quantity)
}

func some[T any](v T) sql.Null[T] { return loadtest.Some(v) }

func store(t testing.TB, w *load.Warehouse, s schema.Slice, rows ...schema.LicenseUsage) (uint64, schema.Totals) {
	t.Helper()
	return loadtest.Store(t, w, s, rows...)
}

func ledgerRow(s schema.Slice, kind string, loadID uint64, status schema.Status) schema.Load {
	return loadtest.LedgerRow(s, kind, loadID, status)
}

func publish(t testing.TB, w *load.Warehouse, s schema.Slice, loadID uint64) {
	t.Helper()
	loadtest.Publish(t, w, s, loadID)
}
