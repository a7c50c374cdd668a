package plan_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/schema"
)

func TestRange(t *testing.T) {
	t.Parallel()
	now := instant(t, "2026-03-05T12:00:00Z")
	start := day(t, "2026-03-04")

	f := func(name string, feed plan.Feed, force bool, from, to string, rows, do, skip []string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := plan.Input{Feeds: []plan.Feed{feed}, Ledger: ledger(t, feed, rows...), Now: now}
			p := plan.Range(in, day(t, from), day(t, to), plan.RangeOptions{Force: force})
			requireLines(t, do, p.Do)
			requireLines(t, skip, p.Skip)
		})
	}

	f("goes before the start, oldest day first", history(time.UTC, 3, start), false, "2026-03-01", "2026-03-06",
		[]string{"2026-03-02 published", "2026-03-03 failed", "2026-03-04 published"},
		[]string{
			"2026-03-01 missed missing",
			"2026-03-03 failed_before failed",
		},
		[]string{
			"2026-03-02 published provisional",
			"2026-03-04 published provisional",
			"2026-03-05 not_yet_due not_yet_due",
			"2026-03-06 not_yet_due not_yet_due",
		})
	f("by force, but not an incomplete day", history(time.UTC, 0, start), true, "2026-03-02", "2026-03-05",
		[]string{"2026-03-02 published", "2026-03-03 refused"},
		[]string{
			"2026-03-02 forced published",
			"2026-03-03 refused_before refused",
			"2026-03-04 new missing",
		},
		[]string{"2026-03-05 not_yet_due not_yet_due"})
	f("of a snapshot source gives today only", snapshot(time.UTC, 0, start), false, "2026-03-03", "2026-03-06",
		[]string{"2026-03-03 published"},
		[]string{"2026-03-05 new missing"},
		[]string{
			"2026-03-03 published published",
			"2026-03-04 out_of_reach out_of_reach",
			"2026-03-06 not_yet_due not_yet_due",
		})
	f("of a snapshot source, by force too", snapshot(time.UTC, 0, start), true, "2026-03-03", "2026-03-05",
		[]string{"2026-03-03 published", "2026-03-05 published"},
		[]string{"2026-03-05 forced published"},
		[]string{
			"2026-03-03 out_of_reach published",
			"2026-03-04 out_of_reach out_of_reach",
		})
	f("that ends before it begins is empty", history(time.UTC, 0), false, "2026-03-02", "2026-03-01", nil, nil, nil)
}

func TestRangeTakesEachDayForAllFeeds(t *testing.T) {
	t.Parallel()
	one, two := history(time.UTC, 0), history(time.UTC, 0)
	two.Feed = "group-5"
	in := plan.Input{Feeds: []plan.Feed{one, two}, Now: instant(t, "2026-03-05T12:00:00Z")}

	f := func(o plan.RangeOptions, want ...string) {
		t.Helper()
		var got []string
		for _, it := range plan.Range(in, day(t, "2026-03-01"), day(t, "2026-03-02"), o).Do {
			got = append(got, it.Day.String()+" "+it.Feed)
		}
		require.Equal(t, want, got)
	}

	f(plan.RangeOptions{}, "2026-03-01 default", "2026-03-01 group-5", "2026-03-02 default", "2026-03-02 group-5")
	f(plan.RangeOptions{Feed: "group-5"}, "2026-03-01 group-5", "2026-03-02 group-5")
	f(plan.RangeOptions{Source: "nxt"})
}

// A replay asks nobody: every slice named is in the plan, whatever its state,
// with what the guards compare it with.
func TestReplay(t *testing.T) {
	t.Parallel()
	feed := snapshot(time.UTC, 0)
	in := plan.Input{
		Feeds: []plan.Feed{history(time.UTC, 0), feed}, Now: instant(t, "2026-03-05T12:00:00Z"),
		Ledger: ledger(t, feed, "2026-03-01 published 10", "2026-03-02 published 20", "2026-03-03 refused"),
	}
	slice := func(d string) schema.Slice { return schema.Slice{Source: feed.Source, Feed: feed.Feed, Day: day(t, d)} }
	p := plan.Replay(in, []schema.Slice{slice("2026-03-03"), slice("2026-03-02"), slice("2026-02-01"), {Source: "nobody", Feed: "x"}})
	requireLines(t, []string{"2026-03-03 replay refused", "2026-03-02 replay published", "2026-02-01 replay out_of_reach"}, p.Do)
	require.Empty(t, p.Skip)
	require.Equal(t, []plan.DayRows{{Day: p.Do[0].Day - 2, Rows: 10}, {Day: p.Do[0].Day - 1, Rows: 20}}, p.Do[0].Recent)
	require.True(t, p.Do[0].EverRows)
	require.Nil(t, p.Do[0].Published)
	require.EqualValues(t, 20, p.Do[1].Published.Rows)
	require.NotEmpty(t, plan.Replayed.Explain())
}
