package cli

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/meterhouse/meterhouse/cmd/internal/config"
	"github.com/meterhouse/meterhouse/cmd/internal/wire"
	"github.com/meterhouse/meterhouse/etl/archive"
	"github.com/meterhouse/meterhouse/etl/plan"
)

// pruneEvery is how often the daemon looks for what the archive need not keep.
const pruneEvery = 24 * time.Hour

var errNoArchive = errors.New("no archive is configured: nothing keeps what the sources answer. " +
	"`archive: {url: file:./archive}` in the configuration does, from the next load on")

func (a *App) archiveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "archive",
		Short: "Verify the archive of raw answers, or remove what need not be kept",
		Args:  cobra.ArbitraryArgs,
		RunE:  unknownCommand,
	}
	cmd.SuggestionsMinimumDistance = 2
	cmd.AddCommand(a.archiveVerifyCommand(), a.archivePruneCommand())
	return cmd
}

func (a *App) archiveVerifyCommand() *cobra.Command {
	var only filters
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Read every archived object and compare it with its hash",
		Long: `Reads every archived object and compares it with the hashes in the manifest of its
load. Objects that are missing or corrupt and loads whose manifest is missing are
listed on stdout, and make the exit code 3. Needs neither sources nor warehouse.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if only.feed != "" && only.source == "" {
				return usagef("--feed goes with --source")
			}
			arch, cfg, err := a.configuredArchive()
			if err != nil {
				return err
			}
			defer arch.Close()
			return a.verifyArchive(cmd, arch, only, wire.Feeds(cfg.Sources))
		},
	}
	only.add(cmd)
	return cmd
}

// configuredArchive opens the archive alone.
func (a *App) configuredArchive() (*archive.Archive, *config.Config, error) {
	cfg, _, err := a.loadConfig(config.LoadForArchive, false)
	if err != nil {
		return nil, nil, err
	}
	arch, err := openArchive(cfg)
	return arch, cfg, err
}

// openArchive opens an archive that has to be there.
func openArchive(cfg *config.Config) (*archive.Archive, error) {
	arch, err := wire.Archive(cfg.Archive)
	if err == nil && arch == nil {
		err = &configError{errNoArchive}
	}
	return arch, err //nolint:wrapcheck // says what it opened
}

func (a *App) verifyArchive(cmd *cobra.Command, arch *archive.Archive, only filters, feeds []plan.Feed) error {
	ctx := cmd.Context()
	var loads, objects, wrong int
	for e, err := range arch.Entries(ctx, only.source, only.feed) {
		if err != nil {
			return err //nolint:wrapcheck // says what it listed
		}
		faults, err := arch.Verify(ctx, e, time.Now())
		if err != nil {
			return fmt.Errorf("verifying load %d: %w", e.LoadID, err)
		}
		for _, f := range faults {
			fmt.Fprintln(cmd.OutOrStdout(), f.Error())
		}
		loads++
		objects += len(e.Bytes)
		wrong += len(faults)
	}
	if loads == 0 { // of what is gone from the configuration there may be something, but not of a typo
		if err := only.check(feeds); err != nil {
			return err
		}
	}
	a.say("%s in %s looked at, %s wrong.", plural(objects, "object"), plural(loads, "load"), plural(wrong, "thing"))
	if wrong > 0 {
		return errIncomplete
	}
	return nil
}

func (a *App) archivePruneCommand() *cobra.Command {
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "prune",
		Short: "Remove the loads that the archive need not keep any longer",
		Long: `Removes the archived loads that were pulled more than archive.keep_days ago, and
what was left behind by loads that were given up while they were stored. The
warehouse is not touched. The daemon does the same once a day.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			arch, _, err := a.configuredArchive()
			if err != nil {
				return err
			}
			defer arch.Close()
			pruned, err := arch.Prune(cmd.Context(), time.Now(), dryRun, func(e archive.Entry) {
				fmt.Fprintf(cmd.OutOrStdout(), "%s\t%s\t%s\t%d\t%d\n", e.Source, e.Feed, e.Day, e.LoadID, e.Size())
			})
			done := "removed"
			if dryRun {
				done = "would be removed"
			}
			a.say("%s %s, %s bytes.", plural(pruned.Loads, "load"), done, count(uint64(pruned.Bytes))) //nolint:gosec // a size
			return err                                                                                 //nolint:wrapcheck // says what it removed
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "list what would be removed, and remove nothing")
	return cmd
}

// archivePruner prunes a daemon's archive once a day, after a pass of any source.
type archivePruner struct {
	mu      sync.Mutex
	archive *archive.Archive // nil for none
	log     *zap.Logger
	last    time.Time
}

func (p *archivePruner) prune(ctx context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.archive == nil || now.Sub(p.last) < pruneEvery {
		return
	}
	p.last = now
	pruned, err := p.archive.Prune(ctx, now, false, func(archive.Entry) {})
	switch {
	case err != nil && ctx.Err() == nil:
		p.log.Error("pruning the archive", zap.Error(err))
	case pruned.Loads > 0:
		p.log.Info("pruned the archive", zap.Int("loads", pruned.Loads), zap.Int64("bytes", pruned.Bytes))
	}
}
