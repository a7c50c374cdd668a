package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/meterhouse/meterhouse/cmd/internal/config"
	"github.com/meterhouse/meterhouse/cmd/internal/wire"
	"github.com/meterhouse/meterhouse/load"
)

// clockTolerance is how far the warehouse's clock may be off before it is said.
const clockTolerance = 10 * time.Second

// finding is one line of `check`.
type finding struct {
	Part   string `json:"part"` // "configuration", "warehouse", or a source's name
	What   string `json:"what"`
	Result string `json:"result"` // ok, warning, error
	Says   string `json:"says"`
}

func (a *App) checkCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Prove the configuration, every source, and the warehouse",
		Long: `Reads the configuration; asks every source the cheapest thing that proves TLS,
credentials and the right to read; connects to the warehouse and compares its
schema and its clock; and writes a small object to the archive and removes it
again. Changes nothing else.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.Load(a.configPath, a.Env)
			if err != nil {
				return &configError{err}
			}
			findings := []finding{{"configuration", "file", "ok", config.Path(a.configPath, a.Env)}}
			for _, w := range cfg.Warnings {
				findings = append(findings, finding{"configuration", w.Key, "warning", w.String()})
			}
			findings = append(findings, a.checkSources(cmd.Context(), cfg)...)
			findings = append(findings, a.checkWarehouse(cmd.Context(), cfg)...)
			findings = append(findings, checkArchive(cmd.Context(), cfg)...)
			return a.showFindings(cmd, findings, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *App) showFindings(cmd *cobra.Command, findings []finding, asJSON bool) error {
	failed := 0
	for _, f := range findings {
		if f.Result == "error" {
			failed++
		}
		if !asJSON {
			fmt.Fprintf(cmd.OutOrStdout(), "%-8s %s, %s: %s\n", f.Result, f.Part, f.What, f.Says)
		}
	}
	if asJSON {
		if err := printJSON(cmd.OutOrStdout(), findings); err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("%s failed", plural(failed, "check"))
	}
	return nil
}

func (a *App) checkSources(ctx context.Context, cfg *config.Config) []finding {
	sources, err := wire.Sources(cfg.Sources)
	if err != nil {
		return []finding{{"configuration", "sources", "error", err.Error()}}
	}
	var out []finding
	for _, s := range sources {
		found, err := s.API.Check(ctx)
		for _, f := range found {
			result := "ok"
			if f.Warn {
				result = "warning"
			}
			out = append(out, finding{s.Name, f.What, result, f.Says})
		}
		if err != nil {
			out = append(out, finding{s.Name, "source", "error", err.Error()})
		}
	}
	return out
}

func checkArchive(ctx context.Context, cfg *config.Config) []finding {
	arch, err := wire.Archive(cfg.Archive)
	if err != nil {
		return []finding{{"archive", "configuration", "error", err.Error()}}
	}
	if arch == nil {
		return nil
	}
	defer arch.Close()
	if err := arch.Probe(ctx); err != nil {
		return []finding{{"archive", "right to write", "error", err.Error()}}
	}
	return []finding{{"archive", "right to write", "ok", arch.Where()}}
}

func (a *App) checkWarehouse(ctx context.Context, cfg *config.Config) []finding {
	log, err := a.logger(cfg.Log, a.verbose)
	if err != nil {
		return []finding{{"configuration", "log", "error", err.Error()}}
	}
	s, done, err := a.connect(ctx, cfg, log, anySchema)
	if err != nil {
		return []finding{{"warehouse", "connection", "error", err.Error()}}
	}
	defer done()
	info, err := s.warehouse.Info(ctx)
	if err != nil {
		return []finding{{"warehouse", "connection", "error", err.Error()}}
	}
	out := []finding{{"warehouse", "connection", "ok", fmt.Sprintf("ClickHouse %s, database %s", info.Version, info.Database)}}
	if off := time.Since(info.Now).Abs(); off > clockTolerance {
		out = append(out, finding{"warehouse", "clock", "warning", fmt.Sprintf(
			"the server's clock differs from this machine's by %s; times in the ledger are this machine's", off.Round(time.Second))})
	} else {
		out = append(out, finding{"warehouse", "clock", "ok", "agrees with this machine's"})
	}
	var old *load.SchemaError
	err = s.warehouse.CheckSchema(ctx)
	switch {
	case err == nil:
		return append(out, finding{"warehouse", "schema", "ok", "current"})
	case errors.As(err, &old) && len(old.Changed)+len(old.TooNew) == 0 && cfg.Warehouse.Kind == config.WarehouseEmbedded:
		return append(out, finding{"warehouse", "schema", "ok", "not current; the next sync brings the embedded warehouse up to date"})
	default:
		return append(out, finding{"warehouse", "schema", "error", err.Error()})
	}
}
