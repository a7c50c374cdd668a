package wire

import (
	"os"
	"time"

	"go.uber.org/zap"

	"github.com/meterhouse/meterhouse/etl/run"
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
}

// Runner builds the one that brings slices in.
func Runner(o RunnerOptions) *run.Runner {
	return run.New(run.Options{
		Warehouse: warehouseForRun{o.Warehouse.Warehouse}, Sources: o.Sources, PublishDelay: o.PublishDelay,
		Clock: o.Clock, Host: Host(), Version: o.Version, Logger: o.Logger, Observer: o.Observer,
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
