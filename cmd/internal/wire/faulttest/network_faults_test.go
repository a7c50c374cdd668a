//go:build server

package faulttest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/load"
	"github.com/meterhouse/meterhouse/load/loadtest"
	"github.com/meterhouse/meterhouse/schema"
)

// TestNetworkFaults spoils one connection in the middle of a load. The run gets
// over each of them by itself.
func TestNetworkFaults(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		text    string
		nth     int
		fault   loadtest.Fault
		retried bool // the slice is pulled again
	}{
		"cut before a block":                 {insertsFacts, 1, loadtest.Cut, true},
		"cut within a block":                 {sendsFacts, 2, loadtest.Cut, true},
		"answer of a block lost":             {sendsFacts, 2, loadtest.AnswersLost, true},
		"half closed within a block":         {sendsFacts, 2, loadtest.HalfClosed, true},
		"cut while it is verified":           {"uniqExact", 1, loadtest.Cut, false},
		"answer of the verification lost":    {"uniqExact", 1, loadtest.AnswersLost, false},
		"cut before the publication":         {insertsLedger, 1, loadtest.Cut, false},
		"answer of the publication lost":     {version, 1, loadtest.AnswersLost, false},
		"half closed after the publication":  {version, 1, loadtest.HalfClosed, false},
		"cut right after the publication":    {version, 1, loadtest.Cut, false},
		"every answer of the server is late": {insertsFacts, 1, loadtest.Delayed, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, oneBlock, loadtest.ServerOptions{})
			if test.fault == loadtest.AnswersLost {
				s.timeout = short
			}
			came := s.proxy.On(test.text, test.nth, test.fault)
			require.NoError(t, s.run(1).Err)
			<-came
			if test.retried {
				require.NotEmpty(t, s.retried)
			} else {
				require.Empty(t, s.retried)
			}
			require.Equal(t, []schema.Status{schema.Published}, s.states())
			s.settle(1)
		})
	}
}

// TestPublishedTwice looks at the ledger's raw rows after the answer of the
// publication was lost: the same row came twice, and is one row to whoever asks.
func TestPublishedTwice(t *testing.T) {
	t.Parallel()
	s := newStage(t, oneBlock, loadtest.ServerOptions{})
	s.timeout = short
	s.exec("SYSTEM STOP MERGES")
	s.proxy.On(version, 1, loadtest.AnswersLost)
	require.NoError(t, s.run(1).Err)

	w := loadtest.Open(t, s.options(s.server.Native))
	require.Equal(t, []string{"2 1 1"}, loadtest.Rows(t, w, "SELECT count(), uniqExact(load_id), uniqExact(published_seq) FROM loads WHERE day = '2026-03-03'"))
	s.exec("SYSTEM START MERGES")
	s.settle(1)
}

// TestUnreachableMidRun refuses every connection until the run gives up: the
// version that readers have stands, and the next run completes.
func TestUnreachableMidRun(t *testing.T) {
	t.Parallel()
	s := newStage(t, twoBlocks, loadtest.ServerOptions{})
	end := s.when(insertsFacts, 2, func() {
		s.proxy.Set(loadtest.Refused)
	})

	requireClass(t, end().Err, load.Unreachable)
	s.proxy.Set(loadtest.None)
	s.settle(0)
}
