//go:build server

package faulttest_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/meterhouse/meterhouse/etl/run"
	"github.com/meterhouse/meterhouse/load"
	"github.com/meterhouse/meterhouse/load/loadtest"
	"github.com/meterhouse/meterhouse/schema"
)

// clusterStage is a source, a cluster, and on every server of it a reader who
// never stops looking. The readers' profile allows answers that leave things out.
type clusterStage struct {
	days
	cluster  *loadtest.Cluster
	database string
	began    time.Time

	mu        sync.Mutex
	whole     map[string]bool // days as they may be seen
	wrong     []string        // what was seen and is not
	reads     atomic.Int64
	refused   atomic.Int64 // questions without an answer
	rows      uint64       // published
	faults    []string
	stopReads func()
}

const (
	shards, replicas = 2, 2
	clusterRows      = 1_500 // of a day
	// answersWithin bounds statements: a server that is cut off does not answer.
	answersWithin = 10 * time.Second
	// faultLasts is twice what ZooKeeper takes to give a server up.
	faultLasts = 25 * time.Second
)

func newClusterStage(t *testing.T) *clusterStage {
	t.Helper()
	s := &clusterStage{days: newDays(t, clusterRows), began: time.Now(), database: "meterhouse", whole: map[string]bool{}}
	s.source.Parallel = 2
	s.cluster = loadtest.StartCluster(t, shards, replicas)
	o := s.options(0)
	o.ReadTimeout = readTimeout
	_, err := loadtest.Open(t, o).Migrate(t.Context())
	require.NoError(t, err)
	s.cluster.Proxied(t)
	s.startReading()
	t.Cleanup(s.report)
	return s
}

// options reach the cluster through some of its servers.
func (s *clusterStage) options(nodes ...int) load.Options {
	o := s.cluster.Options(nodes[0])
	o.Addrs = nil
	for _, n := range nodes {
		o.Addrs = append(o.Addrs, s.cluster.Nodes[n].Native)
	}
	o.Database, o.Version, o.DialTimeout, o.ReadTimeout = s.database, version, answersWithin, answersWithin
	core := zapcore.NewCore(zapcore.NewConsoleEncoder(zap.NewDevelopmentEncoderConfig()), zapcore.AddSync(s.t.Output()), zap.WarnLevel)
	o.Logger = zap.New(core)
	return o
}

// allow says what the source says of the days now, which may be seen from now on.
func (s *clusterStage) allow(from, to schema.Day) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for day := from; day <= to; day++ {
		s.whole[s.truth(day)] = true
	}
}

// during brings days in through some servers, and has a fault begin when so many
// slices are finished. What the fault has made fail is brought in when it has ended.
func (s *clusterStage) during(from, to schema.Day, after int, through []int, name string, begin, end func()) {
	s.t.Helper()
	s.allow(from, to)
	s.faults = append(s.faults, name)
	at := time.Now()
	watch := &countdown{left: after, came: make(chan struct{})}
	report := make(chan run.Report, 1)
	go func() {
		w, err := load.Open(s.t.Context(), s.options(through...))
		if err != nil {
			report <- run.Report{}
			return
		}
		defer w.Close()
		report <- s.bringIn(w, from, to, s.options(0).Logger, watch)
	}()
	<-watch.came
	begin()
	var got run.Report
	select {
	case got = <-report:
		end()
	case <-time.After(faultLasts):
		end()
		got = <-report
	}
	took := time.Since(at)
	s.rows += got.Rows()
	s.t.Logf("%s: %d of %d slices published in %s", name, got.Count(schema.Published), to-from+1, took.Round(time.Second))
	for _, o := range got.Outcomes {
		if o.Err != nil {
			s.t.Logf("    %s: %v", o.Item.Day, o.Err)
		}
	}
	s.complete(from, to)
}

// complete brings days in through any server and expects all of them to be there.
func (s *clusterStage) complete(from, to schema.Day) {
	s.t.Helper()
	s.allow(from, to)
	got := s.bringIn(loadtest.Open(s.t, s.options(0, 3)), from, to, s.options(0).Logger, nobody{})
	for _, o := range got.Outcomes {
		require.NoError(s.t, o.Err, o.Item.Day)
	}
	require.True(s.t, got.Complete())
	s.rows += got.Rows()
}

// startReading has a reader on each server.
func (s *clusterStage) startReading() {
	ctx, cancel := context.WithCancel(context.Background())
	var readers sync.WaitGroup
	for i := range s.cluster.Nodes {
		o := s.options(i)
		o.Cluster = "" // whose settings make our own connections careful
		o.Logger, o.Patience = nil, time.Nanosecond
		readers.Go(func() {
			for ctx.Err() == nil {
				s.look(ctx, o)
				select {
				case <-time.After(20 * time.Millisecond):
				case <-ctx.Done():
				}
			}
		})
	}
	s.stopReads = sync.OnceFunc(func() {
		cancel()
		readers.Wait()
	})
}

// look asks one server first which days are published, then for all days: each
// must be whole, and those of before must be there.
func (s *clusterStage) look(ctx context.Context, o load.Options) {
	w, err := load.Open(ctx, o)
	if err != nil {
		s.refused.Add(1)
		return
	}
	defer w.Close()
	for ctx.Err() == nil {
		var published, seen strings.Builder
		err := w.Query(ctx, "SELECT day FROM published_loads ORDER BY day", "TSV", &published)
		if err == nil {
			err = w.Query(ctx, seeDays, "TSV", &seen)
		}
		if err != nil {
			s.refused.Add(1)
			return
		}
		s.reads.Add(1)
		s.judge(o.Addrs[0], published.String(), seen.String())
	}
}

func (s *clusterStage) judge(who, published, seen string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	there := map[string]bool{}
	for line := range strings.Lines(seen) {
		line = strings.TrimSuffix(line, "\n")
		day, _, _ := strings.Cut(line, "\t")
		there[day] = true
		if !s.whole[line] {
			s.wrong = append(s.wrong, who+" saw "+line)
		}
	}
	for day := range strings.Lines(published) {
		if day = strings.TrimSuffix(day, "\n"); !there[day] {
			s.wrong = append(s.wrong, who+" saw nothing of "+day)
		}
	}
}

// settle is the end: every server shows the same whole days and the same ledger,
// nobody has ever seen anything else.
func (s *clusterStage) settle(last schema.Day) {
	s.t.Helper()
	var want []string
	for day := schema.Day(0); day <= last; day++ {
		want = append(want, s.truth(day))
	}
	first, err := loadtest.Open(s.t, s.options(0)).Ledger(s.t.Context(), load.LedgerQuery{})
	require.NoError(s.t, err)
	for i := range s.cluster.Nodes {
		w := loadtest.Open(s.t, s.options(i))
		ledger, err := w.Ledger(s.t.Context(), load.LedgerQuery{})
		require.NoError(s.t, err)
		require.Equal(s.t, first, ledger, "the ledger on server %d", i)
		require.Equal(s.t, want, strings.Split(strings.TrimSpace(loadtest.Answer(s.t, w, seeDays, "TSV")), "\n"), "the days on server %d", i)
	}
	s.stopReads()
	require.Empty(s.t, s.wrong, "days that were seen and not whole")
	require.NotZero(s.t, s.reads.Load())
}

// report says what was done and seen, however the test ends.
func (s *clusterStage) report() {
	s.stopReads()
	s.t.Logf("%d shards with %d replicas: %d rows published, faults: %s; %d reads on %d servers, %d without an answer, %d wrong; %s",
		shards, replicas, s.rows, strings.Join(s.faults, ", "), s.reads.Load(), len(s.cluster.Nodes), s.refused.Load(), len(s.wrong),
		time.Since(s.began).Round(time.Second))
	for _, what := range s.wrong[:min(len(s.wrong), 10)] {
		s.t.Log(what)
	}
}

// countdown says when so many slices of a run are finished.
type countdown struct {
	nobody
	mu   sync.Mutex
	left int
	came chan struct{}
}

func (c *countdown) Finished(run.Outcome) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left--; c.left == 0 {
		close(c.came)
	}
}

func (s *clusterStage) revise(from, to schema.Day, revision int) {
	s.t.Helper()
	for day := from; day <= to; day++ {
		require.NoError(s.t, s.bigfix.Revise((s.first+day).String(), revision))
	}
}
