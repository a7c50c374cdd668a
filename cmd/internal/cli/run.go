package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/meterhouse/meterhouse/cmd/internal/config"
	"github.com/meterhouse/meterhouse/cmd/internal/wire"
	"github.com/meterhouse/meterhouse/etl/notify"
	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/etl/run"
	"github.com/meterhouse/meterhouse/etl/schedule"
	"github.com/meterhouse/meterhouse/etl/serve"
	"github.com/meterhouse/meterhouse/schema"
)

func (a *App) runCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run",
		Short: "The daemon: every source on its own schedule",
		Long: `Syncs every source on its own schedule, in its own time zone, until it is told to
stop. If a firing was missed while the daemon was down, it catches up at once.
SIGTERM or Ctrl-C finishes the loads in hand within ` + stopLimit.String() + `; a second one stops at once.
An embedded warehouse answers readers for as long as the daemon runs. With "serve" in
the configuration it answers /healthz, /readyz and /metrics there; the places of
"notify" are told of passes with news.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, log, err := a.loadConfig(config.Load, true)
			if err != nil {
				return err
			}
			s, done, err := a.open(cmd.Context(), cfg, migrateWish(cmd, cfg),
				wire.WarehouseOptions{Version: a.Version, Logger: log, Say: a.say, Stay: true})
			if err != nil {
				return err
			}
			defer done()
			return a.daemon(cmd.Context(), s)
		},
	}
	addMigrateFlag(cmd)
	return cmd
}

// daemon runs until ctx ends, which is its ordinary end.
func (a *App) daemon(ctx context.Context, s *session) error {
	metrics, err := a.metrics(ctx, s)
	if err != nil {
		return err
	}
	r, err := a.runner(s, metrics, s.log)
	if err != nil {
		return err
	}
	tell, err := newTeller(s)
	if err != nil {
		return err
	}
	tell.told = metrics.Notified
	stopServing, err := s.serve(ctx, metrics)
	if err != nil {
		return err
	}
	defer stopServing()
	s.log.Info("daemon started", zap.String("version", a.Version), zap.Int("sources", len(s.cfg.Sources)))
	if e, ok := s.warehouse.Embedded(); ok {
		s.log.Info("the embedded warehouse answers readers", zap.String("address", e.Addr), zap.String("read_only_user", e.ReaderUser))
	}
	pruner := &archivePruner{archive: s.archive, log: s.log}
	var jobs []schedule.Job
	for _, src := range s.cfg.Sources {
		d := &daemonPass{app: a, session: s, runner: r, pruner: pruner, metrics: metrics, teller: tell, source: src}
		missed, err := d.missed(ctx)
		if err != nil {
			return err
		}
		jobs = append(jobs, schedule.Job{
			Name: src.Name, Spec: src.Schedule, Location: src.Location, AtOnce: missed,
			Run: func() { d.run(ctx) },
		})
	}
	if err := schedule.Run(ctx, jobs, s.log); err != nil {
		return err //nolint:wrapcheck // names the job
	}
	s.log.Info("daemon stopped")
	return nil
}

// daemonPass syncs one source each time its schedule fires.
type daemonPass struct {
	app     *App
	session *session
	runner  *run.Runner
	pruner  *archivePruner
	metrics *serve.Metrics
	teller  *teller
	source  config.Source
	stuck   bool // the pass before could not begin
}

func (d *daemonPass) plan(ctx context.Context, at time.Time) (plan.Plan, error) {
	in, err := d.session.planInput(ctx, at)
	if err != nil {
		return plan.Plan{}, err
	}
	d.metrics.Ledger(in.Ledger)
	return plan.Sync(in, plan.Options{Source: d.source.Name}), nil
}

// missed reports whether the last firing before now left work undone. A
// snapshot source only counts a firing of today: before it, today's snapshot
// may not have been computed yet, and yesterday's is out of reach.
func (d *daemonPass) missed(ctx context.Context) (bool, error) {
	now := time.Now()
	last, err := schedule.Last(d.source.Schedule, d.source.Location, now)
	if err != nil || last.IsZero() {
		return false, err //nolint:wrapcheck // names the schedule
	}
	if d.source.Kind == schema.KindNexthink &&
		schema.DayOf(last, d.source.Location) != schema.DayOf(now, d.source.Location) {
		return false, nil
	}
	p, err := d.plan(ctx, last)
	if err != nil {
		return false, err
	}
	for _, item := range p.Do {
		if item.Published == nil {
			return true, nil
		}
	}
	return false, nil
}

// tell tells operators. The first request to stop does not keep it from that.
func (d *daemonPass) tell(p notify.Pass) {
	p.Source = d.source.Name
	d.teller.tell(d.app.stop.hard, p)
}

func (d *daemonPass) run(ctx context.Context) {
	log := d.session.log.With(zap.String("source", d.source.Name))
	log.Info("pass started")
	p, err := d.plan(ctx, time.Now())
	if err != nil {
		log.Error("pass finished", zap.Error(err))
		if ctx.Err() == nil {
			d.tell(notify.Pass{Err: err})
			d.stuck = true
		}
		return
	}
	report := d.runner.Run(d.app.stop.hard, ctx, p)
	log.Info("pass finished", zap.Int("published", report.Count(schema.Published)),
		zap.Int("unchanged", report.Count(schema.Unchanged)), zap.Int("refused", report.Count(schema.Refused)),
		zap.Int("failed", report.Count(schema.Failed)), zap.Int("not_tried", report.Untried()),
		zap.Uint64("rows", report.Rows()), zap.Duration("took", report.Took))
	d.metrics.PassEnded(d.source.Name, report.Took)
	d.tell(notify.Pass{Report: report, Resumed: d.stuck})
	d.stuck = false
	d.pruner.prune(ctx)
}

// silent observes nothing: the daemon's word is its log.
type silent struct{}

func (silent) Planned([]plan.Item)    {}
func (silent) Rows(plan.Item, uint64) {}
func (silent) Note(plan.Item, string) {}
func (silent) Finished(run.Outcome)   {}
