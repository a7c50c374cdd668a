package cli

import (
	"fmt"
	"io"
	"slices"
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
		Long: `Lists the slices that "sync", or "backfill" with --from and --to, would pull now: the
state of each, the reason, and the requests and rows that it is likely to take. They
are those of the last pull of the same slice; ~ marks those of another day of the feed,
because the slice was never pulled, and ? a feed that was never pulled at all.

The daemon, "sync", "backfill" and their --dry-run decide by the same function.`,
		Args: noArgs,
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
		var reasons []plan.Reason
		rows := make([]table.Row, len(p.Do))
		for i, x := range p.Do {
			rows[i] = table.Row{x.Day, x.Source, x.Feed, x.State, x.Reason, expected(x.Cost, x.Cost.Requests), expected(x.Cost, x.Cost.Rows)}
			if !slices.Contains(reasons, x.Reason) {
				reasons = append(reasons, x.Reason)
			}
		}
		printTable(out, table.Row{"day", "source", "feed", "state", "reason", "requests", "rows"}, rows)
		for _, r := range reasons {
			fmt.Fprintf(out, "%s: %s\n", r, r.Explain())
		}
	}
	fmt.Fprintf(out, "%s to pull%s.\n", plural(len(p.Do), "slice"), expectedInAll(p))
	for _, reason := range skipReasons(p) {
		fmt.Fprintln(out, "Not: "+reason)
	}
}

// expected writes a figure of a cost: ~ before what another day took, ? for what
// nobody knows.
func expected(c plan.Cost, n uint64) string {
	switch {
	case !c.Known:
		return "?"
	case c.Estimated:
		return "~" + count(n)
	default:
		return count(n)
	}
}

// expectedInAll says what a plan is likely to take.
func expectedInAll(p plan.Plan) string {
	t := p.Total()
	if t.Unknown == len(p.Do) {
		return ""
	}
	s := fmt.Sprintf(": about %s, %s rows, %s", plural(int(t.Requests), "request"), count(t.Rows), size(t.Bytes)) //nolint:gosec // a count
	if t.Work >= time.Second {
		s += fmt.Sprintf(", %s of loading", t.Work.Round(time.Second))
	}
	if t.Unknown > 0 {
		s += fmt.Sprintf(", and what %s of feeds that were never pulled will take", plural(t.Unknown, "slice"))
	}
	return s
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
