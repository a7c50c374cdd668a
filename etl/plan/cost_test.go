package plan_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/schema"
)

// pull is a ledger row whose pull took n requests, 10n rows, 100n bytes and n
// seconds, and ended at the hour.
func pull(feed plan.Feed, day schema.Day, status schema.Status, hour int, n uint64) schema.Load {
	end := time.Date(2026, time.March, 14, hour, 0, 0, 0, time.UTC)
	load := schema.Load{
		LoadID: uint64(hour), Slice: schema.Slice{Source: feed.Source, Feed: feed.Feed, Day: day}, Status: status,
		Requests: n, Rows: 10 * n, Bytes: 100 * n, StartedAt: end.Add(-time.Duration(n) * time.Second), FinishedAt: end,
	}
	if status.Publishes() {
		load.PublishedSeq = load.LoadID
	}
	return load
}

func took(n uint64) plan.Cost {
	return plan.Cost{Requests: n, Rows: 10 * n, Bytes: 100 * n, Seconds: float64(n), Known: true}
}

func about(n uint64) plan.Cost {
	c := took(n)
	c.Estimated = true
	return c
}

func TestCostIsThatOfTheLatestPull(t *testing.T) {
	t.Parallel()
	feed := history(time.UTC, 0)
	only, other := day(t, "2026-03-12"), day(t, "2026-03-02")

	f := func(want plan.Cost, rows ...schema.Load) {
		t.Helper()
		in := plan.Input{Feeds: []plan.Feed{feed}, Ledger: rows, Now: instant(t, "2026-03-15T12:00:00Z")}
		p := plan.Sync(in, plan.Options{Day: &only})
		require.Len(t, p.Do, 1)
		require.Equal(t, want, p.Do[0].Cost)
	}

	f(plan.Cost{}) // nobody can know
	f(took(3), pull(feed, only, schema.Published, 1, 3))
	f(took(3), pull(feed, only, schema.Refused, 1, 3))

	// The latest of the slice, in whatever order the ledger comes.
	f(took(4), pull(feed, only, schema.Published, 1, 3), pull(feed, only, schema.Unchanged, 2, 4))
	f(took(4), pull(feed, only, schema.Unchanged, 2, 4), pull(feed, only, schema.Published, 1, 3))

	// Not what broke off, and not what asked the source for nothing.
	f(took(3), pull(feed, only, schema.Published, 1, 3), pull(feed, only, schema.Failed, 2, 9),
		pull(feed, only, schema.Accepted, 3, 0), pull(feed, only, schema.RolledBack, 4, 0))

	// A slice of its own goes before the feed's latest; without one that is taken.
	f(took(3), pull(feed, only, schema.Published, 1, 3), pull(feed, other, schema.Published, 2, 8))
	f(about(8), pull(feed, other, schema.Published, 2, 8), pull(feed, other+1, schema.Published, 1, 7))
	f(about(8), pull(feed, only, schema.Failed, 3, 1), pull(feed, other, schema.Published, 2, 8))

	// Another feed says nothing.
	group := feed
	group.Feed = "group-5"
	f(plan.Cost{}, pull(group, only, schema.Published, 1, 3))

	// A clock that went back while it was pulled costs no time.
	back := pull(feed, only, schema.Published, 1, 3)
	back.StartedAt = back.FinishedAt.Add(time.Hour)
	want := took(3)
	want.Seconds = 0
	f(want, back)
}

func TestTotalAddsUpWhatIsPulled(t *testing.T) {
	t.Parallel()
	feed, fresh := history(time.UTC, 0), history(time.UTC, 0)
	fresh.Feed = "group-5"
	from, to := day(t, "2026-03-01"), day(t, "2026-03-04")
	in := plan.Input{
		Feeds: []plan.Feed{feed, fresh}, Now: instant(t, "2026-03-15T12:00:00Z"),
		Ledger: []schema.Load{pull(feed, from, schema.Published, 1, 2), pull(feed, from+1, schema.Refused, 2, 5)},
	}
	p := plan.Range(in, from, to, plan.RangeOptions{})
	// The published day is skipped; one day as it was, two estimated, four of which nothing is known.
	require.Equal(t, plan.Total{Requests: 15, Rows: 150, Bytes: 1500, Work: 15 * time.Second, Unknown: 4}, p.Total())
	for _, item := range p.Skip {
		require.Equal(t, plan.Cost{}, item.Cost, "what is not pulled costs nothing")
	}
	require.Equal(t, plan.Total{}, plan.Plan{Skip: p.Skip}.Total())
}
