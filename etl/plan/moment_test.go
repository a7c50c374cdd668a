package plan_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/schema"
)

// A row never bears an earlier time than the one that it follows, unless that one
// is of a clock that nobody should follow.
func TestMoment(t *testing.T) {
	t.Parallel()
	now := instant(t, "2026-10-25T00:30:00Z")
	f := func(name string, last, want time.Duration) {
		t.Helper()
		require.Equal(t, now.Add(want), plan.Moment(&schema.Load{FinishedAt: now.Add(last)}, now), name)
	}
	require.Equal(t, now, plan.Moment(nil, now))
	f("as time goes", -time.Hour, 0)
	f("the same moment", 0, 0)
	f("set back by an hour", time.Hour, time.Hour+time.Second)
	f("by the longest time that counts", 24*time.Hour, 24*time.Hour+time.Second)
	f("a clock that was years ahead", 24*time.Hour+time.Second, 0)

	v, err := plan.Rollback(life("published", "published"), plan.Publication{Slice: oneSlice, Note: "wrong", Now: time.Unix(90, 0)})
	require.NoError(t, err)
	require.Equal(t, time.Unix(121, 0).UTC(), v.Row.FinishedAt, "the load that is rolled back is of second 120")
}

// What a source that shows only now answers is not filed under a day that it has
// left: the ledger knows a later one.
func TestAClockSetBackOverMidnight(t *testing.T) {
	t.Parallel()
	feed := snapshot(zone(t, "Europe/Berlin"), 1)
	in := plan.Input{Feeds: []plan.Feed{feed}, Ledger: ledger(t, feed, "2026-03-09 published", "2026-03-10 published", "2026-03-11 failed")}
	in.Ledger[1].FinishedAt = instant(t, "2026-03-10T05:00:00Z")
	in.Ledger[2].FinishedAt = instant(t, "2026-03-10T23:10:00Z") // ten past midnight in Berlin
	f := func(now string, do, skip []string) {
		t.Helper()
		in.Now = instant(t, now)
		p := plan.Sync(in, plan.Options{})
		requireLines(t, do, p.Do)
		requireLines(t, skip, p.Skip)
	}
	f("2026-03-10T22:30:00Z", nil, []string{"2026-03-10 clock_set_back provisional"})
	f("2026-03-10T23:00:00Z", []string{"2026-03-11 failed_before failed"}, nil)

	today := day(t, "2026-03-10")
	in.Now = instant(t, "2026-03-10T22:30:00Z")
	require.Empty(t, plan.Sync(in, plan.Options{Day: &today}).Do, "also when it is asked for")
	require.Empty(t, plan.Range(in, today, today, plan.RangeOptions{Force: true}).Do)
	require.Contains(t, plan.ClockSetBack.Explain(), "clock was set back over midnight")

	// A source whose days can be asked for is not concerned, nor is one whose time
	// zone was configured anew, nor one that a clock was days ahead of.
	past := history(feed.Location, 1)
	in.Feeds, in.Ledger = []plan.Feed{past}, ledger(t, past, "2026-03-09 published", "2026-03-10 published")
	in.Ledger[1].FinishedAt = instant(t, "2026-03-10T23:10:00Z")
	f("2026-03-10T22:30:00Z", []string{"2026-03-09 recheck provisional"}, []string{"2026-03-10 published published"})
	in.Feeds, in.Ledger = []plan.Feed{feed}, ledger(t, feed, "2026-03-11 published")
	f("2026-03-10T22:30:00Z", []string{"2026-03-10 new missing"}, nil)
	in.Ledger[0].FinishedAt = instant(t, "2026-03-12T22:30:00Z")
	f("2026-03-10T22:30:00Z", []string{"2026-03-10 new missing"}, nil)
}
