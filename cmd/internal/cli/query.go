package cli

import (
	"github.com/spf13/cobra"

	"github.com/meterhouse/meterhouse/cmd/internal/config"
)

func (a *App) queryCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   `query "SQL"`,
		Short: "Ask the warehouse, read-only",
		Long: `Runs one read-only statement in the warehouse's database, so that names need no
prefix, and prints the answer in any of ClickHouse's formats. (Over the native
protocol: TSV, TSVWithNames, JSONEachRow and PrettyCompact.)`,
		Example: `  meterhouse query "SELECT * FROM license_peak WHERE period_kind = 'month' ORDER BY period_start DESC LIMIT 10"` + "\n" +
			`  meterhouse query --format JSONEachRow "SELECT * FROM freshness"`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("query takes one statement, in quotes\nSee '%s --help'.", cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, log, err := a.loadConfig(config.LoadForWarehouse, false)
			if err != nil {
				return err
			}
			s, done, err := a.connect(cmd.Context(), cfg, log, migrateWish(cmd, cfg))
			if err != nil {
				return err
			}
			defer done()
			if format == "" {
				format = "TSVWithNames"
				if isTerminal(a.Stdout) {
					format = "PrettyCompact"
					if !a.colours() {
						format = "PrettyCompactNoEscapes"
					}
				}
			}
			return s.warehouse.Query(cmd.Context(), args[0], format, cmd.OutOrStdout()) //nolint:wrapcheck // the server's own words
		},
	}
	cmd.Flags().StringVarP(&format, "format", "f", "", "any ClickHouse format (default PrettyCompact on a terminal, TSVWithNames elsewhere)")
	return cmd
}
