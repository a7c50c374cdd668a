package wire_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/meterhouse/meterhouse/cmd/internal/config"
	"github.com/meterhouse/meterhouse/cmd/internal/wire"
	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/etl/run"
	"github.com/meterhouse/meterhouse/extract/bigfix"
	"github.com/meterhouse/meterhouse/extract/bigfix/bigfixtest"
	"github.com/meterhouse/meterhouse/extract/extracttest/simfault"
	"github.com/meterhouse/meterhouse/extract/nexthink"
	"github.com/meterhouse/meterhouse/extract/nexthink/nexthinktest"
	"github.com/meterhouse/meterhouse/load"
	"github.com/meterhouse/meterhouse/load/loadtest"
	"github.com/meterhouse/meterhouse/schema"
)

func TestMain(m *testing.M) {
	code := loadtest.Main(m)
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

const (
	user     = "meterhouse"
	password = "pass word&<4712>"
	token    = "5eb5b98b0ff84d00c0ffee"
)

// clock goes at its usual pace from 2026-03-10 06:00 UTC on.
type clock struct {
	began   time.Time
	skipped atomic.Int64 // nanoseconds
}

func (c *clock) now() time.Time {
	morning := time.Date(2026, time.March, 10, 6, 0, 0, 0, time.UTC)
	return morning.Add(time.Since(c.began) + time.Duration(c.skipped.Load()))
}

// skipDay goes on to the same time of the next day.
func (c *clock) skipDay() { c.skip(24 * time.Hour) }

// skip goes on by so much, or back.
func (c *clock) skip(d time.Duration) { c.skipped.Add(int64(d)) }

// newWarehouse is a database of the embedded engine with all tables.
func newWarehouse(t *testing.T) *load.Warehouse {
	t.Helper()
	return loadtest.Migrated(t, loadtest.Embedded(t).Database(t))
}

// world is a simulated source, the warehouse, and what runs between them.
type world struct {
	t         *testing.T
	clock     *clock
	warehouse *load.Warehouse
	faults    *simfault.Script
	path      string // that a pull asks
	source    config.Source
	// api are the limits of the source's client that a configuration does not
	// have, or not so narrow.
	api limits
	// truth is what a day of a feed adds up to: rows and a control sum.
	truth func(feed string, day schema.Day) string
	// view, its column with the day, and sum, the control sum's expression, give
	// the same from the warehouse.
	view, day, sum string

	bigfix *bigfixtest.Server   // of a bigfix world
	portal *nexthinktest.Portal // of a nexthink world
}

type limits struct {
	retries                     int
	requestTimeout, idleTimeout time.Duration
	maxBytes                    int64
}

// bigfixWorld is a BigFix Inventory with a small estate; name is unique in the
// warehouse.
func bigfixWorld(t *testing.T, warehouse *load.Warehouse, name string, o bigfixtest.Options) *world {
	t.Helper()
	w := &world{t: t, clock: &clock{began: time.Now()}, warehouse: warehouse, path: bigfixtest.UsagePath}
	o.Now, o.Token, o.User, o.Password = w.clock.now, token, user, password
	if o.Rows == 0 {
		o.Rows = 100
	}
	var err error
	w.bigfix, err = bigfixtest.Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.bigfix.Close()) })
	w.faults = &w.bigfix.Faults
	w.configure(name, schema.KindBigFix, w.bigfix.URL, w.bigfix.CAPEM)
	w.source.ServerColumns = []string{"name"}
	w.view, w.day, w.sum = "license_usage", "usage_date", "sum(hwm_quantity)"
	w.truth = func(_ string, day schema.Day) string {
		rows, sum, err := w.bigfix.Truth(day.String(), 0)
		require.NoError(t, err)
		return fmt.Sprintf("%d rows, %d", rows, sum)
	}
	return w
}

// nexthinkWorld is a Nexthink Portal with one target and both of its lists.
func nexthinkWorld(t *testing.T, warehouse *load.Warehouse, name string) *world {
	t.Helper()
	w := &world{t: t, clock: &clock{began: time.Now()}, warehouse: warehouse, path: nexthinktest.DetailsPath}
	w.portal = nexthinktest.New(nexthinktest.Options{Devices: 2500, User: user, Password: password, Now: w.clock.now})
	server, err := w.portal.Start("")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	w.faults = &w.portal.Faults
	w.configure(name, schema.KindNexthink, server.URL, server.CAPEM)
	metric := nexthinktest.Metrics()[0]
	w.source.Format = nexthink.FormatJSON
	w.source.Targets = []config.Target{{
		Name: "visio", Metric: metric.UID, Program: metric.Programs[0].UID, Path: []string{"Europe"},
		Lists: []string{nexthink.ListInstalled, nexthink.ListUnderusage}, WindowDays: 30,
	}}
	w.view, w.day, w.sum = "metering_details", "snapshot_date", "sum(toInt64(round(avg_usage_seconds * 100)))"
	w.truth = func(feed string, day schema.Day) string {
		truth, err := w.portal.Truth(day.Start(time.UTC), nexthinktest.Target{
			Metric: metric.UID, Program: metric.Programs[0].UID, Path: []string{"Europe"}, List: path.Base(feed),
		})
		require.NoError(t, err)
		return fmt.Sprintf("%d rows, %d", truth.Devices, truth.UsageHundredths)
	}
	return w
}

func (w *world) configure(name, kind, address string, caPEM []byte) {
	w.t.Helper()
	u, err := url.Parse(address)
	require.NoError(w.t, err)
	caFile := filepath.Join(w.t.TempDir(), "ca.pem")
	require.NoError(w.t, os.WriteFile(caFile, caPEM, 0o600))
	w.source = config.Source{
		Name: name, Kind: kind, URL: u, TLS: config.TLS{CAFile: caFile}, User: user, Password: config.NewSecret(password),
		Location: time.UTC, RecheckDays: 3, Parallel: 2, Guards: config.Guards{MaxShrink: 0.5, MaxRejects: 0.01},
	}
}

// today is the source's civil date.
func (w *world) today() schema.Day { return schema.DayOf(w.clock.now(), time.UTC) }

// sources builds the source as wire does, with the client's limits of the world.
func (w *world) sources() []run.Source {
	w.t.Helper()
	sources, err := wire.Sources([]config.Source{w.source})
	require.NoError(w.t, err)
	s, c := &sources[0], w.source
	if w.bigfix != nil {
		s.API, err = bigfix.New(bigfix.Options{
			Name: c.Name, URL: c.URL, TLS: bigfix.TLSOptions{CAFile: c.TLS.CAFile}, User: c.User, Password: c.Password.Reveal,
			Parallel: c.Parallel, MaxRetries: w.api.retries, RetryDelay: time.Millisecond,
			RequestTimeout: w.api.requestTimeout, IdleTimeout: w.api.idleTimeout, MaxBytes: w.api.maxBytes,
		})
	} else {
		t := c.Targets[0]
		s.API, err = nexthink.New(nexthink.Options{
			Name: c.Name, URL: c.URL, TLS: nexthink.TLSOptions{CAFile: c.TLS.CAFile}, User: c.User, Password: c.Password.Reveal,
			Format: c.Format, Targets: []nexthink.Target{{Name: t.Name, Metric: t.Metric, Program: t.Program, Path: t.Path, Lists: t.Lists}},
			Parallel: c.Parallel, MaxRetries: w.api.retries, RetryDelay: time.Millisecond,
			RequestTimeout: w.api.requestTimeout, IdleTimeout: w.api.idleTimeout, MaxBytes: w.api.maxBytes,
		})
	}
	require.NoError(w.t, err)
	w.t.Cleanup(s.API.(interface{ Close() }).Close)
	return sources
}

// plan is a backfill of the days, published ones included.
func (w *world) plan(from, to schema.Day) plan.Plan {
	w.t.Helper()
	ledger := w.ledger()
	in := plan.Input{Feeds: wire.Feeds([]config.Source{w.source}), Ledger: ledger, Now: w.clock.now()}
	return plan.Range(in, from, to, plan.RangeOptions{Force: true})
}

func (w *world) ledger() []schema.Load {
	w.t.Helper()
	ledger, err := w.warehouse.Ledger(w.t.Context(), load.LedgerQuery{Source: w.source.Name})
	require.NoError(w.t, err)
	return ledger
}

// run brings the days in, as configured, and gives what became of each slice.
func (w *world) run(from, to schema.Day) run.Report {
	w.t.Helper()
	return w.runWith(w.t.Context(), w.t.Context(), w.sources(), w.plan(from, to), nobody{})
}

func (w *world) runWith(ctx, soft context.Context, sources []run.Source, p plan.Plan, o run.Observer) run.Report {
	w.t.Helper()
	require.NotEmpty(w.t, p.Do)
	runner := wire.Runner(wire.RunnerOptions{
		Warehouse: &wire.Warehouse{Warehouse: w.warehouse}, Sources: sources, PublishDelay: 10 * time.Millisecond,
		Clock: w.clock.now, Version: ledgerMark, Logger: zap.NewNop(), Observer: o,
	})
	report := runner.Run(ctx, soft, p)
	require.Len(w.t, report.Outcomes, len(p.Do), "every slice has an outcome")
	return report
}

// query gives the lines of an answer.
func (w *world) query(sql string, args ...any) []string {
	w.t.Helper()
	var out strings.Builder
	require.NoError(w.t, w.warehouse.Query(w.t.Context(), fmt.Sprintf(sql, args...), "TSV", &out))
	return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
}

// ledgerMark stands in every row of the ledger, and nowhere else on the wire.
const ledgerMark = "v1.2.3-of-the-ledger"

const nothing = "0 rows, 0"

// readersSee is what the view shows of a slice, in the words of truth.
func (w *world) readersSee(feed string, day schema.Day) string {
	w.t.Helper()
	return w.allThatReadersSee()(feed, day)
}

// allThatReadersSee asks once for all slices of the source.
func (w *world) allThatReadersSee() func(feed string, day schema.Day) string {
	w.t.Helper()
	seen := map[string]string{}
	for _, line := range w.query("SELECT concat(feed, ' ', toString(%[2]s)), concat(toString(count()), ' rows, ', toString(%[3]s)) "+
		"FROM %[1]s WHERE source = '%[4]s' GROUP BY feed, %[2]s", w.view, w.day, w.sum, w.source.Name) {
		slice, sums, _ := strings.Cut(line, "\t")
		seen[slice] = sums
	}
	return func(feed string, day schema.Day) string {
		if sums, ok := seen[feed+" "+day.String()]; ok {
			return sums
		}
		return nothing
	}
}

// feeds are the names of the source's feeds.
func (w *world) feeds() []string {
	var names []string
	for _, f := range wire.Feeds([]config.Source{w.source}) {
		names = append(names, f.Feed)
	}
	return names
}

// requireTruth holds what readers see of the days to what the source says.
func (w *world) requireTruth(from, to schema.Day) {
	w.t.Helper()
	seen := w.allThatReadersSee()
	for day := from; day <= to; day++ {
		for _, feed := range w.feeds() {
			require.Equal(w.t, w.truth(feed, day), seen(feed, day), "%s of %s", feed, day)
		}
	}
}

// nobody watches a run.
type nobody struct{}

func (nobody) Planned([]plan.Item)    {}
func (nobody) Rows(plan.Item, uint64) {}
func (nobody) Note(plan.Item, string) {}
func (nobody) Finished(run.Outcome)   {}
