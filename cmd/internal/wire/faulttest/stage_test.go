//go:build server

package faulttest_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/meterhouse/meterhouse/cmd/internal/config"
	"github.com/meterhouse/meterhouse/cmd/internal/wire"
	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/etl/run"
	"github.com/meterhouse/meterhouse/extract/bigfix/bigfixtest"
	"github.com/meterhouse/meterhouse/load"
	"github.com/meterhouse/meterhouse/load/loadtest"
	"github.com/meterhouse/meterhouse/schema"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	token = "5eb5b98b0ff84d00c0ffee"
	// version stands in every row of the ledger, and nowhere else on the wire.
	version = "v1.2.3-of-the-ledger"
	// readTimeout is generous, as in real life; short is for tests that have to
	// wait for it, whose statements are small.
	readTimeout = time.Minute
	short       = 5 * time.Second
	// oneBlock and twoBlocks are how many rows a day has.
	oneBlock  = 1_000
	twoBlocks = 70_000
)

// Text that the loader sends, for a proxy to wait for.
const (
	insertsFacts  = "INSERT INTO `license_usage_versions`"
	sendsFacts    = "product_family_guid" // the first time in the statement, the second time in the data
	insertsLedger = "INSERT INTO `loads`"
)

// stage is a source, a server, a proxy between the loader and the server, and a
// reader who goes straight to the server and never stops looking.
type stage struct {
	days
	server    *loadtest.Server
	proxy     *loadtest.Proxy
	database  string
	password  string
	timeout   time.Duration
	retried   chan struct{} // a message whenever the run tries a load again
	again     chan struct{} // a message whenever the warehouse is asked again
	wrong     atomic.Int64  // days that a reader saw and that are not whole
	reads     atomic.Int64
	stopReads func()
}

// days is a source and what it says of the days from the first on.
type days struct {
	t      *testing.T
	bigfix *bigfixtest.Server
	source config.Source
	first  schema.Day
}

func newDays(t *testing.T, rows int) days {
	t.Helper()
	d := days{t: t}
	var err error
	d.bigfix, err = bigfixtest.Start(t.Context(), bigfixtest.Options{Token: token, Rows: rows, Now: d.now, PlainHTTP: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.bigfix.Close()) })
	u, err := url.Parse(d.bigfix.URL)
	require.NoError(t, err)
	d.source = config.Source{
		Name: "bfi", Kind: schema.KindBigFix, URL: u, Token: config.NewSecret(token), ServerColumns: []string{"name"},
		Location: time.UTC, Parallel: 1, RequestTimeout: time.Minute, MaxBytes: 1 << 30,
		Guards: config.Guards{MaxShrink: 0.9, MaxRejects: 0.01},
	}
	d.first, err = schema.ParseDay("2026-03-02")
	require.NoError(t, err)
	return d
}

func (d days) now() time.Time { return time.Date(2026, time.April, 30, 6, 0, 0, 0, time.UTC) }

// truth is what the source says of a day, in the words of seen.
func (d days) truth(day schema.Day) string {
	n, sum, err := d.bigfix.Truth((d.first + day).String(), 0)
	require.NoError(d.t, err)
	return fmt.Sprintf("%s\t%d\t%d", d.first+day, n, sum)
}

// bringIn runs the days from and to, both included and counted from the first,
// whether or not they are published.
func (d days) bringIn(w *load.Warehouse, from, to schema.Day, log *zap.Logger, watch run.Observer) run.Report {
	d.t.Helper()
	sources, err := wire.Sources([]config.Source{d.source})
	require.NoError(d.t, err)
	defer sources[0].API.(interface{ Close() }).Close()
	ledger, err := w.Ledger(d.t.Context(), load.LedgerQuery{})
	require.NoError(d.t, err)
	in := plan.Input{Feeds: wire.Feeds([]config.Source{d.source}), Ledger: ledger, Now: d.now()}
	todo := plan.Range(in, d.first+from, d.first+to, plan.RangeOptions{Force: true})
	require.Len(d.t, todo.Do, int(to-from)+1)
	return wire.Runner(wire.RunnerOptions{
		Warehouse: &wire.Warehouse{Warehouse: w}, Sources: sources, PublishDelay: 10 * time.Millisecond,
		Clock: d.now, Version: version, Logger: log, Observer: watch,
	}).Run(d.t.Context(), d.t.Context(), todo)
}

// newStage has the tables and the first day published.
func newStage(t *testing.T, rows int, o loadtest.ServerOptions) *stage {
	t.Helper()
	s := &stage{
		days: newDays(t, rows), server: loadtest.StartServer(t, o), password: loadtest.ServerPassword, timeout: readTimeout,
		database: "t_" + strings.ReplaceAll(uuid.NewString(), "-", ""),
		retried:  make(chan struct{}, 100), again: make(chan struct{}, 100),
	}
	s.proxy = loadtest.StartProxy(t, s.server.Native)

	w := loadtest.Open(t, s.options(s.server.Native))
	_, err := w.Migrate(t.Context())
	require.NoError(t, err)
	s.complete(0)
	s.startReading()
	return s
}

func (s *stage) options(address string) load.Options {
	return load.Options{
		Protocol: load.Native, Addrs: []string{address}, Database: s.database, User: "default",
		Password: func() string { return s.password }, Version: version,
		DialTimeout: s.timeout, ReadTimeout: s.timeout, Logger: s.logger(),
	}
}

// logger tells the test what is tried again.
func (s *stage) logger() *zap.Logger {
	core := zapcore.NewCore(zapcore.NewConsoleEncoder(zap.NewDevelopmentEncoderConfig()), zapcore.AddSync(s.t.Output()), zap.WarnLevel)
	return zap.New(core, zap.Hooks(func(e zapcore.Entry) error {
		switch e.Message {
		case "load tried again":
			s.retried <- struct{}{}
		case "trying the warehouse again":
			s.again <- struct{}{}
		}
		return nil
	}))
}

// run brings one day, counted from the first, in through the proxy.
func (s *stage) run(day schema.Day) run.Outcome {
	s.t.Helper()
	w, err := load.Open(s.t.Context(), s.options(s.proxy.Addr))
	require.NoError(s.t, err)
	defer w.Close()
	return s.runWith(w, day)
}

func (s *stage) runWith(w *load.Warehouse, day schema.Day) run.Outcome {
	s.t.Helper()
	return s.bringIn(w, day, day, s.logger(), nobody{}).Outcomes[0]
}

// when runs the second day while the test goes on, and has a fault happen before
// the nth thing of that kind reaches the server; end waits for the day's outcome.
func (s *stage) when(text string, nth int, fault func()) (end func() run.Outcome) {
	s.t.Helper()
	came, release := s.proxy.Hold(text, nth)
	w := loadtest.Open(s.t, s.options(s.proxy.Addr))
	outcome := make(chan run.Outcome, 1)
	go func() { outcome <- s.runWith(w, 1) }()
	<-came
	fault()
	release()
	return func() run.Outcome { return <-outcome }
}

// complete runs a day and expects it to be published, or unchanged.
func (s *stage) complete(day schema.Day) {
	s.t.Helper()
	o := s.run(day)
	require.NoError(s.t, o.Err)
	require.True(s.t, o.Done())
}

const seeDays = "SELECT usage_date, count(), sum(hwm_quantity) FROM license_usage GROUP BY usage_date ORDER BY usage_date"

// seen is what readers see.
func (s *stage) seen() []string {
	s.t.Helper()
	w := loadtest.Open(s.t, s.options(s.server.Native))
	return strings.Split(strings.TrimSpace(loadtest.Answer(s.t, w, seeDays, "TSV")), "\n")
}

// startReading looks at all days, over and over, until the test ends. A server
// that does not answer is no wrong answer.
func (s *stage) startReading() {
	whole := map[string]bool{}
	for day := range schema.Day(3) {
		whole[s.truth(day)] = true
	}
	ctx, cancel := context.WithCancel(context.Background())
	var reader sync.WaitGroup
	reader.Go(func() {
		o := s.options(s.server.Native)
		o.Logger, o.Patience = nil, time.Nanosecond
		for ctx.Err() == nil {
			s.look(ctx, o, whole)
			select {
			case <-time.After(20 * time.Millisecond):
			case <-ctx.Done():
			}
		}
	})
	s.stopReads = sync.OnceFunc(func() {
		cancel()
		reader.Wait()
	})
	s.t.Cleanup(s.stopReads)
}

func (s *stage) look(ctx context.Context, o load.Options, whole map[string]bool) {
	w, err := load.Open(ctx, o)
	if err != nil {
		return
	}
	defer w.Close()
	var out strings.Builder
	if err := w.Query(ctx, seeDays, "TSV", &out); err != nil {
		return
	}
	s.reads.Add(1)
	for line := range strings.Lines(out.String()) {
		if !whole[strings.TrimSuffix(line, "\n")] {
			s.wrong.Add(1)
		}
	}
}

// settle is the end of every test: readers see the days 0 to last whole, have
// never seen anything else, the ledger has as many published rows, and the next
// run completes.
func (s *stage) settle(last schema.Day) {
	s.t.Helper()
	s.timeout = readTimeout
	var want []string
	for day := schema.Day(0); day <= last; day++ {
		want = append(want, s.truth(day))
	}
	require.Equal(s.t, want, s.seen())
	published := 0
	for _, l := range s.ledger() {
		if l.Status.Publishes() {
			published++
		}
	}
	require.Len(s.t, want, published, "publications in the ledger")
	s.complete(2)
	require.Contains(s.t, s.seen(), s.truth(2))
	s.stopReads()
	require.Zero(s.t, s.wrong.Load(), "days that were seen and not whole")
	require.NotZero(s.t, s.reads.Load())
	s.t.Logf("%d reads, none wrong", s.reads.Load())
}

func (s *stage) ledger() []schema.Load {
	s.t.Helper()
	ledger, err := loadtest.Open(s.t, s.options(s.server.Native)).Ledger(s.t.Context(), load.LedgerQuery{})
	require.NoError(s.t, err)
	return ledger
}

// states are the ledger's rows of the second day, in order.
func (s *stage) states() []schema.Status {
	s.t.Helper()
	var states []schema.Status
	for _, l := range s.ledger() {
		if l.Day == s.first+1 {
			states = append(states, l.Status)
		}
	}
	return states
}

// exec runs what an administrator would.
func (s *stage) exec(sql string) {
	s.t.Helper()
	loadtest.Statement(s.t, s.options(s.server.Native), sql)
}

// nobody watches a run.
type nobody struct{}

func (nobody) Planned([]plan.Item)    {}
func (nobody) Rows(plan.Item, uint64) {}
func (nobody) Note(plan.Item, string) {}
func (nobody) Finished(run.Outcome)   {}
