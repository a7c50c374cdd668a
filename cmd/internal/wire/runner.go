package wire

import (
	"os"
	"time"

	"go.uber.org/zap"

	"github.com/meterhouse/meterhouse/etl/archive"
	"github.com/meterhouse/meterhouse/etl/run"
	"github.com/meterhouse/meterhouse/schema"
)

// RunnerOptions are what a Runner is built from.
type RunnerOptions struct {
	Warehouse    *Warehouse
	Sources      []run.Source
	PublishDelay time.Duration
	Clock        func() time.Time
	Version      string
	Logger       *zap.Logger
	Observer     run.Observer
	// Archive is nil for none.
	Archive           *archive.Archive
	ArchiveBestEffort bool
	// Replays are the slices that come from the archive.
	Replays map[schema.Slice]run.Replay
}

// Runner builds the one that brings slices in.
func Runner(o RunnerOptions) *run.Runner {
	return run.New(run.Options{
		Warehouse: warehouseForRun{o.Warehouse.Warehouse}, Sources: o.Sources, PublishDelay: o.PublishDelay,
		Clock: o.Clock, Host: Host(), Version: o.Version, Logger: o.Logger, Observer: o.Observer,
		Archive: o.Archive, ArchiveBestEffort: o.ArchiveBestEffort, Replays: o.Replays,
	})
}

// Host is this machine's name, as the ledger has it.
func Host() string {
	host, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return host
}
