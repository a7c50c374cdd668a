package plan_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/schema"
)

var oneSlice = schema.Slice{Source: "bfi", Feed: "default", Day: 20543}

// life writes the ledger of one slice from rows "status [load [previous]]". Row n is
// load n, unless it names an earlier one, finished in minute n; it publishes as number
// n where its status does that. Previous is what readers saw, unless it is named. The content of load n is hash n.
func life(rows ...string) []schema.Load {
	var loads []schema.Load
	for i, row := range rows {
		n := uint64(i) + 1
		words := strings.Fields(row)
		l := schema.Load{LoadID: n, Slice: oneSlice, Kind: schema.KindBigFix, Status: schema.Status(words[0]), FinishedAt: time.Unix(int64(n)*60, 0)}
		if len(words) > 1 {
			_, _ = fmt.Sscan(words[1], &l.LoadID)
		}
		l.Rows, l.Requests, l.ContentHash = 10*l.LoadID, 3, fmt.Sprint("hash ", l.LoadID)
		if seen := plan.Current(loads, oneSlice); seen != nil {
			l.PreviousLoadID = seen.LoadID
		}
		if len(words) > 2 {
			_, _ = fmt.Sscan(words[2], &l.PreviousLoadID)
		}
		if l.Status.Publishes() {
			l.PublishedSeq = n
		}
		loads = append(loads, l)
	}
	other := schema.Load{LoadID: 99, Slice: schema.Slice{Source: "bfi", Feed: "default", Day: 1}, Status: schema.Published, PublishedSeq: 99}
	refused := other
	refused.LoadID, refused.Status, refused.PublishedSeq = 98, schema.Refused, 0
	return append(loads, other, refused)
}

func TestAccept(t *testing.T) {
	t.Parallel()
	f := func(rows []string, loadID uint64, force bool, want uint64, refusal string) {
		t.Helper()
		v, err := plan.Accept(life(rows...), plan.Publication{Slice: oneSlice, LoadID: loadID, Force: force, Note: "right", Now: time.Unix(9999, 0)})
		if refusal != "" {
			require.ErrorContains(t, err, refusal)
			return
		}
		require.NoError(t, err)
		require.Equal(t, want, v.Row.LoadID)
		require.Equal(t, schema.Accepted, v.Row.Status)
	}
	f([]string{"refused"}, 0, false, 1, "")
	f([]string{"published", "refused", "failed"}, 0, false, 2, "")
	f([]string{"published", "refused", "refused"}, 0, false, 3, "")
	f([]string{"published", "refused", "refused"}, 2, false, 2, "")
	f(nil, 0, false, 0, "no load of this day was ever refused")
	f([]string{"published"}, 0, false, 0, "no load of this day was ever refused")
	f([]string{"published", "refused"}, 1, false, 0, "load 1 was not refused, it is published")
	f([]string{"published", "refused"}, 98, false, 0, "this day has no load 98") // it is another day's
	f([]string{"refused", "published"}, 0, false, 0, "load 1 was refused at 1970-01-01 00:01:00 UTC, and load 2 came later (published at 1970-01-01 00:02:00 UTC)")
	f([]string{"refused", "published"}, 0, true, 1, "")
	f([]string{"published", "refused", "unchanged"}, 0, false, 0, "load 3 came later (unchanged")
	f([]string{"published", "refused", "unchanged"}, 0, true, 2, "")
	f([]string{"published", "refused", "accepted 2"}, 0, true, 0, "load 2 is what readers see already")
	f([]string{"published", "refused", "accepted 2", "rolled_back 1"}, 0, false, 0, "load 1 came later (rolled_back")
}

// TestPublishedVersion says what the ledger row of an operator carries.
func TestPublishedVersion(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 4, 1, 6, 0, 0, 0, time.FixedZone("CEST", 7200))
	v, err := plan.Accept(life("published", "refused"), plan.Publication{Slice: oneSlice, Note: "checked with Anna", Now: now})
	require.NoError(t, err)
	require.Equal(t, schema.Load{
		LoadID: 2, Slice: oneSlice, Kind: schema.KindBigFix, Status: schema.Accepted, Reason: "checked with Anna",
		Rows: 20, ContentHash: "hash 2", PreviousLoadID: 1, StartedAt: now.UTC(), FinishedAt: now.UTC(),
	}, v.Row)
	require.EqualValues(t, 1, v.Before.LoadID)

	v, err = plan.Accept(life("refused"), plan.Publication{Slice: oneSlice, Now: now})
	require.NoError(t, err)
	require.Nil(t, v.Before)
	require.Zero(t, v.Row.PreviousLoadID)
}

func TestRollback(t *testing.T) {
	t.Parallel()
	f := func(rows []string, loadID, want uint64, refusal string) {
		t.Helper()
		v, err := plan.Rollback(life(rows...), plan.Publication{Slice: oneSlice, LoadID: loadID, Note: "wrong", Now: time.Unix(9999, 0)})
		if refusal != "" {
			require.ErrorContains(t, err, refusal)
			return
		}
		require.NoError(t, err)
		require.Equal(t, want, v.Row.LoadID)
		require.Equal(t, schema.RolledBack, v.Row.Status)
	}
	f([]string{"published", "published"}, 0, 1, "")
	f([]string{"published", "published", "refused", "failed", "unchanged"}, 0, 1, "")
	f([]string{"published", "published", "rolled_back 1"}, 0, 2, "") // a rollback of a rollback
	f([]string{"published", "refused", "accepted 2"}, 0, 1, "")
	f([]string{"published", "published", "published 2"}, 0, 1, "") // the same load written again, after a lost answer
	f([]string{"published", "published", "published"}, 1, 1, "")
	f([]string{"published", "refused"}, 2, 2, "")
	f([]string{"published", "refused", "accepted 2", "rolled_back 1"}, 2, 2, "")
	f([]string{"refused"}, 0, 0, "nothing of this day was ever published")
	f([]string{"refused"}, 1, 0, "nothing of this day was ever published")
	f([]string{"published", "unchanged"}, 0, 0, "load 1 is the only version of this day that was ever published")
	f([]string{"published", "published"}, 2, 0, "load 2 is what readers see already")
	f([]string{"published", "failed"}, 2, 0, "load 2 failed: what is stored of it may be incomplete")
	f([]string{"published", "unchanged"}, 2, 0, "load 2 found the same as load")
	f([]string{"published"}, 99, 0, "this day has no load 99")
}

// TestRollbackTakesItselfBack: whatever happened before, two rollbacks leave
// readers with what they had.
func TestRollbackTakesItselfBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.SampledFrom([]string{"published", "refused", "failed", "unchanged", "published 1", "rolled_back 1", "rolled_back 2"}), 1, 8).Draw(t, "life")
		ledger := life(rows...)
		back := func() bool {
			v, err := plan.Rollback(ledger, plan.Publication{Slice: oneSlice, Now: time.Unix(9999, 0)})
			if err != nil {
				return false
			}
			require.NotEqual(t, v.Before.LoadID, v.Row.LoadID)
			v.Row.PublishedSeq = uint64(len(ledger)) + 1
			ledger = append(ledger, v.Row)
			require.Equal(t, v.Row.LoadID, plan.Current(ledger, oneSlice).LoadID)
			return true
		}
		before := plan.Current(ledger, oneSlice)
		if back() {
			require.True(t, back())
			require.Equal(t, before.LoadID, plan.Current(ledger, oneSlice).LoadID)
		}
	})
}

func TestLastRefusedAndWhole(t *testing.T) {
	t.Parallel()
	ledger := life("published", "refused", "refused", "failed")
	require.EqualValues(t, 3, plan.LastRefused(ledger, oneSlice).LoadID)
	require.Nil(t, plan.LastRefused(life("published"), oneSlice))
	l, err := plan.Whole(ledger, oneSlice, 2)
	require.NoError(t, err)
	require.EqualValues(t, 2, l.LoadID)
	_, err = plan.Whole(ledger, oneSlice, 4)
	require.ErrorContains(t, err, "load 4 failed")
	require.Nil(t, plan.Current(nil, oneSlice))
	require.Nil(t, plan.Previous(nil, oneSlice))
}

// TestRolledBackVersionsAreRemembered: what an operator rolled back from is not
// published again by a recheck, until an operator publishes it again.
func TestRolledBackVersionsAreRemembered(t *testing.T) {
	t.Parallel()
	f := func(rows []string, want ...uint64) {
		t.Helper()
		feed := history(time.UTC, 3)
		in := plan.Input{Feeds: []plan.Feed{feed}, Ledger: life(rows...), Now: oneSlice.Day.UTC().AddDate(0, 0, 2)}
		for _, it := range plan.Sync(in, plan.Options{}).Do {
			if it.Slice == oneSlice {
				var got []uint64
				for _, l := range it.RolledBack {
					got = append(got, l.LoadID)
				}
				require.Equal(t, want, got, rows)
			}
		}
	}
	f([]string{"published", "published"})
	f([]string{"published", "published", "rolled_back 1"}, 2)
	f([]string{"published", "published", "rolled_back 1", "unchanged"}, 2)
	f([]string{"published", "published", "rolled_back 1", "rolled_back 2"}, 1)
	f([]string{"published", "published", "rolled_back 1", "published"}, 2)
	f([]string{"published", "published", "rolled_back 1", "published", "rolled_back 1"}, 2, 4)
	f([]string{"published", "refused", "accepted 2", "rolled_back 1"}, 2)
	f([]string{"published", "refused", "accepted 2", "rolled_back 1", "accepted 2"})
	// Load 3 was in hand when the operator rolled back from load 2, and was
	// published behind that.
	f([]string{"published", "published", "published", "rolled_back 1 2"}, 2)
}
