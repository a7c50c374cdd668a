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

// drawInput is up to four feeds in any zones at any moment, with a ledger of
// anything that may have happened around it.
func drawInput(t *rapid.T) plan.Input {
	in := plan.Input{Now: time.Unix(rapid.Int64Range(1_400_000_000, 2_200_000_000).Draw(t, "now"), 0)}
	zones := rapid.SampledFrom([]string{
		"UTC", "Europe/Berlin", "America/Sao_Paulo", "Pacific/Kiritimati", "Pacific/Pago_Pago",
		"Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Cairo",
	})
	for i := range rapid.IntRange(1, 4).Draw(t, "feeds") {
		loc, err := time.LoadLocation(zones.Draw(t, "zone"))
		require.NoError(t, err)
		today := schema.DayOf(in.Now, loc)
		in.Feeds = append(in.Feeds, plan.Feed{
			Source: "s", Feed: fmt.Sprint("f", i), Location: loc,
			History:     rapid.Bool().Draw(t, "history"),
			HasStart:    rapid.Bool().Draw(t, "has start"),
			Start:       today + schema.Day(rapid.IntRange(-30, 3).Draw(t, "start")),
			RecheckDays: rapid.IntRange(0, 6).Draw(t, "recheck days"),
			DeepDays:    rapid.IntRange(0, 30).Draw(t, "deep days"),
			DeepEvery:   time.Duration(rapid.IntRange(0, 2000).Draw(t, "deep every")) * time.Hour,
		})
	}
	in.Ledger = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) schema.Load {
		f := rapid.SampledFrom(in.Feeds).Draw(t, "feed")
		load := schema.Load{
			LoadID: rapid.Uint64Range(1, 50).Draw(t, "load"),
			Slice: schema.Slice{
				Source: f.Source, Feed: f.Feed,
				Day: schema.DayOf(in.Now, f.Location) + schema.Day(rapid.IntRange(-40, 2).Draw(t, "day")),
			},
			Status: rapid.SampledFrom([]schema.Status{
				schema.Published, schema.Unchanged, schema.Refused, schema.Failed, schema.Accepted,
			}).Draw(t, "status"),
			FinishedAt: in.Now.Add(-time.Duration(rapid.IntRange(0, 2000).Draw(t, "finished")) * time.Hour),
		}
		if load.Status == schema.Published || load.Status == schema.Accepted {
			load.PublishedSeq = rapid.Uint64Range(1, 50).Draw(t, "seq")
		}
		return load
	}), 0, 40).Draw(t, "ledger")
	return in
}

func feedOf(in plan.Input, s schema.Slice) plan.Feed {
	for _, f := range in.Feeds {
		if f.Source == s.Source && f.Feed == s.Feed {
			return f
		}
	}
	panic("BUG: a plan for a feed that is not configured")
}

// requireOnce holds that no slice is named twice.
func requireOnce(t *rapid.T, p plan.Plan) {
	seen := map[schema.Slice]bool{}
	for _, list := range [][]plan.Item{p.Do, p.Skip} {
		for _, it := range list {
			require.False(t, seen[it.Slice], "%v is named twice", it.Slice)
			seen[it.Slice] = true
		}
	}
}

// requirePullable holds that every source is only asked for what it can give.
func requirePullable(t *rapid.T, in plan.Input, p plan.Plan) {
	for _, it := range p.Do {
		f := feedOf(in, it.Slice)
		if f.History {
			require.False(t, in.Now.Before(it.Day.End(f.Location)), "%v has not ended", it.Slice)
		} else {
			require.Equal(t, schema.DayOf(in.Now, f.Location), it.Day, "a snapshot of another day")
		}
	}
}

func TestSyncProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		p := plan.Sync(in, plan.Options{})
		requireOnce(t, p)
		requirePullable(t, in, p)
		for i, it := range p.Do {
			require.True(t, i == 0 || it.Day <= p.Do[i-1].Day, "newest days come first")
			f := feedOf(in, it.Slice)
			require.True(t, it.Published != nil || !f.HasStart || it.Day >= f.Start, "catching up before the start")
			require.True(t, it.Published == nil || it.State == plan.StateProvisional || it.Reason == plan.RecheckDeep ||
				it.Last.Status == schema.Failed || it.Last.Status == schema.Refused, "pulled again for no reason")
		}
		for _, it := range p.Skip {
			require.True(t, it.Reason != plan.AlreadyPublished || it.Published != nil)
			require.True(t, it.Reason != plan.Postponed || it.Last.Status == schema.Failed || it.Last.Status == schema.Refused)
		}
	})
}

func TestSyncAfterEverythingIsPublishedAsksForTheRecheckWindow(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		for i := range in.Feeds {
			in.Feeds[i].DeepDays = 0
		}
		for range 3 { // old failures may have to wait for a later pass
			for _, it := range plan.Sync(in, plan.Options{}).Do {
				in.Ledger = append(in.Ledger, schema.Load{LoadID: 99, Slice: it.Slice, Status: schema.Published, PublishedSeq: 99, FinishedAt: in.Now})
			}
		}
		got := map[schema.Slice]bool{}
		for _, it := range plan.Sync(in, plan.Options{}).Do {
			require.Equal(t, plan.Recheck, it.Reason)
			require.Equal(t, plan.StateProvisional, it.State)
			got[it.Slice] = true
		}
		want := map[schema.Slice]bool{}
		for _, f := range in.Feeds {
			newest, days := schema.DayOf(in.Now, f.Location)-1, f.RecheckDays
			if !f.History {
				newest, days = newest+1, min(days, 1)
			}
			for d := newest - schema.Day(days) + 1; d <= newest; d++ {
				s := schema.Slice{Source: f.Source, Feed: f.Feed, Day: d}
				if hasPublished(in.Ledger, s) {
					want[s] = true
				}
			}
		}
		require.Equal(t, want, got)
	})
}

func TestRangeProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		from := schema.DayOf(in.Now, time.UTC) + schema.Day(rapid.IntRange(-40, 3).Draw(t, "from"))
		to := from + schema.Day(rapid.IntRange(0, 20).Draw(t, "length"))
		force := rapid.Bool().Draw(t, "force")
		p := plan.Range(in, from, to, plan.RangeOptions{Force: force})
		requireOnce(t, p)
		requirePullable(t, in, p)
		require.Len(t, append(p.Do, p.Skip...), len(in.Feeds)*int(to-from+1), "every slice of the range is named")
		for _, it := range p.Do {
			require.Equal(t, it.Published != nil, it.Reason == plan.Forced, "published days only by force")
			require.True(t, force || it.Published == nil)
		}
	})
}

func TestPlanAndCoverageAgree(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		p := plan.Sync(in, plan.Options{})
		planned := map[schema.Slice]plan.State{}
		for _, it := range append(p.Do, p.Skip...) {
			planned[it.Slice] = it.State
		}
		today := schema.DayOf(in.Now, time.UTC)
		for _, s := range plan.Coverage(in, today-40, today+2) {
			if state, ok := planned[s.Slice]; ok {
				require.Equal(t, state, s.State)
			}
		}
	})
}

func hasPublished(ledger []schema.Load, s schema.Slice) bool {
	for _, load := range ledger {
		if load.Slice == s && load.PublishedSeq > 0 {
			return true
		}
	}
	return false
}
