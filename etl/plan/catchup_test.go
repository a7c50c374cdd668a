package plan_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/schema"
)

// TestOldFailuresTakeTurns has 25 days that failed long ago, tried in an order of
// their own, and newer ones that failed too.
func TestOldFailuresTakeTurns(t *testing.T) {
	t.Parallel()
	start := day(t, "2026-02-01")
	feed := history(time.UTC, 2, start)
	in := plan.Input{Feeds: []plan.Feed{feed}, Now: instant(t, "2026-03-01T12:00:00Z")}
	var rows []string
	for d := start; d < start+25; d++ {
		status := "failed"
		if d%2 == 0 {
			status = "refused"
		}
		rows = append(rows, fmt.Sprintf("%s %s", d, status))
	}
	in.Ledger = ledger(t, feed, append(rows, "2026-02-27 failed", "2026-02-28 failed")...)

	p := plan.Sync(in, plan.Options{})
	require.Equal(t, []string{
		"2026-02-28 failed_before failed", "2026-02-27 failed_before failed", "2026-02-26 missed missing",
	}, lines(p.Do[:3]), "the newest days do not wait")
	require.Len(t, p.Do, 3+plan.MaxOldFailures)
	require.Equal(t, start, p.Do[len(p.Do)-1].Day)
	require.Equal(t, []string{
		"2026-03-01 not_yet_due not_yet_due",
		"2026-02-25 postponed failed", "2026-02-24 postponed refused", "2026-02-23 postponed failed", "2026-02-22 postponed refused", "2026-02-21 postponed failed",
	}, lines(p.Skip))

	// A range and a single day are asked for, and do not wait.
	require.Len(t, plan.Range(in, start, start+24, plan.RangeOptions{}).Do, 25)
	require.Len(t, plan.Sync(in, plan.Options{Day: &p.Skip[1].Day}).Do, 1)
}

// TestEveryOldFailureHasItsTurn runs passes in which everything fails again: none
// starves, no pass tries too many, and the newest day is in every pass.
func TestEveryOldFailureHasItsTurn(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		feeds := []plan.Feed{history(time.UTC, rapid.IntRange(0, 4).Draw(t, "recheck")), history(time.UTC, 0)}
		feeds[1].Feed = "group-5"
		now := time.Unix(1_800_000_000, 0)
		today := schema.DayOf(now, time.UTC)
		days := rapid.IntRange(1, 70).Draw(t, "days")
		for i := range feeds {
			feeds[i].HasStart, feeds[i].Start = true, today-schema.Day(days)
		}
		in := plan.Input{Feeds: feeds, Now: now}
		for _, f := range feeds {
			for d := f.Start; d < today; d++ {
				slice := schema.Slice{Source: f.Source, Feed: f.Feed, Day: d}
				if rapid.Bool().Draw(t, "published before") {
					in.Ledger = append(in.Ledger, schema.Load{LoadID: 1, Slice: slice, Status: schema.Published, PublishedSeq: 1})
				}
				in.Ledger = append(in.Ledger, schema.Load{
					LoadID: 2, Slice: slice, Status: schema.Failed,
					FinishedAt: now.Add(-time.Duration(rapid.IntRange(1, 1000).Draw(t, "tried")) * time.Minute),
				})
			}
		}
		tried := map[schema.Slice]bool{}
		for pass := range (days+plan.MaxOldFailures-1)/plan.MaxOldFailures + 1 {
			p := plan.Sync(in, plan.Options{})
			requireOnce(t, p)
			perFeed := map[string]int{}
			newest := 0
			for _, it := range p.Do {
				tried[it.Slice] = true
				if it.Day == today-1 {
					newest++
				}
				if it.Day < today-1 && it.Day < today-schema.Day(feedOf(in, it.Slice).RecheckDays) {
					perFeed[it.Feed]++
				}
				in.Ledger = append(in.Ledger, schema.Load{
					LoadID: uint64(pass) + 3, Slice: it.Slice, Status: schema.Failed, FinishedAt: in.Now,
				})
			}
			require.Equal(t, len(feeds), newest, "every feed's newest day is in every pass")
			for feed, n := range perFeed {
				require.LessOrEqual(t, n, plan.MaxOldFailures, feed)
			}
			in.Now = in.Now.Add(time.Minute)
		}
		require.Len(t, tried, days*len(feeds), "a day was never tried")
	})
}

// TestDeepRecheck pulls long published days again, once in a while. Row n of the
// ledger is of minute n of the 1st of March.
func TestDeepRecheck(t *testing.T) {
	t.Parallel()
	deep := history(time.UTC, 1)
	deep.DeepDays, deep.DeepEvery = 4, 12*time.Hour

	f := func(name string, feed plan.Feed, rows []string, want ...string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := plan.Input{Feeds: []plan.Feed{feed}, Ledger: ledger(t, feed, rows...), Now: instant(t, "2026-03-10T12:00:00Z")}
			for i := range in.Ledger {
				in.Ledger[i].FinishedAt = instant(t, "2026-03-10T00:00:00Z").Add(time.Duration(i-1) * time.Minute)
			}
			requireLines(t, want, plan.Sync(in, plan.Options{}).Do)
		})
	}
	f("published days within it, whose last look is old enough", deep,
		[]string{"2026-03-05 published", "2026-03-06 published", "2026-03-07 published", "2026-03-09 published"},
		"2026-03-09 recheck provisional", "2026-03-06 recheck_deep published")
	f("what the last look came to does not matter", deep,
		[]string{"2026-03-07 failed", "2026-03-08 unchanged", "2026-03-07 published", "2026-03-08 published", "2026-03-06 refused", "2026-03-09 published"},
		"2026-03-09 recheck provisional")
	f("but what went wrong is tried again, as old failures are", deep,
		[]string{"2026-03-05 published", "2026-03-07 published", "2026-03-09 published", "2026-03-05 failed", "2026-03-07 failed"},
		"2026-03-09 recheck provisional", "2026-03-07 failed_before published")
	f("days that are not published are no matter of it", deep,
		[]string{"2026-03-06 failed", "2026-03-09 published"},
		"2026-03-09 recheck provisional")
	late := deep
	late.HasStart, late.Start = true, day(t, "2026-03-09")
	f("it reaches back before the start, as the recheck does", late,
		[]string{"2026-03-06 published", "2026-03-07 published", "2026-03-09 published"},
		"2026-03-09 recheck provisional", "2026-03-07 recheck_deep published", "2026-03-06 recheck_deep published")
	off := deep
	off.DeepDays = 0
	f("0 days turn it off", off, []string{"2026-03-07 published", "2026-03-09 published"}, "2026-03-09 recheck provisional")
	shows := snapshot(time.UTC, 1)
	shows.DeepDays, shows.DeepEvery = 4, time.Hour
	f("a snapshot source has no past days", shows, []string{"2026-03-07 published", "2026-03-10 published"}, "2026-03-10 recheck provisional")
}

// TestDeepRecheckComesRound plays days of two passes each, in which every pull
// finds the same: every published day is looked at within its time, and not much
// more often.
func TestDeepRecheckComesRound(t *testing.T) {
	t.Parallel()
	feed := history(time.UTC, 2, day(t, "2026-01-01"))
	feed.DeepDays, feed.DeepEvery = 10, 72*time.Hour
	in := plan.Input{Feeds: []plan.Feed{feed}, Now: instant(t, "2026-01-02T06:00:00Z")}
	looks := map[schema.Day]int{}
	for range 60 {
		for _, it := range plan.Sync(in, plan.Options{}).Do {
			l := schema.Load{LoadID: uint64(len(in.Ledger) + 1), Slice: it.Slice, Status: schema.Unchanged, FinishedAt: in.Now}
			if it.Published == nil {
				l.Status, l.PublishedSeq = schema.Published, l.LoadID
			}
			if it.Reason == plan.RecheckDeep {
				looks[it.Day]++
			}
			in.Ledger = append(in.Ledger, l)
		}
		in.Now = in.Now.Add(12 * time.Hour)
	}
	for d := feed.Start; d < day(t, "2026-01-20"); d++ {
		require.Equal(t, 2, looks[d], d)
	}
}
