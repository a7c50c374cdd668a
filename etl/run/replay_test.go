package run_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/etl/run"
	"github.com/meterhouse/meterhouse/schema"
)

func TestReplayedLoad(t *testing.T) {
	t.Parallel()
	f := func(reason string, want uint64, replayed bool) {
		t.Helper()
		got, ok := run.ReplayedLoad(schema.Load{Reason: reason})
		require.Equal(t, replayed, ok, reason)
		require.Equal(t, want, got, reason)
	}
	f("replay of load 7529998168994522838", 7529998168994522838, true)
	f("new", 0, false)
	f("replay of load x", 0, false)
	f("", 0, false)
}

// An operator's row repeats the id of a load; what it was made of does not change.
func TestAnswered(t *testing.T) {
	t.Parallel()
	ledger := []schema.Load{
		{LoadID: 1, Reason: "new"},
		{LoadID: 2, Reason: "replay of load 1"},
		{LoadID: 2, Reason: "accepted", Status: schema.Accepted},
	}
	require.EqualValues(t, 1, run.Answered(ledger, 1))
	require.EqualValues(t, 1, run.Answered(ledger, 2))
	require.EqualValues(t, 3, run.Answered(ledger, 3))
}
