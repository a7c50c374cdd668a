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
)

func (a *App) syncCommand() *cobra.Command {
	var (
		only   filters
		day    dayFlag
		dryRun bool
	)
	cmd := &cobra.Command{
		Use:   "sync",
		Short: "One pass now: due days, missed days, and the recheck window",
		Long: `Pulls and publishes what is due: the days that ended since the last pass, days
missed or failed since the source's "start", and once more the last "recheck_days"
published days, which sources restate. Of a snapshot source (nexthink) only today
can be pulled. The places of "notify" are told, as by the daemon.`,
		Example: "  meterhouse sync\n  meterhouse sync --source bfi-emea --day 2026-11-20",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			makePlan := func(in plan.Input) plan.Plan {
				p := plan.Sync(in, plan.Options{Source: only.source, Feed: only.feed, Day: day.pointer()})
				if day.set && !dryRun {
					a.saySkipped(p)
				}
				return p
			}
			return a.pass(cmd, only, passOptions{dryRun: dryRun, tell: true}, makePlan)
		},
	}
	only.add(cmd)
	cmd.Flags().Var(&day, "day", "only this day")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "print the plan and do nothing")
	addMigrateFlag(cmd)
	return cmd
}

func (a *App) backfillCommand() *cobra.Command {
	var (
		only     filters
		from, to dayFlag
		force    bool
		dryRun   bool
		parallel int
	)
	cmd := &cobra.Command{
		Use:   "backfill --from DAY --to DAY",
		Short: "Pull a range of days, both ends included",
		Long: `Pulls every day from --from to --to that is not published yet. Interrupt it when
you like: the ledger knows what is published, and the same command goes on from
there. Days that a snapshot source (nexthink) cannot give any more are listed as
out of reach; they are never filled with today's data.`,
		Example: "  meterhouse backfill --from 2026-01-01 --to 2026-10-31 --dry-run",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !from.set || !to.set {
				return usagef("backfill needs --from and --to, both YYYY-MM-DD")
			}
			if to.day < from.day {
				return usagef("--to %s is before --from %s", to.day, from.day)
			}
			if parallel < 0 {
				return usagef("--parallel %d is negative", parallel)
			}
			makePlan := func(in plan.Input) plan.Plan {
				p := plan.Range(in, from.day, to.day, plan.RangeOptions{Source: only.source, Feed: only.feed, Force: force})
				if !dryRun { // the plan that a dry run prints says it, too
					a.saySkipped(p)
				}
				return p
			}
			return a.pass(cmd, only, passOptions{dryRun: dryRun, parallel: parallel}, makePlan)
		},
	}
	only.add(cmd)
	cmd.Flags().Var(&from, "from", "first day")
	cmd.Flags().Var(&to, "to", "last day")
	cmd.Flags().BoolVar(&force, "force", false, "pull published days again, too")
	cmd.Flags().IntVar(&parallel, "parallel", 0, "requests in flight to each source (default: as configured)")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "print the plan and do nothing")
	addMigrateFlag(cmd)
	return cmd
}

// passOptions are what tells one pass from another.
type passOptions struct {
	dryRun   bool
	parallel int  // 0 for the sources' own
	tell     bool // also those who do not sit at the terminal
}

// pass plans and runs once, and says what came of it.
func (a *App) pass(cmd *cobra.Command, only filters, o passOptions, makePlan func(plan.Input) plan.Plan) error {
	ctx := cmd.Context()
	cfg, log, err := a.loadConfig(config.Load, false)
	if err != nil {
		return err
	}
	if err := only.check(wire.Feeds(cfg.Sources)); err != nil {
		return err
	}
	if o.parallel > 0 {
		for i := range cfg.Sources {
			cfg.Sources[i].Parallel = o.parallel
		}
	}
	s, done, err := a.connect(ctx, cfg, log, migrateWish(cmd, cfg))
	if err != nil {
		return err
	}
	defer done()
	in, err := s.planInput(ctx, time.Now())
	if err != nil {
		return err
	}
	p := makePlan(in)
	if o.dryRun {
		printPlan(cmd.OutOrStdout(), p)
		return nil
	}
	return a.carryOut(ctx, s, p, only.source, o.tell)
}

// saySkipped names the days that were asked for and are left out.
func (a *App) saySkipped(p plan.Plan) {
	for _, reason := range skipReasons(p) {
		a.say("Skipping %s.", reason)
	}
}

// carryOut runs a plan with progress and prints the closing sentences.
func (a *App) carryOut(ctx context.Context, s *session, p plan.Plan, source string, tell bool) error {
	t, err := newTeller(s)
	if err != nil {
		return err
	}
	o, log := a.progress(), zap.NewNop()
	if a.verbose {
		log = s.log
	}
	r, err := a.runner(s, o, log)
	if err != nil {
		o.Close()
		return err
	}
	stopWord := context.AfterFunc(ctx, func() {
		o.Say("Stopping: what is in hand is finished, within " + stopLimit.String() + "; Ctrl-C again stops at once.")
	})
	report := r.Run(a.stop.hard, ctx, p)
	stopWord()
	o.Close()
	result := a.conclude(report, ctx.Err() != nil)
	if tell {
		t.tell(a.stop.hard, notify.Pass{Source: source, Report: report}) //nolint:contextcheck // the first request to stop does not keep it from that
	}
	return result
}
