package plan_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/schema"
)

func TestCoverage(t *testing.T) {
	t.Parallel()
	now := instant(t, "2026-03-05T12:00:00Z")

	f := func(name string, feed plan.Feed, rows, want []string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := plan.Input{Feeds: []plan.Feed{feed}, Ledger: ledger(t, feed, rows...), Now: now}
			got := []string{}
			for _, s := range plan.Coverage(in, day(t, "2026-02-27"), day(t, "2026-03-06")) {
				require.Equal(t, feed.Source, s.Source)
				require.Equal(t, feed.Feed, s.Feed)
				got = append(got, fmt.Sprintf("%s %s", s.Day, s.State))
			}
			require.Equal(t, want, got)
		})
	}

	f("from the start, with what a backfill brought before it", history(time.UTC, 1, day(t, "2026-03-01")),
		[]string{"2026-02-27 published", "2026-03-01 published", "2026-03-02 refused", "2026-03-03 failed", "2026-03-04 published"},
		[]string{
			"2026-02-27 published",
			"2026-03-01 published",
			"2026-03-02 refused",
			"2026-03-03 failed",
			"2026-03-04 provisional",
			"2026-03-05 not_yet_due",
			"2026-03-06 not_yet_due",
		})
	f("without a start, from the first day in the ledger", history(time.UTC, 0),
		[]string{"2026-03-02 published"},
		[]string{
			"2026-03-02 published",
			"2026-03-03 missing",
			"2026-03-04 missing",
			"2026-03-05 not_yet_due",
			"2026-03-06 not_yet_due",
		})
	f("without anything, what sync looks at", history(time.UTC, 2),
		nil,
		[]string{
			"2026-03-03 missing",
			"2026-03-04 missing",
			"2026-03-05 not_yet_due",
			"2026-03-06 not_yet_due",
		})
	f("a snapshot source shows its lost days", snapshot(time.UTC, 1),
		[]string{"2026-03-02 published", "2026-03-03 failed", "2026-03-05 published"},
		[]string{
			"2026-03-02 published",
			"2026-03-03 out_of_reach",
			"2026-03-04 out_of_reach",
			"2026-03-05 provisional",
			"2026-03-06 not_yet_due",
		})
}

func TestCoverageTellsOfARefusedRestatement(t *testing.T) {
	t.Parallel()
	feed := history(time.UTC, 0)
	in := plan.Input{
		Feeds:  []plan.Feed{feed},
		Ledger: ledger(t, feed, "2026-03-04 published", "2026-03-04 refused"),
		Now:    instant(t, "2026-03-05T12:00:00Z"),
	}
	states := plan.Coverage(in, day(t, "2026-03-04"), day(t, "2026-03-04"))
	require.Len(t, states, 1)
	require.Equal(t, plan.StatePublished, states[0].State)
	require.EqualValues(t, 1, states[0].Published.LoadID)
	require.EqualValues(t, 2, states[0].Last.LoadID)
}

// A day is restated as often as what readers see of it changed, whoever changed
// it; the order is the one of the publications, not of the ledger's rows.
func TestRestatedDays(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		rows []string // "status content seq"
		want int
	}{
		"never loaded":                              {nil, 0},
		"published once":                            {[]string{"published a 1"}, 0},
		"restated":                                  {[]string{"published a 1", "published b 2"}, 1},
		"restated twice":                            {[]string{"published a 1", "published b 2", "published c 3"}, 2},
		"found unchanged":                           {[]string{"published a 1", "unchanged a 0"}, 0},
		"published again, the same":                 {[]string{"published a 1", "published a 2"}, 0},
		"what was refused is not seen":              {[]string{"published a 1", "refused b 0"}, 0},
		"what failed is not seen":                   {[]string{"published a 1", "failed b 0"}, 0},
		"refused, then accepted, the first version": {[]string{"refused a 0", "accepted a 1"}, 0},
		"a restatement accepted":                    {[]string{"published a 1", "refused b 0", "accepted b 2"}, 1},
		"rolled back":                               {[]string{"published a 1", "published b 2", "rolled_back a 3"}, 2},
		"in the order of publication":               {[]string{"published a 3", "published b 1", "published a 2"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			feed := history(time.UTC, 0)
			in := plan.Input{Feeds: []plan.Feed{feed}, Now: instant(t, "2026-03-05T12:00:00Z")}
			for i, row := range tc.rows {
				load := schema.Load{LoadID: uint64(i) + 1, Slice: schema.Slice{Source: feed.Source, Feed: feed.Feed, Day: day(t, "2026-03-04")}}
				_, err := fmt.Sscan(row, &load.Status, &load.ContentHash, &load.PublishedSeq)
				require.NoError(t, err)
				in.Ledger = append(in.Ledger, load)
			}
			states := plan.Coverage(in, day(t, "2026-03-04"), day(t, "2026-03-04"))
			require.Len(t, states, 1)
			require.Equal(t, tc.want, states[0].Restated)
		})
	}
}

// A published day that is known to be incomplete stays so until a later pull
// finds the same content and nothing missing.
func TestPartialDays(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		statuses []string
		partial  []string // of the rows of the ledger
		want     string
	}{
		"nothing":                       {nil, nil, ""},
		"complete":                      {[]string{"published"}, []string{""}, ""},
		"partial":                       {[]string{"published"}, []string{"lost"}, "lost"},
		"completed by another version":  {[]string{"published", "published"}, []string{"lost", ""}, ""},
		"found complete":                {[]string{"published", "unchanged"}, []string{"lost", ""}, ""},
		"found the same, still partial": {[]string{"published", "unchanged"}, []string{"lost", "still lost"}, "lost"},
		"complete, and lost afterwards": {[]string{"published", "unchanged"}, []string{"", "lost"}, ""},
		"failed afterwards":             {[]string{"published", "failed"}, []string{"lost", ""}, "lost"},
		"not published":                 {[]string{"failed"}, []string{"lost"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := snapshot(time.UTC, 0, day(t, "2026-03-05"))
			var lines []string
			for _, status := range tc.statuses {
				lines = append(lines, "2026-03-05 "+status)
			}
			in := plan.Input{Feeds: []plan.Feed{f}, Ledger: ledger(t, f, lines...), Now: instant(t, "2026-03-05T12:00:00Z")}
			for i := range in.Ledger {
				in.Ledger[i].Partial = tc.partial[i]
			}
			states := plan.Coverage(in, day(t, "2026-03-05"), day(t, "2026-03-05"))
			require.Len(t, states, 1)
			require.Equal(t, tc.want, states[0].Partial())
		})
	}
}
