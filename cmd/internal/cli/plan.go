package cli

import (
	"fmt"
	"io"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/meterhouse/meterhouse/cmd/internal/config"
	"github.com/meterhouse/meterhouse/cmd/internal/wire"
	"github.com/meterhouse/meterhouse/etl/plan"
)

func (a *App) planCommand() *cobra.Command {
	var (
		only     filters
		from, to dayFlag
		force    bool
		asJSON   bool
	)
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Show what sync would do, or backfill with --from and --to",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if from.set != to.set {
				return usagef("--from and --to go together")
			}
			if to.day < from.day {
				return usagef("--to %s is before --from %s", to.day, from.day)
			}
			if force && !from.set {
				return usagef("--force goes with --from and --to")
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
			p := plan.Sync(in, plan.Options{Source: only.source, Feed: only.feed})
			if from.set {
				p = plan.Range(in, from.day, to.day, plan.RangeOptions{Source: only.source, Feed: only.feed, Force: force})
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), planJSON(p))
			}
			printPlan(cmd.OutOrStdout(), p)
			return nil
		},
	}
	only.add(cmd)
	cmd.Flags().Var(&from, "from", "first day of a range")
	cmd.Flags().Var(&to, "to", "last day of a range")
	cmd.Flags().BoolVar(&force, "force", false, "as backfill --force")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func printPlan(out io.Writer, p plan.Plan) {
	if len(p.Do) > 0 {
		rows := make([]table.Row, len(p.Do))
		for i, x := range p.Do {
			rows[i] = table.Row{x.Day, x.Source, x.Feed, x.State, x.Reason.Explain()}
		}
		printTable(out, table.Row{"day", "source", "feed", "state now", "to do, because"}, rows)
	}
	fmt.Fprintf(out, "%s to pull.\n", plural(len(p.Do), "slice"))
	for _, reason := range skipReasons(p) {
		fmt.Fprintln(out, "Not: "+reason)
	}
}

// planned is a slice of `plan --json`.
type planned struct {
	plan.Item
	Pull bool   `json:"pull"`
	Why  string `json:"why"`
}

func planJSON(p plan.Plan) []planned {
	out := make([]planned, 0, len(p.Do)+len(p.Skip))
	for _, x := range p.Do {
		out = append(out, planned{x, true, x.Reason.Explain()})
	}
	for _, x := range p.Skip {
		out = append(out, planned{x, false, x.Reason.Explain()})
	}
	return out
}
