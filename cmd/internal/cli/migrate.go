package cli

import (
	"fmt"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/meterhouse/meterhouse/cmd/internal/config"
	"github.com/meterhouse/meterhouse/load"
)

func (a *App) migrateCommand() *cobra.Command {
	var dryRun, status bool
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Apply the schema, or show it with --status or --dry-run",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dryRun && status {
				return usagef("--dry-run and --status exclude each other")
			}
			cfg, log, err := a.loadConfig(config.LoadForWarehouse, false)
			if err != nil {
				return err
			}
			s, done, err := a.connect(cmd.Context(), cfg, log, anySchema)
			if err != nil {
				return err
			}
			defer done()
			switch {
			case status:
				return s.showMigrations(cmd)
			case dryRun:
				return s.showPending(cmd)
			}
			applied, err := s.warehouse.Migrate(cmd.Context())
			for _, name := range applied {
				fmt.Fprintln(cmd.OutOrStdout(), "applied", name)
			}
			if err != nil {
				return fmt.Errorf("migrating the warehouse: %w", err)
			}
			a.say("The schema is current; %s applied.", plural(len(applied), "migration"))
			return nil
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "print the statements that are pending and do nothing")
	cmd.Flags().BoolVar(&status, "status", false, "list the migrations")
	return cmd
}

func (s *session) showMigrations(cmd *cobra.Command) error {
	states, err := s.warehouse.Migrations(cmd.Context())
	if err != nil {
		return fmt.Errorf("reading the migrations: %w", err)
	}
	rows := make([]table.Row, len(states))
	for i, m := range states {
		at := ""
		if !m.AppliedAt.IsZero() {
			at = m.AppliedAt.UTC().Format(time.DateTime)
		}
		rows[i] = table.Row{m.Name, m.State, at}
	}
	printTable(cmd.OutOrStdout(), table.Row{"migration", "state", "applied at (UTC)"}, rows)
	return nil
}

func (s *session) showPending(cmd *cobra.Command) error {
	states, err := s.warehouse.Migrations(cmd.Context())
	if err != nil {
		return fmt.Errorf("reading the migrations: %w", err)
	}
	for _, m := range states {
		if m.State == load.Pending {
			fmt.Fprintf(cmd.OutOrStdout(), "-- %s\n%s;\n\n", m.Name, m.SQL)
		}
	}
	return nil
}
