package plan_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/schema"
)

func day(t *testing.T, s string) schema.Day {
	t.Helper()
	d, err := schema.ParseDay(s)
	require.NoError(t, err)
	return d
}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	require.NoError(t, err)
	return loc
}

func instant(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	require.NoError(t, err)
	return at
}

// history is a feed that can be asked for any past day.
func history(loc *time.Location, recheck int, start ...schema.Day) plan.Feed {
	f := plan.Feed{
		Source: "bfi", Kind: schema.KindBigFix, Feed: "default",
		Location: loc, History: true, RecheckDays: recheck,
	}
	for _, d := range start {
		f.Start, f.HasStart = d, true
	}
	return f
}

// snapshot is a feed that only shows now.
func snapshot(loc *time.Location, recheck int, start ...schema.Day) plan.Feed {
	f := history(loc, recheck, start...)
	f.Source, f.Kind, f.Feed, f.History = "nxt", schema.KindNexthink, "visio/installed", false
	return f
}

// ledger writes the rows of a feed's ledger from lines "day status [rows]". Row
// n is load n, finished in minute n, and publishes as number n where its status
// does that.
func ledger(t *testing.T, f plan.Feed, lines ...string) []schema.Load {
	t.Helper()
	loads := make([]schema.Load, 0, len(lines))
	for i, line := range lines {
		n := uint64(i) + 1
		words := strings.Fields(line)
		load := schema.Load{
			LoadID: n, Kind: f.Kind, Rows: 10, Status: schema.Status(words[1]),
			Slice:      schema.Slice{Source: f.Source, Feed: f.Feed, Day: day(t, words[0])},
			FinishedAt: time.Unix(int64(n)*60, 0),
		}
		if len(words) > 2 {
			_, err := fmt.Sscan(words[2], &load.Rows)
			require.NoError(t, err)
		}
		switch load.Status {
		case schema.Published, schema.Accepted, schema.RolledBack:
			load.PublishedSeq = n
		case schema.Unchanged, schema.Refused, schema.Failed:
		}
		loads = append(loads, load)
	}
	return loads
}

// lines writes items as "day reason state" in their order.
func lines(items []plan.Item) []string {
	out := make([]string, 0, len(items))
	for _, it := range items {
		out = append(out, fmt.Sprintf("%s %s %s", it.Day, it.Reason, it.State))
	}
	return out
}

func requireLines(t *testing.T, want []string, items []plan.Item) {
	t.Helper()
	if want == nil {
		want = []string{}
	}
	require.Equal(t, want, lines(items))
}

func TestSync(t *testing.T) {
	t.Parallel()
	start := day(t, "2026-03-01")
	now := instant(t, "2026-03-05T12:00:00Z")

	f := func(name string, feed plan.Feed, rows, do, skip []string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := plan.Sync(plan.Input{Feeds: []plan.Feed{feed}, Ledger: ledger(t, feed, rows...), Now: now}, plan.Options{})
			requireLines(t, do, p.Do)
			requireLines(t, skip, p.Skip)
		})
	}

	f("an empty ledger catches up from the start, newest day first", history(time.UTC, 0, start),
		nil,
		[]string{
			"2026-03-04 new missing",
			"2026-03-03 missed missing",
			"2026-03-02 missed missing",
			"2026-03-01 missed missing",
		},
		[]string{"2026-03-05 not_yet_due not_yet_due"})
	f("what is published is left alone, what went wrong is tried again", history(time.UTC, 0, start),
		[]string{
			"2026-03-01 published",
			"2026-03-02 failed",
			"2026-03-03 refused",
		},
		[]string{
			"2026-03-04 new missing",
			"2026-03-03 refused_before refused",
			"2026-03-02 failed_before failed",
		},
		[]string{
			"2026-03-05 not_yet_due not_yet_due",
			"2026-03-01 published published",
		})
	f("the latest attempt decides what went wrong", history(time.UTC, 0, start),
		[]string{
			"2026-03-01 published", "2026-03-02 published", "2026-03-03 failed", "2026-03-03 refused",
			"2026-03-04 refused", "2026-03-04 failed",
		},
		[]string{
			"2026-03-04 failed_before failed",
			"2026-03-03 refused_before refused",
		},
		[]string{
			"2026-03-05 not_yet_due not_yet_due",
			"2026-03-02 published published",
			"2026-03-01 published published",
		})
	f("the last days that ended are checked again", history(time.UTC, 2, start),
		[]string{
			"2026-03-01 published", "2026-03-02 published", "2026-03-03 published", "2026-03-04 published",
			"2026-03-03 unchanged",
		},
		[]string{
			"2026-03-04 recheck provisional",
			"2026-03-03 recheck provisional",
		},
		[]string{
			"2026-03-05 not_yet_due not_yet_due",
			"2026-03-02 published published",
			"2026-03-01 published published",
		})
	f("readers still see a day whose restatement failed or was refused", history(time.UTC, 1, start),
		[]string{
			"2026-03-01 published", "2026-03-02 published", "2026-03-03 published", "2026-03-04 published",
			"2026-03-03 refused", "2026-03-04 failed",
		},
		[]string{
			"2026-03-04 recheck provisional",
			"2026-03-03 refused_before published",
		},
		[]string{
			"2026-03-05 not_yet_due not_yet_due",
			"2026-03-02 published published",
			"2026-03-01 published published",
		})
	f("and it is tried again after its recheck window, until a look comes to something", history(time.UTC, 1, start),
		[]string{
			"2026-03-01 published", "2026-03-02 published", "2026-03-03 published", "2026-03-04 published",
			"2026-03-01 failed", "2026-03-01 unchanged", "2026-03-02 failed", "2026-03-03 failed", "2026-03-03 rolled_back",
		},
		[]string{
			"2026-03-04 recheck provisional",
			"2026-03-02 failed_before published",
		},
		[]string{
			"2026-03-05 not_yet_due not_yet_due",
			"2026-03-03 published published",
			"2026-03-01 published published",
		})
	f("an accepted load is a published one", history(time.UTC, 0, day(t, "2026-03-04")),
		[]string{"2026-03-04 refused", "2026-03-04 accepted"},
		nil,
		[]string{
			"2026-03-05 not_yet_due not_yet_due",
			"2026-03-04 published published",
		})
	f("the start bounds catching up, not checking again", history(time.UTC, 3, day(t, "2026-03-04")),
		[]string{"2026-03-02 published", "2026-02-20 failed"},
		[]string{
			"2026-03-04 new missing",
			"2026-03-02 recheck provisional",
		},
		[]string{
			"2026-03-05 not_yet_due not_yet_due",
			"2026-03-03 before_start missing",
		})
	f("a start to come asks for nothing yet", history(time.UTC, 0, day(t, "2026-04-01")),
		nil, nil,
		[]string{
			"2026-03-05 not_yet_due not_yet_due",
			"2026-03-04 before_start missing",
		})
	f("without a start only yesterday counts", history(time.UTC, 0),
		[]string{"2026-03-02 failed"},
		[]string{"2026-03-04 new missing"},
		[]string{"2026-03-05 not_yet_due not_yet_due"})
	f("without a start yesterday and the recheck window count", history(time.UTC, 3),
		[]string{"2026-03-03 published"},
		[]string{
			"2026-03-04 new missing",
			"2026-03-03 recheck provisional",
			"2026-03-02 missed missing",
		},
		[]string{"2026-03-05 not_yet_due not_yet_due"})
	f("a snapshot source is asked for today and never for a day that is lost", snapshot(time.UTC, 3, start),
		[]string{"2026-03-01 published", "2026-03-02 failed", "2026-03-03 refused"},
		[]string{"2026-03-05 new missing"},
		[]string{
			"2026-03-04 out_of_reach out_of_reach",
			"2026-03-03 out_of_reach refused",
			"2026-03-02 out_of_reach out_of_reach",
			"2026-03-01 published published",
		})
	f("today's snapshot is tried again when it failed", snapshot(time.UTC, 0),
		[]string{"2026-03-05 failed"},
		[]string{"2026-03-05 failed_before failed"},
		nil)
	f("today's snapshot is checked again", snapshot(time.UTC, 3),
		[]string{"2026-03-05 published"},
		[]string{"2026-03-05 recheck provisional"},
		nil)
	f("today's snapshot is tried again, and one of a day that is over left alone", snapshot(time.UTC, 0, start),
		[]string{"2026-03-04 published", "2026-03-04 failed", "2026-03-05 published", "2026-03-05 failed"},
		[]string{"2026-03-05 failed_before published"},
		[]string{
			"2026-03-04 published published",
			"2026-03-03 out_of_reach out_of_reach",
			"2026-03-02 out_of_reach out_of_reach",
			"2026-03-01 out_of_reach out_of_reach",
		})
	f("today's snapshot is left alone without recheck days", snapshot(time.UTC, 0),
		[]string{"2026-03-05 published"},
		nil,
		[]string{"2026-03-05 published published"})
}

func TestSyncOneDay(t *testing.T) {
	t.Parallel()
	now := instant(t, "2026-03-05T12:00:00Z")
	start := day(t, "2026-03-01")

	f := func(name string, feed plan.Feed, asked string, rows, do, skip []string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			only := day(t, asked)
			in := plan.Input{Feeds: []plan.Feed{feed}, Ledger: ledger(t, feed, rows...), Now: now}
			p := plan.Sync(in, plan.Options{Day: &only})
			requireLines(t, do, p.Do)
			requireLines(t, skip, p.Skip)
		})
	}

	f("never loaded", history(time.UTC, 3, start), "2026-03-02", nil, []string{"2026-03-02 missed missing"}, nil)
	f("inside the recheck window", history(time.UTC, 3, start), "2026-03-02",
		[]string{"2026-03-02 published"}, []string{"2026-03-02 recheck provisional"}, nil)
	f("published, outside the window", history(time.UTC, 0, start), "2026-03-02",
		[]string{"2026-03-02 published"}, []string{"2026-03-02 forced published"}, nil)
	f("before the start, because it was named", history(time.UTC, 0, start), "2025-12-31",
		nil, []string{"2025-12-31 missed missing"}, nil)
	f("today has not ended", history(time.UTC, 0, start), "2026-03-05",
		nil, nil, []string{"2026-03-05 not_yet_due not_yet_due"})
	f("today's snapshot again", snapshot(time.UTC, 0), "2026-03-05",
		[]string{"2026-03-05 published"}, []string{"2026-03-05 forced published"}, nil)
	f("yesterday's snapshot is lost", snapshot(time.UTC, 3), "2026-03-04",
		nil, nil, []string{"2026-03-04 out_of_reach out_of_reach"})
	f("yesterday's snapshot cannot be pulled again", snapshot(time.UTC, 3), "2026-03-04",
		[]string{"2026-03-04 published"}, nil, []string{"2026-03-04 out_of_reach published"})
	f("tomorrow's snapshot has not begun", snapshot(time.UTC, 3), "2026-03-06",
		nil, nil, []string{"2026-03-06 not_yet_due not_yet_due"})
}

func TestSyncKnowsWhenADayHasEndedAtTheSource(t *testing.T) {
	t.Parallel()

	f := func(name, zoneName, now, wantHistory, wantSnapshot string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			loc := zone(t, zoneName)
			p := plan.Sync(plan.Input{
				Feeds: []plan.Feed{history(loc, 0), snapshot(loc, 0)},
				Now:   instant(t, now),
			}, plan.Options{})
			require.Equal(t, []string{wantSnapshot + " new missing", wantHistory + " new missing"}, lines(p.Do))
		})
	}

	f("a second before midnight", "UTC", "2026-03-04T23:59:59Z", "2026-03-03", "2026-03-04")
	f("at midnight", "UTC", "2026-03-05T00:00:00Z", "2026-03-04", "2026-03-05")
	f("east of Greenwich midnight is earlier", "Asia/Tokyo", "2026-03-04T15:00:00Z", "2026-03-04", "2026-03-05")
	f("and a second before it", "Asia/Tokyo", "2026-03-04T14:59:59Z", "2026-03-03", "2026-03-04")
	f("west of Greenwich it is later", "America/Los_Angeles", "2026-03-05T07:59:59Z", "2026-03-03", "2026-03-04")
	f("and then there", "America/Los_Angeles", "2026-03-05T08:00:00Z", "2026-03-04", "2026-03-05")
	f("farthest east", "Pacific/Kiritimati", "2026-03-04T10:00:00Z", "2026-03-04", "2026-03-05")
	f("half hours count", "Asia/Kolkata", "2026-03-04T18:29:59Z", "2026-03-03", "2026-03-04")
	f("new year", "Europe/Berlin", "2025-12-31T23:00:00Z", "2025-12-31", "2026-01-01")
	f("a second before new year", "Europe/Berlin", "2025-12-31T22:59:59Z", "2025-12-30", "2025-12-31")
	f("leap day", "Europe/Berlin", "2028-02-29T23:00:00Z", "2028-02-29", "2028-03-01")
	f("a day of 23 hours ends early", "Europe/Berlin", "2026-03-29T22:00:00Z", "2026-03-29", "2026-03-30")
	f("and not before", "Europe/Berlin", "2026-03-29T21:59:59Z", "2026-03-28", "2026-03-29")
	f("a day of 25 hours ends late", "Europe/Berlin", "2026-10-25T23:00:00Z", "2026-10-25", "2026-10-26")
	f("and not before", "Europe/Berlin", "2026-10-25T22:59:59Z", "2026-10-24", "2026-10-25")
	f("where the clock change skips midnight", "America/Sao_Paulo", "2018-11-04T03:00:00Z", "2018-11-03", "2018-11-04")
	f("and a second before", "America/Sao_Paulo", "2018-11-04T02:59:59Z", "2018-11-02", "2018-11-03")
}

func TestSyncTakesFeedsInTurn(t *testing.T) {
	t.Parallel()
	start := day(t, "2026-03-02")
	one, two := history(time.UTC, 0, start), history(time.UTC, 0, start)
	two.Feed = "group-5"
	other := snapshot(time.UTC, 0, start)
	in := plan.Input{Feeds: []plan.Feed{one, two, other}, Now: instant(t, "2026-03-05T12:00:00Z")}
	in.Ledger = ledger(t, two, "2026-03-03 published")

	f := func(o plan.Options, want ...string) {
		t.Helper()
		var got []string
		for _, it := range plan.Sync(in, o).Do {
			got = append(got, fmt.Sprintf("%s %s/%s", it.Day, it.Source, it.Feed))
		}
		require.Equal(t, want, got)
	}

	f(plan.Options{},
		"2026-03-05 nxt/visio/installed",
		"2026-03-04 bfi/default",
		"2026-03-04 bfi/group-5",
		"2026-03-03 bfi/default",
		"2026-03-02 bfi/default",
		"2026-03-02 bfi/group-5")
	f(plan.Options{Source: "nxt"}, "2026-03-05 nxt/visio/installed")
	f(plan.Options{Feed: "group-5"}, "2026-03-04 bfi/group-5", "2026-03-02 bfi/group-5")
	f(plan.Options{Source: "nxt", Feed: "group-5"})
}

func TestEveryWordIsExplained(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, r := range []plan.Reason{
		plan.New, plan.Missed, plan.FailedBefore, plan.RefusedBefore, plan.Recheck, plan.RecheckDeep, plan.Forced,
		plan.AlreadyPublished, plan.NotYetDue, plan.OutOfReach, plan.BeforeStart, plan.Postponed,
	} {
		require.Contains(t, r.Explain(), " ", "a sentence for %s", r)
		require.False(t, seen[r.Explain()], "%s is explained like another reason", r)
		seen[r.Explain()] = true
	}
	clear(seen)
	for _, s := range []plan.State{
		plan.StatePublished, plan.StateProvisional, plan.StateRefused, plan.StateFailed,
		plan.StateMissing, plan.StateNotYetDue, plan.StateOutOfReach,
	} {
		require.Contains(t, s.Explain(), " ", "a sentence for %s", s)
		require.False(t, seen[s.Explain()], "%s is explained like another state", s)
		seen[s.Explain()] = true
	}
}
