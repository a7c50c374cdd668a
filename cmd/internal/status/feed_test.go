package status_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/cmd/internal/status"
	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/schema"
)

// TestDaysForMachines: the fields that stand beside the rows of the ledger, with
// the names that machines rely on.
func TestDaysForMachines(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	f := e.history("bfi", "default", "2026-03-10")
	e.published(f, "2026-03-10", "2026-03-14", "2026-03-12", "2026-03-13")
	e.row(f, day(t, "2026-03-11"), schema.Published, "")
	e.row(f, day(t, "2026-03-12"), schema.Refused, "too few")
	e.row(f, day(t, "2026-03-14"), schema.Failed, "gone").Partial = "of no version that readers see"
	e.row(f, day(t, "2026-03-15"), schema.Published, "").Partial = "lost an engine"

	text, err := json.Marshal(status.Of(e.in, status.Query{To: pointer(day(t, "2026-03-16"))}))
	require.NoError(t, err)
	var feeds []struct {
		Feed     string         `json:"feed"`
		TimeZone string         `json:"time_zone"`
		Restated int            `json:"days_restated"`
		Partial  int            `json:"days_partial"`
		States   map[string]int `json:"states"`
		Days     []map[string]any
	}
	require.NoError(t, json.Unmarshal(text, &feeds))
	require.Len(t, feeds, 1)
	require.Equal(t, "Europe/Berlin", feeds[0].TimeZone)
	require.Equal(t, 1, feeds[0].Restated)
	require.Equal(t, 1, feeds[0].Partial)
	require.Equal(t, map[string]int{"published": 4, "refused": 1, "missing": 2}, feeds[0].States)
	at := func(n int) any { return e.in.Ledger[n-1].FinishedAt.Format("2006-01-02T15:04:05Z") }
	want := []map[string]any{
		{"day": "2026-03-10", "state": "published", "rows": 1001., "restated": 0., "partial": "", "load_id": "1", "published_at": at(1), "reason": ""},
		{"day": "2026-03-11", "state": "published", "rows": 1004., "restated": 1., "partial": "", "load_id": "4", "published_at": at(4), "reason": ""},
		{"day": "2026-03-12", "state": "refused", "rows": 0., "restated": 0., "partial": "", "load_id": "0", "published_at": nil, "reason": "too few"},
		{"day": "2026-03-13", "state": "missing", "rows": 0., "restated": 0., "partial": "", "load_id": "0", "published_at": nil, "reason": ""},
		{"day": "2026-03-14", "state": "published", "rows": 1003., "restated": 0., "partial": "", "load_id": "3", "published_at": at(3), "reason": "gone"},
		{"day": "2026-03-15", "state": "published", "rows": 1007., "restated": 0., "partial": "lost an engine", "load_id": "7", "published_at": at(7), "reason": ""},
		{"day": "2026-03-16", "state": "missing", "rows": 0., "restated": 0., "partial": "", "load_id": "0", "published_at": nil, "reason": ""},
	}
	require.Len(t, feeds[0].Days, len(want))
	for i, d := range feeds[0].Days {
		for key := range want[i] {
			require.Equal(t, want[i][key], d[key], "%s of %s", key, want[i]["day"])
		}
		require.Equal(t, "bfi", d["source"])
		require.Equal(t, "default", d["feed"])
	}
	require.Contains(t, feeds[0].Days[1], "published")
	require.Contains(t, feeds[0].Days[1], "last")
	require.NotContains(t, feeds[0].Days[3], "last")
}

// TestOfNarrowsDown to a source and feed, and to the days that are named; without
// any the answer is an empty list, for machines.
func TestOfNarrowsDown(t *testing.T) {
	t.Parallel()
	e := manyFeeds(t)
	names := func(q status.Query) (out []string) {
		for _, f := range status.Of(e.in, q) {
			out = append(out, f.Source+" "+f.Feed)
		}
		return out
	}
	require.Len(t, names(status.Query{}), 54)
	require.Equal(t, []string{"bfi-apac default"}, names(status.Query{Source: "bfi-apac"}))
	require.Equal(t, []string{"bfi-emea group-7"}, names(status.Query{Feed: "group-7"}))

	one := status.Of(e.in, status.Query{Feed: "group-7"})[0]
	require.Equal(t, []schema.Day{day(t, "2025-06-01"), day(t, "2026-03-19")}, []schema.Day{one.From, one.To})
	require.Equal(t, 20, one.States[plan.StateFailed])
	require.Equal(t, []string{"loader-1"}, one.Hosts)
	require.Equal(t, "failed: pulling: the token has no right to read computer group 7", one.LastError)

	text, err := json.Marshal(status.Of(plan.Input{}, status.Query{}))
	require.NoError(t, err)
	require.Equal(t, "[]", string(text))
}

func pointer[T any](v T) *T { return &v }
