package wire_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/cmd/internal/config"
	"github.com/meterhouse/meterhouse/cmd/internal/wire"
	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/extract/bigfix/bigfixtest"
	"github.com/meterhouse/meterhouse/extract/extracttest/simfault"
	"github.com/meterhouse/meterhouse/extract/nexthink"
	"github.com/meterhouse/meterhouse/schema"
)

// pass is a sync of the world's source.
func (w *world) pass() (p plan.Plan, complete bool) {
	w.t.Helper()
	p = plan.Sync(plan.Input{Feeds: wire.Feeds([]config.Source{w.source}), Ledger: w.ledger(), Now: w.clock.now()}, plan.Options{})
	if len(p.Do) == 0 {
		return p, true
	}
	return p, w.runWith(w.t.Context(), w.t.Context(), w.sources(), p, nobody{}).Complete()
}

// A clock that is set back an hour hides nothing: what comes after it counts as
// later, in what readers see, in the ledger, and in what was seen when.
func TestAClockThatIsSetBack(t *testing.T) {
	t.Parallel()
	w := bigfixWorld(t, newWarehouse(t), "bfi", bigfixtest.Options{})
	w.source.RecheckDays = 1
	day := w.today() - 1
	_, complete := w.pass()
	require.True(t, complete)
	first := w.readersSee("default", day)

	w.clock.skip(-time.Hour)
	require.NoError(t, w.bigfix.Revise(day.String(), 1))
	p, complete := w.pass()
	require.True(t, complete)
	require.Equal(t, plan.Recheck, p.Do[0].Reason)
	w.requireTruth(day, day)
	w.faults.Next(w.path, simfault.Status(404, ""))
	p, complete = w.pass()
	require.False(t, complete)

	ledger := w.ledger()
	require.Len(t, ledger, 3, "in the order of their ids")
	for i, status := range []schema.Status{schema.Published, schema.Published, schema.Failed} {
		require.Equal(t, status, ledger[i].Status)
		if i > 0 {
			require.Greater(t, ledger[i].FinishedAt, ledger[i-1].FinishedAt)
			require.Equal(t, ledger[1].LoadID, p.Do[0].Published.LoadID)
		}
	}
	require.Greater(t, ledger[1].PublishedSeq, ledger[0].PublishedSeq)
	require.Equal(t, []string{"failed"}, w.query("SELECT last_status FROM coverage WHERE source = 'bfi'"), "the failure is not hidden")
	for i, want := range []string{first, w.truth("default", day)} {
		require.Equal(t, []string{want}, w.query("SELECT concat(toString(count()), ' rows, ', toString(sum(hwm_quantity))) FROM license_usage_as_of(ts = '%s')",
			ledger[i].FinishedAt.Format(time.DateTime)), "version %d was seen", i+1)
	}
}

// Over midnight, a portal shows a day that this machine's clock has left again. It
// is not filed under the day before.
func TestAClockThatIsSetBackOverMidnight(t *testing.T) {
	t.Parallel()
	w := nexthinkWorld(t, newWarehouse(t), "hq")
	w.source.Targets[0].Lists = []string{nexthink.ListInstalled}
	yesterday := w.today()
	_, complete := w.pass()
	require.True(t, complete)
	before := w.readersSee("visio/installed", yesterday)
	w.clock.skip(18*time.Hour + 10*time.Minute) // 00:10
	_, complete = w.pass()
	require.True(t, complete)
	asked := w.faults.Requests(w.path)

	w.clock.skip(-time.Hour)
	require.Equal(t, yesterday, w.today())
	p, _ := w.pass()
	require.Empty(t, p.Do)
	require.Equal(t, plan.ClockSetBack, p.Skip[0].Reason, fmt.Sprint(p.Skip))
	require.Equal(t, asked, w.faults.Requests(w.path))
	require.Equal(t, before, w.readersSee("visio/installed", yesterday))

	w.clock.skip(time.Hour) // and on
	p, complete = w.pass()
	require.True(t, complete)
	require.Equal(t, plan.Recheck, p.Do[0].Reason)
	w.requireTruth(yesterday+1, yesterday+1)
}
