package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/meterhouse/meterhouse/cmd/internal/config"
	"github.com/meterhouse/meterhouse/cmd/internal/wire"
	"github.com/meterhouse/meterhouse/load"
)

// finding is one line of `check`.
type finding struct {
	Part   string `json:"part"` // "configuration", "warehouse", or a source's name
	What   string `json:"what"`
	Result string `json:"result"` // ok, warning, error
	Says   string `json:"says"`
}

func (a *App) checkCommand() *cobra.Command {
	var asJSON, tell bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Prove the configuration, every source, and the warehouse",
		Long: `Reads the configuration; asks every source the cheapest thing that proves TLS,
credentials and the right to read; connects to the warehouse and looks at its
version, clock, database, settings, grants, disks and schema. Changes no data; the
archive is tried with a small object, which is removed again. The places of "notify"
are only sent to with --notify, a message that says so.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.Load(a.configPath, a.Env)
			if err != nil {
				return &configError{err}
			}
			c := &checking{out: cmd.OutOrStdout(), asJSON: asJSON, findings: []finding{}}
			c.found("configuration", "file", "ok", config.Path(a.configPath, a.Env))
			for _, w := range cfg.Warnings {
				c.found("configuration", w.Key, "warning", w.String())
			}
			a.checkSources(cmd.Context(), cfg, c)
			a.checkWarehouse(cmd.Context(), cfg, c)
			checkArchive(cmd.Context(), cfg, c)
			checkNotify(cmd.Context(), cfg, c, tell)
			return c.conclude()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&tell, "notify", false, "send a test message to the places of notify")
	return cmd
}

// checking collects findings and, as text, prints each as it comes: a server
// that is down takes its time.
type checking struct {
	out      io.Writer
	asJSON   bool
	findings []finding
}

func (c *checking) found(part, what, result, says string) {
	c.findings = append(c.findings, finding{part, what, result, says})
	if !c.asJSON {
		fmt.Fprintf(c.out, "%-8s %s, %s: %s\n", result, part, what, says)
	}
}

func (c *checking) conclude() error {
	failed := 0
	for _, f := range c.findings {
		if f.Result == "error" {
			failed++
		}
	}
	if c.asJSON {
		if err := printJSON(c.out, c.findings); err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("%s failed", plural(failed, "check"))
	}
	return nil
}

// checkRetries is how often a check asks again: somebody waits for it, and may
// want to hear soon that a name is misspelt.
const checkRetries = 1

func (a *App) checkSources(ctx context.Context, cfg *config.Config, c *checking) {
	hasty := slices.Clone(cfg.Sources)
	for i := range hasty {
		hasty[i].MaxRetries = min(hasty[i].MaxRetries, checkRetries)
	}
	sources, err := wire.Sources(hasty)
	if err != nil {
		c.found("configuration", "sources", "error", err.Error())
		return
	}
	for _, s := range sources {
		found, err := s.API.Check(ctx)
		for _, f := range found {
			result := "ok"
			if f.Warn {
				result = "warning"
			}
			c.found(s.Name, f.What, result, f.Says)
		}
		if err != nil {
			c.found(s.Name, "source", "error", err.Error())
		}
	}
}

func checkArchive(ctx context.Context, cfg *config.Config, c *checking) {
	const part = "archive"
	arch, err := wire.Archive(cfg.Archive)
	if err != nil {
		c.found(part, "configuration", "error", err.Error())
		return
	}
	if arch == nil {
		return
	}
	defer arch.Close()
	if err := arch.Probe(ctx); err != nil {
		c.found(part, "right to write", "error", err.Error())
		return
	}
	c.found(part, "right to write", "ok", arch.Where())
}

func checkNotify(ctx context.Context, cfg *config.Config, c *checking, send bool) {
	const part, what = "notify", "message"
	n, err := wire.Notifier(cfg.Notify)
	switch {
	case err != nil:
		c.found(part, "configuration", "error", err.Error())
	case len(cfg.Notify) == 0 && send:
		c.found(part, "configuration", "error", "the configuration has no notify, so there is nobody to tell")
	case send:
		for _, r := range n.Send(ctx, "Meterhouse on "+wire.Host()+": a test message of `meterhouse check --notify`") {
			if r.Err != nil {
				c.found(part, what, "error", r.Place+": "+r.Err.Error())
				continue
			}
			c.found(part, what, "ok", r.Place+": sent")
		}
	case len(cfg.Notify) > 0:
		c.found(part, "configuration", "ok", plural(len(cfg.Notify), "place")+" to tell; `meterhouse check --notify` sends a test message")
	}
}

func (a *App) checkWarehouse(ctx context.Context, cfg *config.Config, c *checking) {
	const part = "warehouse"
	log, err := a.logger(cfg.Log, a.verbose)
	if err != nil {
		c.found("configuration", "log", "error", err.Error())
		return
	}
	s, done, err := a.connect(ctx, cfg, log, anySchema)
	if err != nil {
		c.found(part, "connection", "error", err.Error())
		return
	}
	defer done()
	c.found(part, "connection", "ok", "ClickHouse answers")
	for _, f := range s.warehouse.Preflight(ctx) {
		if f.What == "schema" && f.Level == load.Fault && cfg.Warehouse.Kind == config.WarehouseEmbedded && behind(ctx, s) {
			f.Level, f.Says = load.OK, "not current; the next sync brings the embedded warehouse up to date"
		}
		c.found(part, f.What, string(f.Level), f.Says)
	}
}

// behind tells whether all that is wrong with the schema is that it is older
// than this program.
func behind(ctx context.Context, s *session) bool {
	var old *load.SchemaError
	return errors.As(s.warehouse.CheckSchema(ctx), &old) && len(old.Pending) > 0 && len(old.Changed)+len(old.TooNew) == 0
}
