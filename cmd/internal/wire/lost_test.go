package wire_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/etl/run"
	"github.com/meterhouse/meterhouse/extract/bigfix/bigfixtest"
	"github.com/meterhouse/meterhouse/load"
	"github.com/meterhouse/meterhouse/load/loadtest"
	"github.com/meterhouse/meterhouse/schema"
)

// lossy is a world whose runs reach the warehouse through a proxy. One day is
// published, and restated at the source since.
type lossy struct {
	*world
	proxy   *loadtest.Proxy
	through *load.Warehouse // the proxy
	day     schema.Day
	before  string // what readers see
}

func newLossy(t *testing.T, patience time.Duration) *lossy {
	t.Helper()
	o := loadtest.Embedded(t).Database(t)
	l := &lossy{world: bigfixWorld(t, loadtest.Migrated(t, o), "bfi", bigfixtest.Options{})}
	l.day = l.today() - 2
	require.True(t, l.run(l.day, l.day).Complete())
	l.before = l.readersSee("default", l.day)
	require.NoError(t, l.bigfix.Revise(l.day.String(), 1))

	l.proxy = loadtest.StartProxy(t, o.Addrs[0])
	o.Addrs, o.ReadTimeout, o.Patience = []string{l.proxy.Addr}, 2*time.Second, patience
	l.through = loadtest.Open(t, o)
	return l
}

// begin brings the day in through the proxy; end waits for what becomes of it.
func (l *lossy) begin() (end func() run.Outcome) {
	w := *l.world
	w.warehouse = l.through
	outcome := make(chan run.Outcome, 1)
	go func() { outcome <- w.run(l.day, l.day).Outcomes[0] }()
	return func() run.Outcome { return <-outcome }
}

// settle ends a test: the next run completes, readers see the restated day, and it
// was published once.
func (l *lossy) settle() {
	l.t.Helper()
	l.proxy.Set(loadtest.None)
	report := l.run(l.day, l.day)
	require.True(l.t, report.Complete())
	l.requireTruth(l.day, l.day)
	require.Equal(l.t, 2, l.statuses()[schema.Published])
}

// The ledger's row arrived, and nobody hears of it: it is written once more, and is
// one row to whoever asks.
func TestTheAnswerOfThePublicationIsLost(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]loadtest.Fault{"no answer": loadtest.AnswersLost, "the connection breaks": loadtest.Cut} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLossy(t, 30*time.Second)
			came := l.proxy.On(ledgerMark, 1, fault)
			o := l.begin()()
			<-came
			require.NoError(t, o.Err)
			require.Equal(t, schema.Published, o.Load.Status)
			l.requireTruth(l.day, l.day)
			l.settle()
			require.Equal(t, 1, l.statuses()[schema.Unchanged])
		})
	}
}

// As before, and no answer comes for as long as it is tried: the run cannot know
// that readers see the new version, and says so. The next one finds it there.
func TestNoAnswerOfThePublicationEverComes(t *testing.T) {
	t.Parallel()
	l := newLossy(t, time.Nanosecond)
	came, release := l.proxy.Hold(ledgerMark, 1)
	end := l.begin()
	<-came
	l.proxy.Set(loadtest.AnswersLost)
	release()
	o := end()
	requireUnknown(t, o)
	l.requireTruth(l.day, l.day)
	l.settle()
}

// The warehouse goes between the last insert and the publication. It is waited for;
// when it stays away, readers have the version before, and the next run publishes.
func TestTheWarehouseGoesBeforeThePublication(t *testing.T) {
	t.Parallel()
	t.Run("and comes back", func(t *testing.T) {
		t.Parallel()
		l := newLossy(t, 30*time.Second)
		came, release := l.proxy.Hold(ledgerMark, 1)
		end := l.begin()
		<-came
		l.proxy.Set(loadtest.Refused)
		require.Equal(t, l.before, l.readersSee("default", l.day))
		release()
		l.proxy.Set(loadtest.None)
		require.NoError(t, end().Err)
		l.requireTruth(l.day, l.day)
		l.settle()
	})
	t.Run("and stays away", func(t *testing.T) {
		t.Parallel()
		l := newLossy(t, time.Nanosecond)
		came, release := l.proxy.Hold(ledgerMark, 1)
		end := l.begin()
		<-came
		l.proxy.Set(loadtest.Refused)
		release()
		requireUnknown(t, end())
		require.Equal(t, l.before, l.readersSee("default", l.day))
		require.Equal(t, map[schema.Status]int{schema.Published: 1}, l.statuses())
		l.settle()
	})
}

// requireUnknown holds a run to saying what it does not know, and what to do.
func requireUnknown(t *testing.T, o run.Outcome) {
	t.Helper()
	var e *load.Error
	require.ErrorAs(t, o.Err, &e)
	require.Equal(t, load.Unreachable, e.Class)
	require.ErrorContains(t, o.Err, "are complete, but whether it was published is not known")
	require.ErrorContains(t, o.Err, "`meterhouse status` tells")
	require.False(t, o.Done())
}
