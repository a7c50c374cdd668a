package cli

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/meterhouse/meterhouse/cmd/internal/config"
	"github.com/meterhouse/meterhouse/cmd/internal/wire"
	"github.com/meterhouse/meterhouse/load"
	"github.com/meterhouse/meterhouse/schema"
)

// sliceFlags name the one slice that a command is about.
type sliceFlags struct {
	filters
	day dayFlag
}

func (f *sliceFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.source, "source", "", "the source")
	cmd.Flags().StringVar(&f.feed, "feed", "", `the feed, such as "default"`)
	cmd.Flags().Var(&f.day, "day", "the day")
}

// named reports whether all the flags were given.
func (f *sliceFlags) named() bool { return f.source != "" && f.feed != "" && f.day.set }

func (f *sliceFlags) slice() schema.Slice {
	return schema.Slice{Source: f.source, Feed: f.feed, Day: f.day.day}
}

// String names the slice for people.
func (f *sliceFlags) String() string { return fmt.Sprintf("%s %s %s", f.source, f.feed, f.day.day) }

// words repeats the flags, for commands that are suggested.
func (f *sliceFlags) words() string {
	return fmt.Sprintf("--source %s --feed %s --day %s", f.source, f.feed, f.day.day)
}

// loadFlag is a flag that names a load; 0 when it was not given.
type loadFlag uint64

func (l *loadFlag) String() string {
	if l == nil || *l == 0 {
		return ""
	}
	return strconv.FormatUint(uint64(*l), 10)
}

// Set refuses 0: in scripts it stands for a load that was not found, and must not
// mean the load that a command chooses by itself.
func (l *loadFlag) Set(s string) error {
	id, err := strconv.ParseUint(s, 10, 64)
	if err != nil || id == 0 {
		return fmt.Errorf("%q is not the id of a load; `meterhouse trace` and the view load_history show them", s)
	}
	*l = loadFlag(id)
	return nil
}

func (l *loadFlag) Type() string { return "LOAD_ID" }

// open connects to the warehouse and reads the ledger of the slice. The returned
// function closes it.
func (f *sliceFlags) open(a *App, cmd *cobra.Command) (*session, []schema.Load, func(), error) {
	if !f.named() {
		return nil, nil, nil, usagef("%s needs --source, --feed and --day\nSee '%s --help'.", cmd.Name(), cmd.CommandPath())
	}
	cfg, log, err := a.loadConfig(config.LoadForWarehouse, false)
	if err != nil {
		return nil, nil, nil, err
	}
	if err := f.check(wire.Feeds(cfg.Sources)); err != nil {
		return nil, nil, nil, err
	}
	s, done, err := a.connect(cmd.Context(), cfg, log, migrateWish(cmd, cfg))
	if err != nil {
		return nil, nil, nil, err
	}
	ledger, err := s.warehouse.Ledger(cmd.Context(), load.LedgerQuery{
		Source: f.source, Feeds: []string{f.feed}, From: f.day.day, To: f.day.day,
	})
	if err != nil {
		done()
		return nil, nil, nil, fmt.Errorf("reading the ledger: %w", err)
	}
	return s, ledger, done, nil
}
