package serve_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/etl/run"
	"github.com/meterhouse/meterhouse/etl/serve"
	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/schema"
)

func feeds() []plan.Feed {
	return []plan.Feed{{Source: "bfi", Feed: "group-5"}, {Source: "bfi", Feed: "group-7"}, {Source: "nx", Feed: "visio/installed"}}
}

// scrape gives the program's own samples by name and labels, as Prometheus gets them.
func scrape(t *testing.T, m *serve.Metrics) map[string]string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody))
	require.Equal(t, http.StatusOK, w.Code)
	samples := map[string]string{}
	for line := range strings.Lines(w.Body.String()) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && strings.HasPrefix(name, "meterhouse_") {
			samples[strings.TrimPrefix(name, "meterhouse_")] = value
		}
	}
	return samples
}

func day(t *testing.T, s string) schema.Day {
	t.Helper()
	d, err := schema.ParseDay(s)
	require.NoError(t, err)
	return d
}

var noon = time.Date(2026, time.March, 14, 12, 0, 0, 0, time.UTC)

func load(t *testing.T, source, feed, date string, status schema.Status) schema.Load {
	t.Helper()
	return schema.Load{
		Slice: schema.Slice{Source: source, Feed: feed, Day: day(t, date)}, Status: status,
		Rows: 100, Requests: 2, Bytes: 5000, FinishedAt: noon,
	}
}

func outcome(l schema.Load, err error) run.Outcome {
	return run.Outcome{Item: plan.Item{Slice: l.Slice}, Load: l, Tried: l.Status != "", Err: err}
}

func TestCountersFollowTheSlices(t *testing.T) {
	t.Parallel()
	m := serve.NewMetrics("v1", feeds())
	got := scrape(t, m)
	for _, status := range []string{"published", "unchanged", "refused", "failed", "not_tried"} {
		require.Equal(t, "0", got[fmt.Sprintf(`slices_total{source="bfi",status=%q}`, status)], "a first failure must be a step from 0")
	}
	require.Equal(t, "0", got[`restatements_beyond_threshold_total{source="nx"}`])
	require.Equal(t, "0", got[`notifications_total{result="failed"}`])

	restated := outcome(load(t, "bfi", "group-5", "2026-03-12", schema.Published), nil)
	restated.Restated = &run.Restatement{}
	beyond := restated
	beyond.Restated = &run.Restatement{Beyond: []run.Change{{What: "rows", Later: 1}}}
	down := &extract.Error{Class: extract.Transient}
	for _, o := range []run.Outcome{
		outcome(load(t, "bfi", "group-5", "2026-03-13", schema.Published), nil), restated, beyond,
		outcome(load(t, "bfi", "group-5", "2026-03-11", schema.Unchanged), nil),
		outcome(load(t, "bfi", "group-5", "2026-03-10", schema.Failed), down),
		outcome(load(t, "bfi", "group-5", "2026-03-09", schema.Refused), &run.Refusal{}),
		outcome(schema.Load{Slice: schema.Slice{Source: "bfi"}}, fmt.Errorf("not tried: %w", context.Canceled)),
	} {
		m.Finished(o)
	}
	m.PassEnded("bfi", 20*time.Second)
	m.Notified(2, 1)
	got = scrape(t, m)
	for name, want := range map[string]string{
		`slices_total{source="bfi",status="published"}`: "3", `slices_total{source="bfi",status="unchanged"}`: "1",
		`slices_total{source="bfi",status="failed"}`: "1", `slices_total{source="bfi",status="refused"}`: "1",
		`slices_total{source="bfi",status="not_tried"}`:      "1",
		`slice_errors_total{class="transient",source="bfi"}`: "1",
		`slice_errors_total{class="refused",source="bfi"}`:   "1",
		`slice_errors_total{class="cancelled",source="bfi"}`: "1",
		`rows_published_total{source="bfi"}`:                 "300",
		`source_requests_total{source="bfi"}`:                "12",
		`source_bytes_total{source="bfi"}`:                   "30000",
		`restatements_total{source="bfi"}`:                   "2",
		`restatements_beyond_threshold_total{source="bfi"}`:  "1",
		`pass_duration_seconds_count{source="bfi"}`:          "1",
		`pass_duration_seconds_bucket{source="bfi",le="15"}`: "0",
		`pass_duration_seconds_bucket{source="bfi",le="60"}`: "1",
		`notifications_total{result="sent"}`:                 "2",
		`notifications_total{result="failed"}`:               "1",
		`slices_total{source="nx",status="published"}`:       "0",
		`last_success_timestamp_seconds{source="bfi"}`:       fmt.Sprintf("%v", float64(noon.Unix())),
	} {
		require.Equal(t, want, got[name], name)
	}
}

// The gauges know what was published before the process began, and say of a
// source what its slowest feed has.
func TestGaugesFollowTheLedger(t *testing.T) {
	t.Parallel()
	m := serve.NewMetrics("v1", feeds())
	const until, success = `published_until_timestamp_seconds{source="bfi"}`, `last_success_timestamp_seconds{source="bfi"}`
	f := func(wantUntil string, wantSuccess time.Time, rows ...schema.Load) {
		t.Helper()
		m.Ledger(rows)
		got := scrape(t, m)
		want := 0.0
		if wantUntil != "" {
			want = float64(day(t, wantUntil).UTC().Unix())
		}
		require.Equal(t, fmt.Sprintf("%v", want), got[until])
		require.Equal(t, fmt.Sprintf("%v", float64(wantSuccess.Unix())), got[success])
		require.Equal(t, "0", got[`published_until_timestamp_seconds{source="nx"}`])
	}
	never := time.Unix(0, 0)
	f("", never)
	f("", never, load(t, "bfi", "group-5", "2026-03-12", schema.Failed), load(t, "gone", "group-5", "2026-03-12", schema.Published))
	f("", noon, load(t, "bfi", "group-5", "2026-03-12", schema.Published))                            // and group-7 has none
	f("2026-03-02", noon, load(t, "bfi", "group-7", "2026-03-02", schema.Accepted))                   // an operator's, too
	f("2026-03-02", noon, load(t, "bfi", "group-5", "2026-03-13", schema.Published))                  // the slowest decides
	later := load(t, "bfi", "group-7", "2026-03-01", schema.Unchanged)                                // an older day changes nothing
	later.FinishedAt = noon.Add(time.Hour)                                                            // but the source works
	f("2026-03-02", later.FinishedAt, later, load(t, "bfi", "group-7", "2026-03-02", schema.Refused)) // in any order

	m.Finished(outcome(load(t, "bfi", "group-7", "2026-03-12", schema.Published), nil))
	f("2026-03-12", later.FinishedAt)
	lost := load(t, "bfi", "group-7", "2026-03-13", schema.Published)
	m.Finished(outcome(lost, errors.New("whether it was published is not known")))
	f("2026-03-12", later.FinishedAt)
}
