package loadtest

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/load"
	"github.com/meterhouse/meterhouse/schema"
)

const readUsage = "SELECT usage_date, product_id, server_id, hwm_quantity FROM license_usage ORDER BY usage_date, product_id, server_id"

// publish goes through the life of a slice as readers see it.
func (on Harness) publish(t *testing.T) {
	w := Migrated(t, on.Database(t))
	first, _ := Store(t, w, Slice("bfi", 1), Usage(1, 1, 100), Usage(1, 2, 50))
	require.Empty(t, Rows(t, w, readUsage), "a load is invisible until it is published")

	Publish(t, w, Slice("bfi", 1), first)
	require.Equal(t, []string{"2026-03-01 1 1 100", "2026-03-01 1 2 50"}, Rows(t, w, readUsage))

	second, _ := Store(t, w, Slice("bfi", 1), Usage(1, 1, 120))
	require.Equal(t, []string{"2026-03-01 1 1 100", "2026-03-01 1 2 50"}, Rows(t, w, readUsage), "the old version stands until the new one is published")

	Publish(t, w, Slice("bfi", 1), second)
	require.Equal(t, []string{"2026-03-01 1 1 120"}, Rows(t, w, readUsage), "a row that is not in the new version is gone")

	other, _ := Store(t, w, Slice("bfi", 2), Usage(1, 1, 7))
	Publish(t, w, Slice("bfi", 2), other)
	require.Equal(t, []string{"2026-03-01 1 1 120", "2026-03-02 1 1 7"}, Rows(t, w, readUsage), "slices do not disturb each other")

	back := []schema.Load{LedgerRow(Slice("bfi", 1), schema.KindBigFix, first, schema.RolledBack)}
	require.NoError(t, w.Record(t.Context(), back))
	require.Equal(t, []string{"2026-03-01 1 1 100", "2026-03-01 1 2 50", "2026-03-02 1 1 7"}, Rows(t, w, readUsage), "a rollback publishes the old load again")

	empty, _ := Store(t, w, Slice("bfi", 2))
	Publish(t, w, Slice("bfi", 2), empty)
	require.Equal(t, []string{"2026-03-01 1 1 100", "2026-03-01 1 2 50"}, Rows(t, w, readUsage), "a day without rows replaces one with rows")
}

// statusesThatDoNotPublish makes sure that readers never see a load that was
// refused or failed.
func (on Harness) statusesThatDoNotPublish(t *testing.T) {
	w := Migrated(t, on.Database(t))
	id, _ := Store(t, w, Slice("bfi", 1), Usage(1, 1, 100))
	for _, status := range []schema.Status{schema.Refused, schema.Failed, schema.Unchanged} {
		loads := []schema.Load{LedgerRow(Slice("bfi", 1), schema.KindBigFix, id, status)}
		loads[0].PublishedSeq = 9
		require.NoError(t, w.Record(t.Context(), loads))
		require.Zero(t, loads[0].PublishedSeq)
	}
	require.Empty(t, Rows(t, w, readUsage))

	require.NoError(t, w.Record(t.Context(), []schema.Load{LedgerRow(Slice("bfi", 1), schema.KindBigFix, id, schema.Accepted)}))
	require.Equal(t, []string{"2026-03-01 1 1 100"}, Rows(t, w, readUsage))
}

// tie has two processes load the same slice at the same time. Whichever is
// published last, readers see what was asked for last; an operator who decides
// meanwhile has the last word.
func (on Harness) tie(t *testing.T) {
	w := Migrated(t, on.Database(t))
	earlier, _ := Store(t, w, Slice("bfi", 1), Usage(1, 1, 50))
	Publish(t, w, Slice("bfi", 1), earlier)
	a, _ := Store(t, w, Slice("bfi", 1), Usage(1, 1, 100))
	b, _ := Store(t, w, Slice("bfi", 1), Usage(1, 1, 200))
	rows := []schema.Load{
		LedgerRow(Slice("bfi", 1), schema.KindBigFix, max(a, b), schema.Published),
		LedgerRow(Slice("bfi", 1), schema.KindBigFix, min(a, b), schema.Published),
		LedgerRow(Slice("bfi", 1), schema.KindBigFix, earlier, schema.RolledBack),
	}
	var err error
	for i := range rows[:2] {
		rows[i].PublishedSeq, err = w.NextSeq(t.Context())
		require.NoError(t, err)
	}
	require.NoError(t, w.Record(t.Context(), rows[:1]))
	require.NoError(t, w.Record(t.Context(), rows[1:2]))
	want := "2026-03-01 1 1 100"
	if b > a {
		want = "2026-03-01 1 1 200"
	}
	require.Equal(t, []string{want}, Rows(t, w, readUsage), "the higher load id wins for every reader")

	inHand, _ := Store(t, w, Slice("bfi", 1), Usage(1, 1, 300))
	late := LedgerRow(Slice("bfi", 1), schema.KindBigFix, inHand, schema.Published)
	late.PublishedSeq, err = w.NextSeq(t.Context())
	require.NoError(t, err)
	require.NoError(t, w.Record(t.Context(), rows[2:]))
	require.NoError(t, w.Record(t.Context(), []schema.Load{late}))
	require.Equal(t, []string{"2026-03-01 1 1 50"}, Rows(t, w, readUsage), "a load that was in hand does not undo a rollback")
}

func (on Harness) ledger(t *testing.T) {
	w := Migrated(t, on.Database(t))
	require.NoError(t, w.Record(t.Context(), nil))

	full := LedgerRow(Slice("bfi", 1), schema.KindBigFix, 1<<63+1, schema.Published)
	full.Reason, full.Rows, full.Rejects, full.Requests, full.Bytes = "it's new", 1, 2, 3, 1<<40
	full.ContentHash = "0123456789abcdef0123456789abcdef"
	full.SourceAsOf = Some(full.StartedAt)
	full.Partial = `engine "emea" is lost`
	full.PreviousLoadID = 1 << 62
	loads := []schema.Load{
		full,
		LedgerRow(Slice("bfi", 2), schema.KindBigFix, 2, schema.Failed),
		LedgerRow(schema.Slice{Source: "bfi", Feed: "group-5", Day: March(2)}, schema.KindBigFix, 3, schema.Published),
		LedgerRow(schema.Slice{Source: "nx", Feed: "visio/installed", Day: March(3)}, schema.KindNexthink, 4, schema.Published),
	}
	require.NoError(t, w.Record(t.Context(), loads))
	require.Equal(t, []uint64{2, 0, 3, 4}, []uint64{loads[0].PublishedSeq, loads[1].PublishedSeq, loads[2].PublishedSeq, loads[3].PublishedSeq},
		"publications are numbered in place")
	seq, err := w.NextSeq(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 5, seq)

	for name, test := range map[string]struct {
		query load.LedgerQuery
		want  []schema.Load
	}{
		"all":           {load.LedgerQuery{}, loads},
		"a source":      {load.LedgerQuery{Source: "nx"}, loads[3:]},
		"feeds":         {load.LedgerQuery{Source: "bfi", Feeds: []string{"default", "group-9"}}, loads[:2]},
		"from":          {load.LedgerQuery{From: March(3)}, loads[3:]},
		"to":            {load.LedgerQuery{To: March(1)}, loads[:1]},
		"a day":         {load.LedgerQuery{From: March(2), To: March(2)}, loads[1:3]},
		"nothing there": {load.LedgerQuery{Source: "' OR 1 --"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := w.Ledger(t.Context(), test.query)
			require.NoError(t, err)
			require.Equal(t, test.want, got)
		})
	}
}

// recordAgain writes the same rows twice, as after a lost answer.
func (on Harness) recordAgain(t *testing.T) {
	w := Migrated(t, on.Database(t))
	id, _ := Store(t, w, Slice("bfi", 1), Usage(1, 1, 100))
	loads := []schema.Load{LedgerRow(Slice("bfi", 1), schema.KindBigFix, id, schema.Published)}
	require.NoError(t, w.Record(t.Context(), loads))
	before := slices.Clone(loads)
	require.NoError(t, w.Record(t.Context(), loads))

	require.Equal(t, before, loads, "a row that did arrive is written once more as the same row")
	require.Equal(t, []string{"1"}, Rows(t, w, "SELECT count() FROM loads FINAL"))
	require.Equal(t, []string{"2026-03-01 1 1 100"}, Rows(t, w, readUsage), "no row is seen twice")
}

// severalLoaders has two machines load the same slice by mistake: readers see
// the whole version of one of them, and the ledger names both hosts.
func (on Harness) severalLoaders(t *testing.T) {
	o := on.Database(t)
	Migrated(t, o)
	var both sync.WaitGroup
	errs := make([]error, 2)
	for i, host := range []string{"here", "there"} {
		w := Open(t, on.other(o, i))
		both.Go(func() {
			id, _ := Store(t, w, Slice("bfi", 1), Usage(1, 1, int64(100*(i+1))), Usage(2, 1, int64(100*(i+1))))
			row := LedgerRow(Slice("bfi", 1), schema.KindBigFix, id, schema.Published)
			row.Host = host
			errs[i] = w.Record(t.Context(), []schema.Load{row})
		})
	}
	both.Wait()
	require.NoError(t, errors.Join(errs...))
	w := Open(t, o)
	seen := Rows(t, w, "SELECT count(), min(hwm_quantity) = max(hwm_quantity), uniqExact(load_id) FROM license_usage")
	require.Equal(t, []string{"2 1 1"}, seen)
	require.Equal(t, []string{"here", "there"}, Rows(t, w, "SELECT host FROM loads ORDER BY host"))
}
