package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/meterhouse/meterhouse/cmd/internal/config"
	"github.com/meterhouse/meterhouse/cmd/internal/wire"
	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/etl/run"
	"github.com/meterhouse/meterhouse/schema"
)

func (a *App) pruneCommand() *cobra.Command {
	keepSuperseded, keepUnpublished := ageFlag(90*24*time.Hour), ageFlag(7*24*time.Hour)
	var dryRun, asJSON bool
	cmd := &cobra.Command{
		Use:   "prune",
		Short: "Delete the rows of loads that no reader can see",
		Long: `Deletes the rows of loads that no reader sees now: versions that were superseded, and
could not be seen at any moment within --keep-superseded either, as with
license_usage_as_of; loads that were refused or failed more than --keep-unpublished
ago; and what a process left behind that ended before it wrote its row in the ledger,
after two days. Their rows in the ledger stay, as the history. A load that was
pruned cannot be rolled back to, accepted or compared.

It can run beside a daemon. Killed, it is finished by the next one.`,
		Example: "  meterhouse prune --dry-run\n  meterhouse prune --keep-superseded 365d --keep-unpublished 30d",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r := plan.Retention{Superseded: time.Duration(keepSuperseded), Unpublished: time.Duration(keepUnpublished), Now: time.Now()}
			return a.prune(cmd, r, dryRun, asJSON)
		},
	}
	cmd.Flags().Var(&keepSuperseded, "keep-superseded", "how long readers can go back to a version after it was superseded")
	cmd.Flags().Var(&keepUnpublished, "keep-unpublished", "how long refused and failed loads are kept")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "say what would be deleted and do nothing")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, with every load")
	addMigrateFlag(cmd)
	return cmd
}

// prunedJSON is `prune --json`.
type prunedJSON struct {
	DryRun bool `json:"dry_run"`
	run.PruneReport
}

func (a *App) prune(cmd *cobra.Command, r plan.Retention, dryRun, asJSON bool) error {
	ctx := cmd.Context()
	cfg, log, err := a.loadConfig(config.LoadForWarehouse, false)
	if err != nil {
		return err
	}
	s, done, err := a.connect(ctx, cfg, log, migrateWish(cmd, cfg))
	if err != nil {
		return err
	}
	defer done()
	report, err := run.PlanPrune(ctx, s.warehouse.Stock(), r)
	if err != nil {
		return fmt.Errorf("choosing what to prune: %w", err)
	}
	if !dryRun {
		mark := schema.PrunedLoad{PrunedAt: r.Now, Host: wire.Host(), Version: a.Version}
		if report, err = run.Prune(ctx, s.warehouse.Stock(), r, report, mark); err != nil {
			return fmt.Errorf("pruning: %w", err)
		}
	}
	if asJSON {
		return printJSON(cmd.OutOrStdout(), prunedJSON{dryRun, report})
	}
	printPruned(cmd, report)
	switch {
	case len(report.Loads) == 0:
		a.say("Nothing to prune.")
	case dryRun:
		a.say("Nothing was deleted: this was a dry run.")
	default:
		a.say("Deleted. The ledger keeps its rows, and readers see what they saw.")
	}
	return nil
}

func printPruned(cmd *cobra.Command, p run.PruneReport) {
	if len(p.Loads) == 0 {
		return
	}
	rows := make([]table.Row, len(p.Tables))
	for i, t := range p.Tables {
		rows[i] = table.Row{t.Name, t.Loads, count(t.Rows), size(t.Bytes)}
	}
	printTable(cmd.OutOrStdout(), table.Row{"table", "loads", "rows", "on disk, about"}, rows)
	var order []string
	whys := map[string]int{}
	for _, l := range p.Loads {
		order = appendNew(order, l.Why)
		whys[l.Why]++
	}
	parts := make([]string, len(order))
	for i, why := range order {
		parts[i] = fmt.Sprintf("%d %s", whys[why], why)
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s: %s.\n", plural(len(p.Loads), "load"), joined(parts))
}

// ageFlag is a flag whose value is a number of days, "90d", or a duration.
type ageFlag time.Duration

func (f *ageFlag) String() string {
	const day = 24 * time.Hour
	if d := time.Duration(*f); d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	return time.Duration(*f).String()
}

func (f *ageFlag) Set(s string) error {
	const maxDays = 36_500
	if digits, isDays := strings.CutSuffix(s, "d"); isDays {
		if n, err := strconv.Atoi(digits); err == nil && n >= 0 && n <= maxDays {
			*f = ageFlag(time.Duration(n) * 24 * time.Hour)
			return nil
		}
	} else if d, err := time.ParseDuration(s); err == nil && d >= 0 {
		*f = ageFlag(d)
		return nil
	}
	return fmt.Errorf("%q is not an age; write 90d or 36h", s)
}

func (f *ageFlag) Type() string { return "age" }
