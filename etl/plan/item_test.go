package plan_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/schema"
)

func TestItemCarriesWhatTheEngineNeeds(t *testing.T) {
	t.Parallel()
	feed := history(time.UTC, 0)
	only := day(t, "2026-03-12")

	f := func(rows ...string) plan.Item {
		t.Helper()
		in := plan.Input{Feeds: []plan.Feed{feed}, Ledger: ledger(t, feed, rows...), Now: instant(t, "2026-03-15T12:00:00Z")}
		p := plan.Sync(in, plan.Options{Day: &only})
		require.Len(t, p.Do, 1)
		require.Equal(t, schema.KindBigFix, p.Do[0].Kind)
		return p.Do[0]
	}

	// Nothing in an empty ledger.
	it := f()
	require.Nil(t, it.Published)
	require.Nil(t, it.Last)
	require.Empty(t, it.Recent)
	require.False(t, it.EverRows)

	// The version with the highest sequence, not the newest load.
	it = f("2026-03-12 published", "2026-03-12 published", "2026-03-12 rolled_back", "2026-03-12 refused")
	require.EqualValues(t, 3, it.Published.PublishedSeq)
	require.Equal(t, schema.Refused, it.Last.Status)

	// The latest refused load, whatever came behind it.
	require.Nil(t, f("2026-03-11 refused", "2026-03-12 failed").Refused)
	it = f("2026-03-12 refused 1", "2026-03-12 refused 2", "2026-03-12 published 3", "2026-03-12 failed")
	require.EqualValues(t, 2, it.Refused.Rows)

	// But not one that was accepted once.
	in := plan.Input{Feeds: []plan.Feed{feed}, Ledger: ledger(t, feed, "2026-03-12 refused", "2026-03-12 accepted"), Now: instant(t, "2026-03-15T12:00:00Z")}
	in.Ledger[1].LoadID = in.Ledger[0].LoadID
	require.Nil(t, plan.Sync(in, plan.Options{Day: &only}).Do[0].Refused)

	// Seven published days before it, oldest first, each in the version that readers see.
	it = f(
		"2026-03-01 published 1", "2026-03-02 published 2", "2026-03-03 published 3", "2026-03-04 published 4",
		"2026-03-05 refused 99", "2026-03-06 published 6", "2026-03-07 published 7", "2026-03-08 published 8",
		"2026-03-09 failed 99", "2026-03-10 published 99", "2026-03-10 published 10",
		"2026-03-12 published 99", "2026-03-13 published 99",
	)
	var recent []uint64
	for _, d := range it.Recent {
		require.EqualValues(t, d.Day-day(t, "2026-03-01")+1, d.Rows)
		recent = append(recent, d.Rows)
	}
	require.Equal(t, []uint64{2, 3, 4, 6, 7, 8, 10}, recent)

	// Whether the feed ever had rows that readers saw, even in a version since replaced.
	require.False(t, f("2026-03-01 published 0", "2026-03-02 refused 50").EverRows)
	require.True(t, f("2026-03-13 published 5", "2026-03-13 accepted 0").EverRows)
}

func TestLastIsTheLatestRowOfTheLedger(t *testing.T) {
	t.Parallel()
	feed := history(time.UTC, 0)
	only := day(t, "2026-03-12")
	first := ledger(t, feed, "2026-03-12 published", "2026-03-12 published")
	back := first[0] // a rollback publishes the first load again, later
	back.Status, back.PublishedSeq, back.FinishedAt = schema.RolledBack, 3, time.Unix(600, 0)
	accepted := first[1] // in the same second as the load it repeats
	accepted.Status, accepted.PublishedSeq = schema.Accepted, 4

	f := func(want schema.Status, rows ...schema.Load) {
		t.Helper()
		in := plan.Input{Feeds: []plan.Feed{feed}, Ledger: rows, Now: instant(t, "2026-03-15T12:00:00Z")}
		require.Equal(t, want, plan.Sync(in, plan.Options{Day: &only}).Do[0].Last.Status)
	}

	f(schema.RolledBack, back, first[0], first[1])
	f(schema.RolledBack, first[0], first[1], back)
	f(schema.Accepted, first[0], first[1], accepted)
	f(schema.Accepted, accepted, first[1], first[0])
}

func TestLedgerOfOtherFeedsIsIgnored(t *testing.T) {
	t.Parallel()
	feed := history(time.UTC, 0)
	gone := feed
	gone.Feed = "group-9"
	in := plan.Input{
		Feeds: []plan.Feed{feed}, Ledger: ledger(t, gone, "2026-03-04 published"),
		Now: instant(t, "2026-03-05T12:00:00Z"),
	}
	p := plan.Sync(in, plan.Options{})
	require.Equal(t, []string{"2026-03-04 new missing"}, lines(p.Do))
	require.False(t, p.Do[0].EverRows)
}
