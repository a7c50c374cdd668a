package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/meterhouse/meterhouse/cmd/internal/config"
	"github.com/meterhouse/meterhouse/cmd/internal/wire"
	"github.com/meterhouse/meterhouse/etl/archive"
	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/etl/run"
	"github.com/meterhouse/meterhouse/load"
	"github.com/meterhouse/meterhouse/schema"
)

// closeLimit bounds the orderly closing of the warehouse once somebody asked to stop.
const closeLimit = 10 * time.Second

// session is a command's connection to what the configuration names.
type session struct {
	cfg       *config.Config
	log       *zap.Logger
	warehouse *wire.Warehouse
	archive   *archive.Archive // nil where none is configured or it was not opened
}

// migrateMode says what a command does about a schema that is not current.
type migrateMode int

const (
	refuseOld   migrateMode = iota // an old schema is an error
	migrateOld                     // pending migrations are applied
	anySchema                      // the command does not mind
	migrateFlag = "migrate"
)

// addMigrateFlag gives a command --migrate.
func addMigrateFlag(cmd *cobra.Command) {
	cmd.Flags().Bool(migrateFlag, false, "apply pending migrations first (for an embedded warehouse the default is true)")
}

// migrateWish reads --migrate; without it an embedded warehouse migrates.
func migrateWish(cmd *cobra.Command, cfg *config.Config) migrateMode {
	wanted, _ := cmd.Flags().GetBool(migrateFlag)
	if wanted || (!cmd.Flags().Changed(migrateFlag) && cfg.Warehouse.Kind == config.WarehouseEmbedded) {
		return migrateOld
	}
	return refuseOld
}

// configError marks a configuration that cannot be used.
type configError struct{ err error }

func (e *configError) Error() string { return e.err.Error() }
func (e *configError) Unwrap() error { return e.err }

// configReader is config.Load or config.LoadForWarehouse.
type configReader func(path string, env func(string) string) (*config.Config, error)

// loadConfig reads the configuration and makes the log, which holds
// everything for a daemon. Warnings go to stderr.
func (a *App) loadConfig(read configReader, daemon bool) (*config.Config, *zap.Logger, error) {
	cfg, err := read(a.configPath, a.Env)
	if err != nil {
		return nil, nil, &configError{err}
	}
	for _, w := range cfg.Warnings {
		a.say("warning: %s", w)
	}
	log, err := a.logger(cfg.Log, daemon || a.verbose)
	return cfg, log, err
}

// connect opens the warehouse. The returned function closes it, and is to be
// called exactly once.
func (a *App) connect(ctx context.Context, cfg *config.Config, log *zap.Logger, mode migrateMode) (*session, func(), error) {
	return a.open(ctx, cfg, mode, wire.WarehouseOptions{Version: a.Version, Logger: log, Say: a.say})
}

func (a *App) open(ctx context.Context, cfg *config.Config, mode migrateMode, o wire.WarehouseOptions) (*session, func(), error) {
	w, err := wire.OpenWarehouse(ctx, cfg.Warehouse, o)
	if err != nil {
		return nil, nil, err //nolint:wrapcheck // says which warehouse and why
	}
	s := &session{cfg: cfg, log: o.Logger, warehouse: w}
	done := func() { a.disconnect(s) }
	switch mode {
	case migrateOld:
		applied, err := w.Migrate(ctx)
		if err != nil {
			done()
			return nil, nil, fmt.Errorf("migrating the warehouse: %w", err)
		}
		if len(applied) > 0 {
			o.Logger.Info("migrated", zap.Strings("applied", applied))
		}
	case refuseOld:
		if err := w.CheckSchema(ctx); err != nil {
			done()
			return nil, nil, err //nolint:wrapcheck // says what to do
		}
	case anySchema:
	}
	return s, done, nil
}

// disconnect waits for other processes that use this one's embedded warehouse,
// unless it is told to stop.
func (a *App) disconnect(s *session) {
	ctx := a.stop.soft
	if a.stop.asked() {
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeLimit)
		defer cancel()
		ctx = limited
	}
	if err := s.warehouse.Close(ctx); err != nil {
		a.say("warning: closing the warehouse: %v", err)
	}
	if s.archive != nil {
		s.archive.Close()
	}
	_ = s.log.Sync()
}

// openArchive opens the configured archive, if there is one.
func (s *session) openArchive() error {
	var err error
	s.archive, err = wire.Archive(s.cfg.Archive)
	return err //nolint:wrapcheck // says what it opened
}

// planInput is what a plan is made from, as of now.
func (s *session) planInput(ctx context.Context, now time.Time) (plan.Input, error) {
	ledger, err := s.warehouse.Ledger(ctx, load.LedgerQuery{})
	if err != nil {
		return plan.Input{}, err //nolint:wrapcheck // says what it read
	}
	return plan.Input{Feeds: wire.Feeds(s.cfg.Sources), Ledger: ledger, Now: now}, nil
}

// runner makes the Runner for the configured sources. Its log and a visible
// progress would say the same twice; log says which it is to be.
func (a *App) runner(s *session, o run.Observer, log *zap.Logger) (*run.Runner, error) {
	sources, err := wire.Sources(s.cfg.Sources)
	if err != nil {
		return nil, err //nolint:wrapcheck // names the source
	}
	if err := s.openArchive(); err != nil {
		return nil, err
	}
	return wire.Runner(a.runnerOptions(s, sources, o, log)), nil
}

func (a *App) runnerOptions(s *session, sources []run.Source, o run.Observer, log *zap.Logger) wire.RunnerOptions {
	return wire.RunnerOptions{
		Warehouse: s.warehouse, Sources: sources, PublishDelay: s.cfg.PublishDelay,
		Clock: time.Now, Version: a.Version, Logger: log, Observer: o,
		Archive: s.archive, ArchiveBestEffort: s.cfg.Archive.Policy == config.ArchiveBestEffort,
	}
}

// filters are the flags that narrow a command to a source or feed.
type filters struct{ source, feed string }

func (f *filters) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.source, "source", "", "only this source")
	cmd.Flags().StringVar(&f.feed, "feed", "", "only this feed")
}

// check refuses names that the configuration does not know, rather than
// finding nothing to do.
func (f *filters) check(feeds []plan.Feed) error {
	var sources, names []string
	sourceOK, feedOK := f.source == "", f.feed == ""
	for _, x := range feeds {
		sources = appendNew(sources, x.Source)
		if f.source == "" || x.Source == f.source {
			names = appendNew(names, x.Feed)
		}
		sourceOK = sourceOK || x.Source == f.source
		feedOK = feedOK || (x.Feed == f.feed && (f.source == "" || x.Source == f.source))
	}
	if !sourceOK {
		return usagef("there is no source %q in the configuration; there are: %s", f.source, joined(sources))
	}
	if !feedOK {
		return usagef("there is no feed %q; the configured feeds are: %s", f.feed, joined(names))
	}
	return nil
}

// dayFlag is a flag whose value is a civil date.
type dayFlag struct {
	day schema.Day
	set bool
}

func (d *dayFlag) String() string {
	if d == nil || !d.set {
		return ""
	}
	return d.day.String()
}

func (d *dayFlag) Set(s string) error {
	v, err := schema.ParseDay(s)
	if err != nil {
		return err //nolint:wrapcheck // says what is wrong with which value
	}
	d.day, d.set = v, true
	return nil
}

func (d *dayFlag) Type() string { return "YYYY-MM-DD" }

// pointer is nil when the flag was not given.
func (d *dayFlag) pointer() *schema.Day {
	if !d.set {
		return nil
	}
	return &d.day
}
