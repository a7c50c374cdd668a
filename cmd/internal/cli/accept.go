package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/meterhouse/meterhouse/cmd/internal/wire"
	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/etl/run"
	"github.com/meterhouse/meterhouse/schema"
)

func (a *App) acceptCommand() *cobra.Command {
	var p publication
	cmd := &cobra.Command{
		Use:   "accept --source NAME --feed FEED --day DAY --note TEXT",
		Short: "Publish a load that a guard refused",
		Long: `Publishes the latest refused load of a day, after looking whether its rows are
still there, whole. "meterhouse diff --refused" shows what readers will see changed.
The ledger keeps the note.

If a later load of the day was published, or found what readers see unchanged, the
refused one is not the source's last word: accept then names the later load and does
nothing, unless --force is given.

The next sync compares the source with the accepted load: as long as the source says
the same, the day is unchanged. "meterhouse rollback" takes an accept back. It also wins
over whatever a daemon is loading of the same day at that moment.`,
		Example: `  meterhouse accept --source bfi-emea --feed default --day 2026-11-20 --note "200 servers were retired, asked Anna"`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.publish(cmd, &p, plan.Accept)
		},
	}
	p.add(cmd, "load", "this refused load, not the latest one")
	cmd.Flags().BoolVar(&p.force, "force", false, "also when a later load was published or unchanged")
	return cmd
}

func (a *App) rollbackCommand() *cobra.Command {
	var p publication
	cmd := &cobra.Command{
		Use:   "rollback --source NAME --feed FEED --day DAY --note TEXT",
		Short: "Publish the version of a day that readers saw before",
		Long: `Publishes the version that readers saw before the current one, after looking whether
its rows are still there, whole; or, with --to, any load of the day that was published
or refused. The ledger keeps the note. A second rollback takes the first one back.

What you rolled back from stays rolled back: a sync or backfill that pulls the day
and finds that the source still says the same records the day as unchanged and says
why. As soon as the source says something else, that is published. To publish the
version after all, roll back to it.

It also wins over whatever a daemon is loading of the same day at that moment.`,
		Example: `  meterhouse rollback --source bfi-emea --feed default --day 2026-11-20 --note "the import of the 21st was broken"` + "\n" +
			`  meterhouse rollback --source bfi-emea --feed default --day 2026-11-20 --to 7399012345678901234 --note "as agreed"`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.publish(cmd, &p, plan.Rollback)
		},
	}
	p.add(cmd, "to", "this load, not the version before")
	return cmd
}

// publication is what accept and rollback are told.
type publication struct {
	sliceFlags
	loadID loadFlag
	force  bool
	note   string
	asJSON bool
}

func (p *publication) add(cmd *cobra.Command, load, loadUsage string) {
	p.sliceFlags.add(cmd)
	cmd.Flags().Var(&p.loadID, load, loadUsage)
	cmd.Flags().StringVar(&p.note, "note", "", "why, for the ledger")
	cmd.Flags().BoolVar(&p.asJSON, "json", false, "print the new row of the ledger as JSON")
	addMigrateFlag(cmd)
}

// publish publishes the load that choose finds, and says what came of it.
func (a *App) publish(cmd *cobra.Command, p *publication, choose func([]schema.Load, plan.Publication) (plan.Version, error)) error {
	if strings.TrimSpace(p.note) == "" {
		needs := "--note"
		if !p.named() {
			needs = "--source, --feed, --day and --note"
		}
		return usagef("%s needs %s: the ledger keeps why\nSee '%s --help'.", cmd.Name(), needs, cmd.CommandPath())
	}
	s, ledger, done, err := p.open(a, cmd)
	if err != nil {
		return err
	}
	defer done()
	v, err := choose(ledger, plan.Publication{
		Slice: p.slice(), LoadID: uint64(p.loadID), Force: p.force, Note: p.note, Now: time.Now(),
	})
	if err != nil {
		return fmt.Errorf("%s: %w", p, err)
	}
	v.Row.RunID, v.Row.Host, v.Row.Version = uuid.New(), wire.Host(), a.Version
	row, err := run.Republish(cmd.Context(), s.warehouse.Versions(), v)
	if err != nil {
		return fmt.Errorf("%s: %w", p, err)
	}
	if p.asJSON {
		return printJSON(cmd.OutOrStdout(), row)
	}
	a.say("%s: readers now see load %d (%s).", p, row.LoadID, plural(int(row.Rows), "row")) //nolint:gosec // a count
	if v.Before == nil {
		a.say("They saw nothing of this day before, so there is nothing to roll back to; a later load that is published replaces it.")
		return nil
	}
	a.say("They saw load %d (%s) before. To take this back:\n  meterhouse rollback %s --note ...",
		v.Before.LoadID, plural(int(v.Before.Rows), "row"), p.words()) //nolint:gosec // a count
	return nil
}
