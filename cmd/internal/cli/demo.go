package cli

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/meterhouse/meterhouse/cmd/internal/config"
	"github.com/meterhouse/meterhouse/cmd/internal/wire"
	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/etl/run"
	"github.com/meterhouse/meterhouse/schema"
)

// demoDays is how many mornings the demo plays.
const demoDays = 35

// demoDelay is the demo's publish delay: nobody reads yet, and there are many
// mornings.
const demoDelay = 50 * time.Millisecond

// morning is when the demo's passes happen, after midnight UTC.
const morning = 6 * time.Hour

func (a *App) demoCommand() *cobra.Command {
	var (
		dir  string
		once bool
	)
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Simulated sources, an embedded warehouse, 35 days of data",
		Long: `Plays 35 mornings, one after the other: each syncs a simulated BigFix Inventory and
a simulated Nexthink Portal, whose clocks follow, into an embedded ClickHouse. It
needs no server and touches nothing outside --dir. Afterwards the warehouse answers
readers until Ctrl-C; with --once the demo ends instead.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			temporary := dir == ""
			if temporary {
				t, err := os.MkdirTemp("", "meterhouse-demo-")
				if err != nil {
					return fmt.Errorf("making a folder for the demo: %w", err)
				}
				defer func() { _ = os.RemoveAll(t) }()
				dir = t
			}
			return a.demo(cmd, dir, once)
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "keep configuration and warehouse in this folder, new or empty (default: temporary)")
	cmd.Flags().BoolVar(&once, "once", false, "end when the data is loaded and shown")
	addMigrateFlag(cmd)
	return cmd
}

// demoClock is the time that the demo pretends: the morning it is at, going on
// from there as real time does.
type demoClock struct {
	base  time.Time
	since time.Time
}

func (c *demoClock) now() time.Time { return c.base.Add(time.Since(c.since)) }

func (c *demoClock) set(t time.Time) { c.base, c.since = t, time.Now() }

func (a *App) demo(cmd *cobra.Command, dir string, once bool) error {
	ctx := cmd.Context()
	if err := emptyFolder(dir); err != nil {
		return err
	}
	today := schema.DayOf(time.Now(), time.UTC)
	first := today - demoDays + 1
	clock := &demoClock{}
	clock.set(first.UTC().Add(morning))
	e, err := startEstate(ctx, estateOptions{
		dir: dir, bigfixAddr: "127.0.0.1:0", nexthinkAddr: "127.0.0.1:0", rows: 500, devices: 2000,
		now: clock.now, start: first - 1,
	})
	if err != nil {
		return err
	}
	defer e.close()
	cfg, err := config.Load(e.configFile, a.Env)
	if err != nil {
		return &configError{err}
	}
	log, err := a.logger(cfg.Log, a.verbose)
	if err != nil {
		return err
	}
	a.say("Starting the embedded ClickHouse in %s ...", cfg.Warehouse.Dir)
	s, done, err := a.connect(ctx, cfg, log, migrateWish(cmd, cfg))
	if err != nil {
		return err
	}
	defer done()
	total, err := a.playMornings(ctx, s, e, clock, first)
	if err != nil {
		return err
	}
	if err := s.demoSummary(cmd, total); err != nil {
		return err
	}
	if !total.Complete() {
		return errIncomplete
	}
	if !once {
		a.demoStay(ctx, s, e)
	}
	return nil
}

func emptyFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the folder for the demo: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("looking into the folder for the demo: %w", err)
	}
	if len(entries) > 0 {
		return fmt.Errorf("%s is not empty; name a new folder with --dir, or leave --dir out", dir)
	}
	return nil
}

// playMornings syncs once per simulated day. On the way the source changes its
// mind about a day that was already published.
func (a *App) playMornings(ctx context.Context, s *session, e *estate, clock *demoClock, first schema.Day) (run.Report, error) {
	sources, err := wire.Sources(s.cfg.Sources)
	if err != nil {
		return run.Report{}, err //nolint:wrapcheck // names the source
	}
	if err := s.openArchive(); err != nil {
		return run.Report{}, err
	}
	o := a.runnerOptions(s, sources, silent{}, s.log)
	o.PublishDelay, o.Clock = demoDelay, clock.now
	r := wire.Runner(o)
	var total run.Report
	for day := first; day < first+demoDays; day++ {
		clock.set(day.UTC().Add(morning))
		if day == first+demoDays-7 {
			if err := e.bigfix.Revise((day - 2).String(), 1); err != nil {
				return total, fmt.Errorf("restating a day: %w", err)
			}
		}
		in, err := s.planInput(ctx, clock.now())
		if err != nil {
			return total, err
		}
		report := r.Run(a.stop.hard, ctx, plan.Sync(in, plan.Options{}))
		total.Outcomes = append(total.Outcomes, report.Outcomes...)
		total.Took += report.Took
		a.say("Morning of %s: %s", day, tally(report))
		if ctx.Err() != nil {
			return total, fmt.Errorf("the demo was stopped after %d of %d mornings: %w", day-first, demoDays, context.Cause(ctx))
		}
	}
	return total, nil
}

func (s *session) demoSummary(cmd *cobra.Command, total run.Report) error {
	out := cmd.OutOrStdout()
	type sum struct {
		feeds, days      map[string]bool
		rows             uint64
		slices, restated int
		unchanged        int
		took             time.Duration
	}
	sums := map[string]*sum{}
	var order []string
	for _, o := range total.Outcomes {
		x := sums[o.Item.Source]
		if x == nil {
			x = &sum{feeds: map[string]bool{}, days: map[string]bool{}}
			sums[o.Item.Source] = x
			order = append(order, o.Item.Source)
		}
		x.took += o.Took
		switch o.Load.Status {
		case schema.Published:
			x.feeds[o.Item.Feed], x.days[o.Item.Day.String()] = true, true
			x.slices++
			x.rows += o.Load.Rows
			if o.Load.PreviousLoadID != 0 {
				x.restated++
			}
		case schema.Unchanged:
			x.unchanged++
		}
	}
	var rows []table.Row
	for _, name := range order {
		x := sums[name]
		rows = append(rows, table.Row{
			name, len(x.feeds), len(x.days), x.slices, x.restated, x.unchanged, count(x.rows), fmt.Sprintf("%.1f", x.took.Seconds()),
		})
	}
	fmt.Fprintln(out)
	printTable(out, table.Row{"source", "feeds", "days", "published", "restated", "unchanged", "rows", "seconds of loading"}, rows)
	fmt.Fprintf(out, "In all %s rows in %s.\n", count(total.Rows()), short(total.Took))
	return s.demoQueries(cmd)
}

// demoQueries shows three questions that people ask, with the answers.
func (s *session) demoQueries(cmd *cobra.Command) error {
	out := cmd.OutOrStdout()
	for _, q := range []struct{ question, sql string }{
		{
			"Which products used the most PVUs on their peak day of the month?",
			"SELECT period_start, product_name, metric_code_name, peak_day, peak_hwm_quantity_sum\n" +
				"FROM license_peak WHERE period_kind = 'month' AND metric_code_name LIKE 'PVU%'\n" +
				"ORDER BY period_start DESC, peak_hwm_quantity_sum DESC LIMIT 5",
		},
		{
			"Which licenses are installed but hardly used?",
			"SELECT target, devices_installed, devices_underused, round(underused_share * 100) AS percent\n" +
				"FROM metering_summary WHERE snapshot_date = (SELECT max(snapshot_date) FROM metering_summary) ORDER BY target",
		},
		{
			"Which published days did a source restate?",
			"SELECT source, feed, day, earlier_rows, rows, restated_at FROM restatements ORDER BY day",
		},
	} {
		fmt.Fprintf(out, "\n%s\n\n%s\n\n", q.question, q.sql)
		if err := s.warehouse.Query(cmd.Context(), q.sql, "PrettyCompactMonoBlock", out); err != nil {
			return fmt.Errorf("asking an example query: %w", err)
		}
	}
	return nil
}

// demoStay serves readers until the user has seen enough.
func (a *App) demoStay(ctx context.Context, s *session, e *estate) {
	if at, ok := s.warehouse.Embedded(); ok {
		a.say("\nThe warehouse answers at http://%s (user %q, key in %s). In another terminal:\n"+
			"  meterhouse --config %s status\n  meterhouse --config %s query \"SHOW TABLES\"\nCtrl-C ends the demo.",
			at.Addr, at.ReaderUser, s.cfg.Warehouse.Dir, e.configFile, e.configFile)
	}
	<-ctx.Done()
}
