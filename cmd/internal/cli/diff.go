package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/etl/run"
	"github.com/meterhouse/meterhouse/load"
	"github.com/meterhouse/meterhouse/schema"
)

// diffShown is how many changes the table of `diff` holds; JSON and CSV hold all.
const diffShown = 100

func (a *App) diffCommand() *cobra.Command {
	var d diffFlags
	cmd := &cobra.Command{
		Use:   "diff --source NAME --feed FEED --day DAY",
		Short: "Show what a restatement, or a refused load, changed",
		Long: `Compares two loads of one day row by row, in the warehouse: how many rows were added,
removed and changed, then each of them, with the old and the new value of every column
that changed. Without --from and --to the published version is compared with the one
before it, with --refused with the latest refused load.

Rows of license usage belong together when product, metric, bundle and server are the
same. Devices of software metering belong together by name and entity; several of one
name are numbered in the order of what they say, because their place in the answer
changes from one answer to the next.

The table ends after ` + fmt.Sprint(diffShown) + ` rows; --csv and --json hold all of them.`,
		Example: "  meterhouse diff --source bfi-emea --feed default --day 2026-11-20\n" +
			"  meterhouse diff --source bfi-emea --feed default --day 2026-11-20 --refused --csv > refused.csv",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if (d.from == 0) != (d.to == 0) {
				return usagef("--from and --to go together")
			}
			if d.refused && d.from != 0 {
				return usagef("--refused excludes --from and --to")
			}
			if d.asJSON && d.asCSV {
				return usagef("--json and --csv exclude each other")
			}
			return a.diff(cmd, &d)
		},
	}
	d.add(cmd)
	cmd.Flags().Var(&d.from, "from", "the earlier load (default: the version before the published one)")
	cmd.Flags().Var(&d.to, "to", "the later load (default: the published version)")
	cmd.Flags().BoolVar(&d.refused, "refused", false, "compare the published version with the latest refused load")
	cmd.Flags().BoolVar(&d.asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&d.asCSV, "csv", false, "print CSV, a line per value that changed")
	addMigrateFlag(cmd)
	return cmd
}

type diffFlags struct {
	sliceFlags
	from, to               loadFlag
	refused, asJSON, asCSV bool
}

// loads finds the two loads to compare.
func (d *diffFlags) loads(ledger []schema.Load) (from, to *schema.Load, err error) {
	if d.from != 0 {
		if from, err = plan.Whole(ledger, d.slice(), uint64(d.from)); err == nil {
			to, err = plan.Whole(ledger, d.slice(), uint64(d.to))
		}
		if err == nil && from.LoadID == to.LoadID {
			err = errors.New("--from and --to name the same load")
		}
		return from, to, err //nolint:wrapcheck // says which load and why not
	}
	from, to = plan.Previous(ledger, d.slice()), plan.Current(ledger, d.slice())
	last := plan.LastRefused(ledger, d.slice())
	switch {
	case to == nil && d.refused && last != nil:
		return nil, nil, fmt.Errorf("readers see nothing of this day that load %d (%s) could be compared with; it was refused because: %s",
			last.LoadID, plural(int(last.Rows), "row"), last.Reason) //nolint:gosec // a count
	case to == nil:
		return nil, nil, errors.New("nothing of this day was ever published")
	case d.refused:
		if from, to = to, last; to == nil {
			return nil, nil, errors.New("no load of this day was ever refused")
		}
		if from.LoadID == to.LoadID {
			return nil, nil, fmt.Errorf("the latest refused load, %d, was accepted and is what readers see", to.LoadID)
		}
	case from == nil:
		return nil, nil, fmt.Errorf("load %d is the only version of this day that was ever published", to.LoadID)
	}
	return from, to, nil
}

func (a *App) diff(cmd *cobra.Command, d *diffFlags) error {
	ctx := cmd.Context()
	s, ledger, done, err := d.open(a, cmd)
	if err != nil {
		return err
	}
	defer done()
	from, to, err := d.loads(ledger)
	if err != nil {
		return fmt.Errorf("%s: %w", d, err)
	}
	for _, l := range []*schema.Load{from, to} {
		if err := run.StillStored(ctx, s.warehouse.Versions(), *l); err != nil {
			return fmt.Errorf("%s: %w", d, err)
		}
	}
	query := load.Diff{Kind: to.Kind, Slice: d.slice(), From: from.LoadID, To: to.LoadID}
	counts, err := s.warehouse.DiffCounts(ctx, query)
	if err != nil {
		return fmt.Errorf("%s: %w", d, err)
	}
	return s.showDiff(ctx, query, d.writer(cmd.OutOrStdout(), from, to), counts)
}

// diffWriter is one way to show a diff.
type diffWriter interface {
	begin(n load.DiffCounts) error
	row(r load.DiffRow) error
	end() error
}

func (d *diffFlags) writer(out io.Writer, from, to *schema.Load) diffWriter {
	columns, ok := schema.CompareBy(to.Kind)
	if !ok {
		panic("BUG: the ledger has a load of kind " + to.Kind)
	}
	switch {
	case d.asJSON:
		return &diffJSON{out: out, columns: columns, from: from, to: to}
	case d.asCSV:
		return newDiffCSV(out, columns)
	default:
		return &diffTable{out: out, columns: columns, from: from, to: to}
	}
}

func (s *session) showDiff(ctx context.Context, query load.Diff, w diffWriter, counts load.DiffCounts) error {
	if err := w.begin(counts); err != nil {
		return fmt.Errorf("writing the diff: %w", err)
	}
	err := s.warehouse.DiffRows(ctx, query, w.row)
	if err != nil && !errors.Is(err, errEnough) {
		return fmt.Errorf("showing the diff: %w", err)
	}
	if err := w.end(); err != nil {
		return fmt.Errorf("writing the diff: %w", err)
	}
	return nil
}

// errEnough ends a diff of which no more is shown.
var errEnough = errors.New("enough")
