package wire

import (
	"context"
	"fmt"

	"go.uber.org/zap"

	"github.com/meterhouse/meterhouse/cmd/internal/config"
	"github.com/meterhouse/meterhouse/etl/run"
	"github.com/meterhouse/meterhouse/load"
	"github.com/meterhouse/meterhouse/load/embedded"
	"github.com/meterhouse/meterhouse/schema"
)

// Warehouse is the configured warehouse, with the embedded engine behind it
// where there is one.
type Warehouse struct {
	*load.Warehouse
	engine *embedded.Engine
}

// WarehouseOptions are what opening a warehouse needs beside the configuration.
type WarehouseOptions struct {
	Version string
	Logger  *zap.Logger
	// Stay is for a process that runs for long: it must own the embedded engine.
	Stay bool
	// Say writes a sentence for the person at the terminal.
	Say func(format string, args ...any)
}

// OpenWarehouse connects to the warehouse; an embedded one is started, or
// attached to when another process has it open.
func OpenWarehouse(ctx context.Context, c config.Warehouse, o WarehouseOptions) (*Warehouse, error) {
	opts := load.Options{
		Protocol: c.Kind, Addrs: c.Hosts, Database: c.Database, User: c.User, Password: c.Password.Reveal,
		Secure: c.Secure, CAFile: c.CAFile, Compress: true, DialTimeout: c.DialTimeout, ReadTimeout: c.ReadTimeout, Cluster: c.Cluster, Version: o.Version, Logger: o.Logger,
	}
	var engine *embedded.Engine
	if c.Kind == config.WarehouseEmbedded {
		var err error
		engine, err = embedded.Open(ctx, embedded.Options{
			Dir: c.Dir, Listen: c.Listen, Library: c.Libchdb, Version: o.Version, Logger: o.Logger,
			Own: o.Stay,
			Waiting: func() {
				o.Say("Another meterhouse uses the embedded warehouse in %s: waiting for it to end. Ctrl-C ends the wait, and takes the warehouse away from it if this process holds it.", c.Dir)
			},
		})
		if err != nil {
			return nil, err //nolint:wrapcheck // says what it opened
		}
		e := engine.Endpoint()
		opts.Protocol, opts.Addrs = config.WarehouseHTTP, []string{e.Addr}
		opts.Compress = false // on loopback it costs time and gains nothing
		opts.User, opts.Password = e.User, func() string { return e.Key }
		if !engine.Owner() {
			opts.Gone = fmt.Sprintf("the meterhouse process that held the embedded warehouse in %s is gone: start it again, or only this command", c.Dir)
		}
	}
	w, err := load.Open(ctx, opts)
	if err != nil {
		if engine != nil {
			_ = engine.Close(ctx)
		}
		return nil, err //nolint:wrapcheck // says what it opened
	}
	return &Warehouse{Warehouse: w, engine: engine}, nil
}

// Embedded gives the endpoint of the embedded engine; false when the
// warehouse is a server.
func (w *Warehouse) Embedded() (embedded.Endpoint, bool) {
	if w.engine == nil {
		return embedded.Endpoint{}, false
	}
	return w.engine.Endpoint(), true
}

// Close closes the connection, then the engine if it is this process's.
func (w *Warehouse) Close(ctx context.Context) error {
	err := w.Warehouse.Close()
	if w.engine != nil {
		if eerr := w.engine.Close(ctx); eerr != nil {
			return fmt.Errorf("closing the embedded warehouse: %w", eerr)
		}
	}
	return err //nolint:wrapcheck // says what it closed
}

// warehouseForRun is a Warehouse in the words of the run.
type warehouseForRun struct{ *load.Warehouse }

// Begin opens a load.
func (w warehouseForRun) Begin(ctx context.Context, h schema.LoadHeader) (run.Load, error) {
	return w.Warehouse.Begin(ctx, h) //nolint:wrapcheck // the run wraps it
}

// AllLoads reads the whole ledger.
func (w warehouseForRun) AllLoads(ctx context.Context) ([]schema.Load, error) {
	return w.Ledger(ctx, load.LedgerQuery{}) //nolint:wrapcheck // says what was read
}

// Versions is the warehouse as publishing an existing load again needs it.
func (w *Warehouse) Versions() run.Versions { return warehouseForRun{w.Warehouse} }

// Stock is the warehouse as deleting loads needs it.
func (w *Warehouse) Stock() run.Stock { return warehouseForRun{w.Warehouse} }
