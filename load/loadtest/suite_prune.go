package loadtest

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/load"
	"github.com/meterhouse/meterhouse/schema"
)

// storedAndDeleted lists the loads there are, deletes one of each table and
// finds the others whole.
func (on Harness) storedAndDeleted(t *testing.T) {
	w := Migrated(t, on.Database(t))
	s := Slice("bfi", 1)
	first, _ := Store(t, w, s, Usage(1, 1, 100), Usage(1, 2, 50))
	second, _ := Store(t, w, s, Usage(1, 1, 120))
	h := schema.LoadHeader{LoadID: 7, Slice: s, Kind: schema.KindBigFix}
	l, err := w.Begin(t.Context(), h)
	require.NoError(t, err)
	require.NoError(t, l.Reject(schema.Reject{Ordinal: 1, Reason: "no product_id", Raw: "{}"}))
	require.NoError(t, l.Finish(t.Context()))
	Publish(t, w, s, second)

	stored := func() map[string][]schema.StoredLoad {
		tables, err := w.Stored(t.Context())
		require.NoError(t, err)
		require.Len(t, tables, len(schema.StoredTables()))
		got := map[string][]schema.StoredLoad{}
		for _, table := range tables {
			require.True(t, len(table.Loads) == 0 || table.Bytes > 0, table.Name)
			got[table.Name] = table.Loads
		}
		return got
	}
	both := []schema.StoredLoad{{LoadID: first, Slice: s, Rows: 2}, {LoadID: second, Slice: s, Rows: 1}}
	if second < first { // in the same millisecond
		both[0], both[1] = both[1], both[0]
	}
	require.Equal(t, map[string][]schema.StoredLoad{
		"license_usage_versions":    both,
		"metering_details_versions": nil,
		"license_totals_versions":   nil,
		"rejected_rows":             {{LoadID: 7, Slice: s, Rows: 1}},
	}, stored())
	before := Rows(t, w, readUsage)

	require.NoError(t, w.DeleteLoads(t.Context(), "license_usage_versions", []uint64{first, 1, 2}))
	require.NoError(t, w.DeleteLoads(t.Context(), "rejected_rows", []uint64{7}))
	require.Equal(t, map[string][]schema.StoredLoad{
		"license_usage_versions":    {{LoadID: second, Slice: s, Rows: 1}},
		"metering_details_versions": nil,
		"license_totals_versions":   nil,
		"rejected_rows":             nil,
	}, stored())
	require.Equal(t, before, Rows(t, w, readUsage))
	require.NoError(t, w.DeleteLoads(t.Context(), "rejected_rows", nil))
}

// prunedAt tells the loads that prune has chosen from all others.
func (on Harness) prunedAt(t *testing.T) {
	w := Migrated(t, on.Database(t))
	require.NoError(t, w.MarkPruned(t.Context(), nil))
	at := time.Date(2026, time.April, 1, 6, 0, 0, 0, time.UTC)
	mark := schema.PrunedLoad{
		StoredLoad: schema.StoredLoad{LoadID: 7, Slice: Slice("bfi", 1), Rows: 10},
		Reason:     "superseded", PrunedAt: at, Host: "host", Version: "v1",
	}
	require.NoError(t, w.MarkPruned(t.Context(), []schema.PrunedLoad{mark}))
	mark.PrunedAt = at.Add(time.Hour) // again, after it was killed
	require.NoError(t, w.MarkPruned(t.Context(), []schema.PrunedLoad{mark}))

	got, err := w.PrunedAt(t.Context(), 7)
	require.NoError(t, err)
	require.Equal(t, at, got)
	got, err = w.PrunedAt(t.Context(), 8)
	require.NoError(t, err)
	require.Zero(t, got)
}

// verifyStored finds a load whole, then without its rows.
func (on Harness) verifyStored(t *testing.T) {
	w := Migrated(t, on.Database(t))
	id, _ := Store(t, w, Slice("bfi", 1), Usage(1, 1, 100), Usage(1, 2, 50))
	row := LedgerRow(Slice("bfi", 1), schema.KindBigFix, id, schema.Published)
	row.Rows = 2
	require.NoError(t, w.VerifyStored(t.Context(), row))
	row.Rejects = 1
	require.ErrorContains(t, w.VerifyStored(t.Context(), row), "rejects: sent 1, stored 0")

	row.Rejects = 0
	require.NoError(t, w.DeleteLoads(t.Context(), "license_usage_versions", []uint64{id}))
	var e *load.VerifyError
	require.ErrorAs(t, w.VerifyStored(t.Context(), row), &e)
	require.Equal(t, []load.Difference{{What: "rows", Sent: 2, Held: 0}}, e.Differences)
	row.Kind = "excel"
	require.ErrorContains(t, w.VerifyStored(t.Context(), row), `no kind of source "excel"`)
}

// storedTablesAreAll compares with the database: a table of loads' rows that
// is not listed would never be pruned.
func (on Harness) storedTablesAreAll(t *testing.T) {
	w := Migrated(t, on.Database(t))
	want := []string{"loads", "pruned_loads"}
	for _, table := range schema.StoredTables() {
		want = append(want, table.Name)
	}
	have := Rows(t, w,
		"SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND name IN (SELECT table FROM system.columns WHERE database = currentDatabase() AND name = 'load_id')")
	for i := range have {
		have[i] = strings.TrimSuffix(have[i], "_local") // of a cluster
	}
	require.ElementsMatch(t, want, have)
}
