package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/meterhouse/meterhouse/cmd/internal/config"
	"github.com/meterhouse/meterhouse/cmd/internal/status"
	"github.com/meterhouse/meterhouse/cmd/internal/wire"
)

func (a *App) statusCommand() *cobra.Command {
	var (
		only           filters
		days           statusRange
		asJSON, byFeed bool
	)
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Coverage by source, feed and day; what is missing, and why",
		Long: `Says whether everything that is due is published, and shows which days are not:
a table of the feeds, a calendar of the last twelve months for each source, and
a list of the days that need a look, with the reason. Days are those of the
source's time zone.

  .  published
  ~  provisional: published, and the source may still restate it
  r  restated: published, and changed since
  p  partial: published, and known to be incomplete at the source
  f  published; a later load failed
  x  published; a later load was refused, and "meterhouse accept" publishes it
  M  missing: due, and never loaded
  F  failed
  X  refused by a guard; "meterhouse accept" publishes it
  O  out of reach: not loaded in time, and the source only shows today
  -  not yet due

Capitals are days of which readers see nothing. Of several feeds a calendar shows
for each day what most needs a look, or, where only some of them are not
published, how many (+ for ten and more); --by-feed draws one for each feed.
Colours are for terminals only, and not where NO_COLOR is set.`,
		Example: `  meterhouse status
  meterhouse status --source bfi-emea --by-feed --year 2025
  meterhouse status --from 2026-01-01 --to 2026-03-31 --json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := days.settle(cmd.Flags().Changed("year")); err != nil {
				return err
			}
			cfg, log, err := a.loadConfig(config.LoadForWarehouse, false)
			if err != nil {
				return err
			}
			if err := only.check(wire.Feeds(cfg.Sources)); err != nil {
				return err
			}
			s, done, err := a.connect(cmd.Context(), cfg, log, migrateWish(cmd, cfg))
			if err != nil {
				return err
			}
			defer done()
			in, err := s.planInput(cmd.Context(), time.Now())
			if err != nil {
				return err
			}
			feeds := status.Of(in, status.Query{
				Source: only.source, Feed: only.feed, From: days.from.pointer(), To: days.to.pointer(),
			})
			if asJSON {
				return printJSON(cmd.OutOrStdout(), feeds)
			}
			fmt.Fprint(cmd.OutOrStdout(), status.Text(feeds, status.Look{
				Colours: a.colours(), ByFeed: byFeed, AllDays: days.from.set,
			}))
			return nil
		},
	}
	only.add(cmd)
	cmd.Flags().Var(&days.from, "from", "first day (default: the source's start, or the first day in the ledger)")
	cmd.Flags().Var(&days.to, "to", "last day (default: the last day that is due)")
	cmd.Flags().IntVar(&days.year, "year", 0, "the days of this year, such as 2025")
	cmd.Flags().BoolVar(&byFeed, "by-feed", false, "a calendar for each feed, not one for each source")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, with every day")
	return cmd
}

// statusRange is what status is told of the days to look at.
type statusRange struct {
	from, to dayFlag
	year     int
}

// settle checks the flags, and makes --year a range.
func (r *statusRange) settle(byYear bool) error {
	if byYear {
		if r.from.set || r.to.set {
			return usagef("--year excludes --from and --to")
		}
		if r.from.Set(fmt.Sprintf("%04d-01-01", r.year)) != nil || r.to.Set(fmt.Sprintf("%04d-12-31", r.year)) != nil {
			return usagef("--year %d is not a year that the warehouse can hold whole, 1970 to 2148", r.year)
		}
	}
	if r.from.set && r.to.set && r.to.day < r.from.day {
		return usagef("--to %s is before --from %s", r.to.day, r.from.day)
	}
	return nil
}
