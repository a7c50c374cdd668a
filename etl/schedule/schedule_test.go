package schedule_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/meterhouse/meterhouse/etl/schedule"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	require.NoError(t, err)
	return loc
}

func TestNextAndLastReadTheSpecInItsZone(t *testing.T) {
	t.Parallel()
	berlin := zone(t, "Europe/Berlin")
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		require.NoError(t, err)
		return v
	}
	for name, c := range map[string]struct{ spec, from, last, next string }{
		"winter":           {"0 6 * * *", "2026-01-10T12:00:00Z", "2026-01-10T05:00:00Z", "2026-01-11T05:00:00Z"},
		"summer":           {"0 6 * * *", "2026-07-10T12:00:00Z", "2026-07-10T04:00:00Z", "2026-07-11T04:00:00Z"},
		"over the change":  {"0 6 * * *", "2026-03-29T03:00:00Z", "2026-03-28T05:00:00Z", "2026-03-29T04:00:00Z"},
		"exactly at a run": {"0 6 * * *", "2026-01-10T05:00:00Z", "2026-01-10T05:00:00Z", "2026-01-11T05:00:00Z"},
		"monthly":          {"0 6 1 * *", "2026-01-31T12:00:00Z", "2026-01-01T05:00:00Z", "2026-02-01T05:00:00Z"},
		// On 29 March 2026 the clocks go from 02:00 to 03:00, on 25 October from 03:00 back to 02:00.
		"before the hour that is left out": {"30 2 * * *", "2026-03-29T00:00:00Z", "2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z"},
		"after it":                         {"30 2 * * *", "2026-03-29T02:00:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"},
		"every hour, over it":              {"0 * * * *", "2026-03-29T00:30:00Z", "2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z"},
		"every quarter, over it":           {"*/15 * * * *", "2026-03-29T01:05:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:15:00Z"},
		"the hour that comes twice":        {"30 2 * * *", "2026-10-25T00:00:00Z", "2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z"},
		"every hour, while it comes twice": {"0 * * * *", "2026-10-25T00:30:00Z", "2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z"},
	} {
		last, err := schedule.Last(c.spec, berlin, at(c.from))
		require.NoError(t, err, name)
		require.Equal(t, c.last, last.UTC().Format(time.RFC3339), name)
		next, err := schedule.Next(c.spec, berlin, at(c.from))
		require.NoError(t, err, name)
		require.Equal(t, c.next, next.UTC().Format(time.RFC3339), name)
	}
	_, err := schedule.Next("61 * * * *", berlin, at("2026-01-01T00:00:00Z"))
	require.ErrorContains(t, err, `reading the schedule "61 * * * *"`)
}

// run starts the jobs and gives a function that stops them and waits.
func start(t *testing.T, log *zap.Logger, jobs ...schedule.Job) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- schedule.Run(ctx, jobs, log) }()
	return func() {
		cancel()
		require.NoError(t, <-done)
	}
}

func TestAPanicEndsOnlyThatRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.ErrorLevel)
		var runs atomic.Int32
		stop := start(t, zap.New(core), schedule.Job{Name: "s", Spec: "* * * * *", Location: time.UTC, Run: func() {
			runs.Add(1)
			panic("the source's fault")
		}})
		time.Sleep(3*time.Minute + time.Second) //nolint:forbidigo // the bubble's clock, not the world's
		stop()
		require.EqualValues(t, 3, runs.Load())
		require.Equal(t, 3, logs.Len())
	})
}

func TestAFiringDuringARunIsSkippedAndSaid(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.WarnLevel)
		var runs, other atomic.Int32
		stop := start(t, zap.New(core),
			schedule.Job{Name: "slow", Spec: "* * * * *", Location: time.UTC, AtOnce: true, Run: func() {
				runs.Add(1)
				time.Sleep(150 * time.Second) //nolint:forbidigo // the bubble's clock
			}},
			schedule.Job{Name: "other", Spec: "* * * * *", Location: time.UTC, Run: func() { other.Add(1) }},
		)
		time.Sleep(2*time.Minute + time.Second) //nolint:forbidigo // the bubble's clock
		require.EqualValues(t, 1, runs.Load(), "the run at the start still goes on")
		require.EqualValues(t, 2, other.Load(), "another source is not held up")
		require.Equal(t, 2, logs.FilterMessageSnippet("skipped").Len())
		stop()
	})
}

func TestRunWaitsForTheRunInHand(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var finished atomic.Bool
		stop := start(t, zap.NewNop(), schedule.Job{Name: "s", Spec: "* * * * *", Location: time.UTC, Run: func() {
			time.Sleep(30 * time.Second) //nolint:forbidigo // the bubble's clock
			finished.Store(true)
		}})
		time.Sleep(time.Minute + time.Second) //nolint:forbidigo // the bubble's clock
		stop()
		require.True(t, finished.Load())
	})
}

func TestABadSpecIsNamed(t *testing.T) {
	t.Parallel()
	err := schedule.Run(t.Context(), []schedule.Job{{Name: "bfi", Spec: "nonsense", Location: time.UTC}}, zap.NewNop())
	require.ErrorContains(t, err, `scheduling bfi: reading the schedule "nonsense"`)
}
