package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/meterhouse/meterhouse/cmd/internal/config"
	"github.com/meterhouse/meterhouse/cmd/internal/wire"
	"github.com/meterhouse/meterhouse/etl/archive"
	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/etl/run"
	"github.com/meterhouse/meterhouse/schema"
)

// replayWish is what the flags of `replay` ask for.
type replayWish struct {
	only          filters
	day, from, to dayFlag
	loadID        loadFlag
	force, dryRun bool
}

func (a *App) replayCommand() *cobra.Command {
	var w replayWish
	cmd := &cobra.Command{
		Use:   "replay (--day DAY | --from DAY --to DAY | --load ID)",
		Short: "Load days again from the archive, without their source",
		Long: `Loads days again from what their source answered then, as the archive has it:
normalised, verified, guarded and published as in any other load, under a new load
id. The source is not asked, and its secrets are not needed.

Of a day that readers see, the answers of the version that they see are taken; of
another day, the newest. --load names other ones. A day that comes out the same is
left as it is ("unchanged"), unless --force makes a new version of it.`,
		Example: "  meterhouse replay --source nexthink-hq --from 2026-10-01 --to 2026-10-31\n" +
			"  meterhouse replay --source bfi-emea --feed default --day 2026-11-20 --load 7480392183021568",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := w.check(cmd); err != nil {
				return err
			}
			return a.replay(cmd, w)
		},
	}
	w.only.add(cmd)
	cmd.Flags().Var(&w.day, "day", "only this day")
	cmd.Flags().Var(&w.from, "from", "first day of a range")
	cmd.Flags().Var(&w.to, "to", "last day of a range")
	cmd.Flags().Var(&w.loadID, "load", "the archived load with this id")
	cmd.Flags().BoolVar(&w.force, "force", false, "make a new version also of days that come out the same")
	cmd.Flags().BoolVar(&w.dryRun, "dry-run", false, "print what would be loaded and do nothing")
	addMigrateFlag(cmd)
	return cmd
}

func (w *replayWish) check(cmd *cobra.Command) error {
	switch {
	case w.from.set != w.to.set:
		return usagef("--from and --to go together")
	case w.from.set && w.day.set:
		return usagef("--day does not go with --from and --to")
	case !w.from.set && !w.day.set && w.loadID == 0:
		return usagef("replay needs --day, or --from and --to, or --load\nSee '%s --help'.", cmd.CommandPath())
	case w.to.day < w.from.day:
		return usagef("--to %s is before --from %s", w.to.day, w.from.day)
	case w.only.feed != "" && w.only.source == "":
		return usagef("--feed goes with --source")
	}
	if w.day.set {
		w.from, w.to = w.day, w.day
	}
	return nil
}

func (w *replayWish) wants(e archive.Entry) bool {
	inRange := !w.from.set || e.Day >= w.from.day && e.Day <= w.to.day
	return inRange && e.Complete() && (w.loadID == 0 || e.LoadID == uint64(w.loadID))
}

func (a *App) replay(cmd *cobra.Command, w replayWish) error {
	ctx := cmd.Context()
	cfg, log, err := a.loadConfig(config.LoadForArchive, false)
	if err != nil {
		return err
	}
	// A feed may be gone from the configuration and still be in the archive.
	if err := (&filters{source: w.only.source}).check(wire.Feeds(cfg.Sources)); err != nil {
		return err
	}
	arch, err := openArchive(cfg)
	if err != nil {
		return err
	}
	s, done, err := a.connect(ctx, cfg, log, migrateWish(cmd, cfg))
	if err != nil {
		arch.Close()
		return err
	}
	defer done()
	s.archive = arch
	in, err := s.planInput(ctx, time.Now())
	if err != nil {
		return err
	}
	r := replays{app: a, session: s, wish: w, in: in, chosen: map[schema.Slice]run.Replay{}}
	if err := r.choose(ctx); err != nil {
		return err
	}
	p := plan.Replay(r.in, r.slices)
	if w.dryRun {
		for _, item := range p.Do {
			m := r.chosen[item.Slice].Manifest
			fmt.Fprintf(cmd.OutOrStdout(), "%s\t%s\t%s\t%d\t%s\n", item.Source, item.Feed, item.Day, m.LoadID(), m.Load.Status)
		}
	} else if err := a.carryOutReplay(ctx, s, p, r.chosen); err != nil {
		return err
	}
	if r.refused {
		return errIncomplete
	}
	return nil
}

func (a *App) carryOutReplay(ctx context.Context, s *session, p plan.Plan, chosen map[schema.Slice]run.Replay) error {
	o, log := a.progress(), zap.NewNop()
	if a.verbose {
		log = s.log
	}
	options := a.runnerOptions(s, wire.ReplaySources(s.cfg.Sources), o, log)
	options.Replays = chosen
	report := wire.Runner(options).Run(a.stop.hard, ctx, p)
	o.Close()
	return a.conclude(report, ctx.Err() != nil)
}

// replays finds out which archived loads are to be loaded again.
type replays struct {
	app     *App
	session *session
	wish    replayWish
	in      plan.Input
	slices  []schema.Slice // oldest day first
	chosen  map[schema.Slice]run.Replay
	refused bool // one of the slices cannot be replayed without being told more
}

func (r *replays) choose(ctx context.Context) error {
	ledger := map[schema.Slice][]schema.Load{}
	for _, row := range r.in.Ledger {
		ledger[row.Slice] = append(ledger[row.Slice], row)
	}
	for e, err := range r.session.archive.Entries(ctx, r.wish.only.source, r.wish.only.feed) {
		if err != nil {
			return err //nolint:wrapcheck // says what it listed
		}
		if r.wish.wants(e) && !slices.Contains(r.slices[max(0, len(r.slices)-1):], e.Slice) && r.configured(e.Slice) {
			r.slices = append(r.slices, e.Slice)
		}
	}
	if len(r.slices) == 0 {
		return errors.New("the archive at " + r.session.archive.Where() + " holds nothing of what was asked for")
	}
	slices.SortStableFunc(r.slices, func(x, y schema.Slice) int { return cmp.Compare(x.Day, y.Day) })
	var kept []schema.Slice
	for _, slice := range r.slices {
		err := r.chooseFor(ctx, slice, ledger[slice])
		switch {
		case err == nil:
			kept = append(kept, slice)
		case ctx.Err() != nil:
			return context.Cause(ctx)
		default:
			r.refused = true
			r.app.say("%s %s, day %s: %v", slice.Source, slice.Feed, slice.Day, err)
		}
	}
	r.slices = kept
	r.sayMissing()
	return nil
}

// configured reports whether the slice's source is. A feed that is not gets a
// place in the plan: it can be read all the same.
func (r *replays) configured(s schema.Slice) bool {
	var like *plan.Feed
	for i, f := range r.in.Feeds {
		if f.Source == s.Source && (like == nil || f.Feed == s.Feed) {
			like = &r.in.Feeds[i]
		}
	}
	if like == nil {
		return false
	}
	if like.Feed != s.Feed {
		f := *like
		f.Feed = s.Feed
		r.in.Feeds = append(r.in.Feeds, f)
	}
	return true
}

func (r *replays) chooseFor(ctx context.Context, s schema.Slice, rows []schema.Load) error {
	var m *archive.Manifest
	var err error
	if r.wish.loadID != 0 {
		m, err = r.session.archive.Manifest(ctx, s, uint64(r.wish.loadID))
	} else {
		var loads []*archive.Manifest
		var faults []archive.Fault
		if loads, faults, err = r.session.archive.Loads(ctx, s); err == nil {
			m, err = archive.Choose(loads, seenIn(rows, s))
		}
		for _, f := range faults {
			r.app.say("warning: %s", f.Error())
		}
	}
	if err != nil {
		return err //nolint:wrapcheck // says what it read
	}
	var source config.Source
	for _, c := range r.session.cfg.Sources {
		if c.Name == s.Source {
			source = c
		}
	}
	api, err := wire.ReplayAPI(source, m)
	if err != nil {
		return err //nolint:wrapcheck // names source and load
	}
	r.chosen[s] = run.Replay{Manifest: m, API: api, Force: r.wish.force}
	return nil
}

// seenIn is the version of a slice that readers see according to its ledger
// rows, nil for none.
func seenIn(rows []schema.Load, s schema.Slice) *archive.Seen {
	p := plan.Current(rows, s)
	if p == nil {
		return nil
	}
	return &archive.Seen{LoadID: run.Answered(rows, p.LoadID), ContentHash: p.ContentHash}
}

// sayMissing says which of the days asked for the archive does not have.
func (r *replays) sayMissing() {
	if !r.wish.from.set || r.wish.loadID != 0 {
		return
	}
	days := map[schema.Day]bool{}
	for _, s := range r.slices {
		days[s.Day] = true
	}
	missing := int(r.wish.to.day-r.wish.from.day) + 1 - len(days)
	if missing > 0 && !r.refused {
		r.app.say("Of %s from %s to %s the archive has nothing.", plural(missing, "day"), r.wish.from.day, r.wish.to.day)
	}
}
