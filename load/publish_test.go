package load_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/load"
	"github.com/meterhouse/meterhouse/schema"
)

const readUsage = "SELECT usage_date, product_id, server_id, hwm_quantity FROM license_usage ORDER BY usage_date, product_id, server_id"

// TestPublish goes through the life of a slice as readers see it.
func TestPublish(t *testing.T) {
	t.Parallel()
	w := migrated(t, newDatabase(t))
	first, _ := store(t, w, slice("bfi", 1), usage(1, 1, 100), usage(1, 2, 50))
	require.Empty(t, rows(t, w, readUsage), "a load is invisible until it is published")

	publish(t, w, slice("bfi", 1), first)
	require.Equal(t, []string{"2026-03-01 1 1 100", "2026-03-01 1 2 50"}, rows(t, w, readUsage))

	second, _ := store(t, w, slice("bfi", 1), usage(1, 1, 120))
	require.Equal(t, []string{"2026-03-01 1 1 100", "2026-03-01 1 2 50"}, rows(t, w, readUsage), "the old version stands until the new one is published")

	publish(t, w, slice("bfi", 1), second)
	require.Equal(t, []string{"2026-03-01 1 1 120"}, rows(t, w, readUsage), "a row that is not in the new version is gone")

	other, _ := store(t, w, slice("bfi", 2), usage(1, 1, 7))
	publish(t, w, slice("bfi", 2), other)
	require.Equal(t, []string{"2026-03-01 1 1 120", "2026-03-02 1 1 7"}, rows(t, w, readUsage), "slices do not disturb each other")

	back := []schema.Load{ledgerRow(slice("bfi", 1), schema.KindBigFix, first, schema.RolledBack)}
	require.NoError(t, w.Record(t.Context(), back))
	require.Equal(t, []string{"2026-03-01 1 1 100", "2026-03-01 1 2 50", "2026-03-02 1 1 7"}, rows(t, w, readUsage), "a rollback publishes the old load again")

	empty, _ := store(t, w, slice("bfi", 2))
	publish(t, w, slice("bfi", 2), empty)
	require.Equal(t, []string{"2026-03-01 1 1 100", "2026-03-01 1 2 50"}, rows(t, w, readUsage), "a day without rows replaces one with rows")
}

// TestStatusesThatDoNotPublish makes sure that readers never see a load that was
// refused or failed.
func TestStatusesThatDoNotPublish(t *testing.T) {
	t.Parallel()
	w := migrated(t, newDatabase(t))
	id, _ := store(t, w, slice("bfi", 1), usage(1, 1, 100))
	for _, status := range []schema.Status{schema.Refused, schema.Failed, schema.Unchanged} {
		loads := []schema.Load{ledgerRow(slice("bfi", 1), schema.KindBigFix, id, status)}
		loads[0].PublishedSeq = 9
		require.NoError(t, w.Record(t.Context(), loads))
		require.Zero(t, loads[0].PublishedSeq)
	}
	require.Empty(t, rows(t, w, readUsage))

	require.NoError(t, w.Record(t.Context(), []schema.Load{ledgerRow(slice("bfi", 1), schema.KindBigFix, id, schema.Accepted)}))
	require.Equal(t, []string{"2026-03-01 1 1 100"}, rows(t, w, readUsage))
}

// TestTie has two processes publish the same slice with the same number, as
// happens when both read the ledger before either wrote to it.
func TestTie(t *testing.T) {
	t.Parallel()
	o := newDatabase(t)
	w := migrated(t, o)
	a, _ := store(t, w, slice("bfi", 1), usage(1, 1, 100))
	b, _ := store(t, w, slice("bfi", 1), usage(1, 1, 200))
	publish(t, w, slice("bfi", 1), max(a, b))
	publish(t, w, slice("bfi", 1), min(a, b))
	require.Equal(t, []string{"1", "2"}, rows(t, w, "SELECT published_seq FROM loads ORDER BY published_seq"))
	exec(t, o, "INSERT INTO loads (load_id, source, feed, day, published_seq) SELECT load_id, source, feed, day, 3 FROM loads")

	want := "2026-03-01 1 1 100"
	if b > a {
		want = "2026-03-01 1 1 200"
	}
	require.Equal(t, []string{want}, rows(t, w, readUsage), "the higher load id wins for every reader")
}

func TestLedger(t *testing.T) {
	t.Parallel()
	w := migrated(t, newDatabase(t))
	require.NoError(t, w.Record(t.Context(), nil))

	full := ledgerRow(slice("bfi", 1), schema.KindBigFix, 1<<63+1, schema.Published)
	full.Reason, full.Rows, full.Rejects, full.Requests, full.Bytes = "it's new", 1, 2, 3, 1<<40
	full.ContentHash = "0123456789abcdef0123456789abcdef"
	full.SourceAsOf = some(full.StartedAt)
	full.Partial = `engine "emea" is lost`
	full.PreviousLoadID = 1 << 62
	loads := []schema.Load{
		full,
		ledgerRow(slice("bfi", 2), schema.KindBigFix, 2, schema.Failed),
		ledgerRow(schema.Slice{Source: "bfi", Feed: "group-5", Day: march(2)}, schema.KindBigFix, 3, schema.Published),
		ledgerRow(schema.Slice{Source: "nx", Feed: "visio/installed", Day: march(3)}, schema.KindNexthink, 4, schema.Published),
	}
	require.NoError(t, w.Record(t.Context(), loads))
	require.Equal(t, []uint64{1, 0, 2, 3}, []uint64{loads[0].PublishedSeq, loads[1].PublishedSeq, loads[2].PublishedSeq, loads[3].PublishedSeq},
		"publications are numbered in place")

	for name, test := range map[string]struct {
		query load.LedgerQuery
		want  []schema.Load
	}{
		"all":           {load.LedgerQuery{}, loads},
		"a source":      {load.LedgerQuery{Source: "nx"}, loads[3:]},
		"feeds":         {load.LedgerQuery{Source: "bfi", Feeds: []string{"default", "group-9"}}, loads[:2]},
		"from":          {load.LedgerQuery{From: march(3)}, loads[3:]},
		"to":            {load.LedgerQuery{To: march(1)}, loads[:1]},
		"a day":         {load.LedgerQuery{From: march(2), To: march(2)}, loads[1:3]},
		"nothing there": {load.LedgerQuery{Source: "' OR 1 --"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := w.Ledger(t.Context(), test.query)
			require.NoError(t, err)
			require.Equal(t, test.want, got)
		})
	}
}

// TestRecordAgain writes the same rows twice, as after a lost answer.
func TestRecordAgain(t *testing.T) {
	t.Parallel()
	w := migrated(t, newDatabase(t))
	id, _ := store(t, w, slice("bfi", 1), usage(1, 1, 100))
	loads := []schema.Load{ledgerRow(slice("bfi", 1), schema.KindBigFix, id, schema.Published)}
	require.NoError(t, w.Record(t.Context(), loads))
	before := slices.Clone(loads)
	require.NoError(t, w.Record(t.Context(), loads))

	require.Equal(t, before, loads, "a row that did arrive is written once more as the same row")
	require.Equal(t, []string{"1"}, rows(t, w, "SELECT count() FROM loads FINAL"))
	require.Equal(t, []string{"2026-03-01 1 1 100"}, rows(t, w, readUsage), "no row is seen twice")
}
