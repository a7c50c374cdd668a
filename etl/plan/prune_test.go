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

// storedAll says that the warehouse holds rows of all loads of a ledger, and of
// the others named.
func storedAll(ledger []schema.Load, others ...uint64) []schema.StoredLoad {
	var stored []schema.StoredLoad
	seen := map[uint64]bool{}
	for _, l := range ledger {
		if !seen[l.LoadID] && l.Slice == oneSlice {
			stored = append(stored, schema.StoredLoad{LoadID: l.LoadID, Slice: l.Slice, Rows: l.Rows})
			seen[l.LoadID] = true
		}
	}
	for _, id := range others {
		stored = append(stored, schema.StoredLoad{LoadID: id, Slice: oneSlice, Rows: 1})
	}
	return stored
}

// TestPrune looks from minute 100 at a life whose rows were written in minutes
// 1, 2, 3 and so on.
func TestPrune(t *testing.T) {
	t.Parallel()
	f := func(rows []string, superseded, unpublished int, want ...string) {
		t.Helper()
		ledger := life(rows...)
		var got []string
		for _, p := range plan.Prune(storedAll(ledger), ledger, plan.Retention{
			Superseded: time.Duration(superseded) * time.Minute, Unpublished: time.Duration(unpublished) * time.Minute, Now: time.Unix(6000, 0),
		}) {
			got = append(got, fmt.Sprint(p.LoadID, " ", p.Why))
		}
		require.Equal(t, want, got, rows)
	}
	f([]string{"published"}, 0, 0)
	f([]string{"published", "published"}, 0, 0, "1 superseded")
	f([]string{"published", "published"}, 97, 0, "1 superseded")
	f([]string{"published", "published"}, 98, 0, "1 superseded") // until then, not at that moment
	f([]string{"published", "published"}, 99, 0)                 // seen for one minute of the retention
	f([]string{"published", "published", "rolled_back 1"}, 0, 0, "2 superseded")
	f([]string{"published", "published", "rolled_back 1", "published"}, 96, 0, "1 superseded", "2 superseded")
	f([]string{"published", "published", "rolled_back 1", "published"}, 97, 0, "2 superseded")
	f([]string{"refused", "failed"}, 0, 97, "1 refused", "2 failed")
	f([]string{"refused", "failed"}, 0, 98, "1 refused")
	f([]string{"refused", "failed"}, 0, 99)
	f([]string{"published", "refused", "accepted 2"}, 0, 0, "1 superseded")
	f([]string{"published", "refused", "accepted 2", "rolled_back 1"}, 0, 0, "2 superseded") // it was published once
	f([]string{"published", "refused", "accepted 2", "rolled_back 1"}, 97, 0)
}

// TestPruneOrphans leaves alone what may still be running.
func TestPruneOrphans(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 4, 1, 6, 0, 0, 0, time.UTC)
	old, young, future := schema.NewLoadID(now.Add(-49*time.Hour)), schema.NewLoadID(now.Add(-47*time.Hour)), schema.NewLoadID(now.Add(time.Hour))
	got := plan.Prune(storedAll(nil, old, young, future), nil, plan.Retention{Now: now})
	require.Equal(t, []plan.Prunable{{StoredLoad: schema.StoredLoad{LoadID: old, Slice: oneSlice, Rows: 1}, Why: "orphan"}}, got)
}

// seenAt is the load that readers of license_usage_as_of(at) see of a slice, 0
// for none, written down once more and in the view's own terms.
func seenAt(ledger []schema.Load, s schema.Slice, at time.Time) uint64 {
	var seq, load uint64
	for _, l := range ledger {
		if l.Slice == s && l.PublishedSeq > 0 && !l.FinishedAt.After(at) && (l.PublishedSeq > seq || l.PublishedSeq == seq && l.LoadID > load) {
			seq, load = l.PublishedSeq, l.LoadID
		}
	}
	return load
}

// TestPruneNeverTakesWhatSomebodySees draws any ledger, with clocks that
// disagree and numbers that were given twice, and asks for every moment of the
// retention.
func TestPruneNeverTakesWhatSomebodySees(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		now := time.Unix(1000, 0)
		r := plan.Retention{
			Superseded:  time.Duration(rapid.IntRange(0, 60).Draw(t, "keep superseded")) * time.Second,
			Unpublished: time.Duration(rapid.IntRange(0, 60).Draw(t, "keep unpublished")) * time.Second,
			Now:         now,
		}
		ledger := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) schema.Load {
			s := oneSlice
			load := rapid.Uint64Range(1, 12).Draw(t, "load")
			s.Day += schema.Day(load % 2) // a load belongs to one slice
			l := schema.Load{
				LoadID: load, Slice: s,
				FinishedAt: now.Add(-time.Duration(rapid.IntRange(-5, 80).Draw(t, "age")) * time.Second),
				Status: rapid.SampledFrom([]schema.Status{
					schema.Published, schema.Accepted, schema.RolledBack, schema.Refused, schema.Failed, schema.Unchanged,
				}).Draw(t, "status"),
			}
			if l.Status.Publishes() {
				l.PublishedSeq = rapid.Uint64Range(1, 30).Draw(t, "seq")
			}
			return l
		}), 0, 25).Draw(t, "ledger")
		var stored []schema.StoredLoad
		for id := range uint64(14) {
			stored = append(stored, schema.StoredLoad{LoadID: id, Slice: oneSlice, Rows: 1})
		}

		chosen := map[uint64]string{}
		for _, p := range plan.Prune(stored, ledger, r) {
			chosen[p.LoadID] = p.Why
		}
		for _, s := range []schema.Slice{oneSlice, {Source: oneSlice.Source, Feed: oneSlice.Feed, Day: oneSlice.Day + 1}} {
			require.NotContains(t, chosen, seenAt(ledger, s, time.Unix(1<<40, 0)), "readers see it now")
			for at := now.Add(-r.Superseded); !at.After(now.Add(10 * time.Second)); at = at.Add(time.Second) {
				require.NotContains(t, chosen, seenAt(ledger, s, at), "readers who ask for %s see it", at)
			}
		}
		for _, l := range ledger {
			if why := chosen[l.LoadID]; why == "refused" || why == "failed" {
				require.Greater(t, now.Sub(l.FinishedAt), r.Unpublished)
				require.Zero(t, l.PublishedSeq)
			}
		}
	})
}
