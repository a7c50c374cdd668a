package cli

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/meterhouse/meterhouse/cmd/internal/wire"
	"github.com/meterhouse/meterhouse/etl/serve"
)

// metrics are the daemon's, with what the ledger knows already.
func (a *App) metrics(ctx context.Context, s *session) (*serve.Metrics, error) {
	in, err := s.planInput(ctx, time.Now())
	if err != nil {
		return nil, err
	}
	m := serve.NewMetrics(a.Version, wire.Feeds(s.cfg.Sources))
	m.Ledger(in.Ledger)
	return m, nil
}

// serve answers health and metrics, where that is configured, until the returned
// function is called.
func (s *session) serve(ctx context.Context, m *serve.Metrics) (stop func(), err error) {
	if s.cfg.Serve.Listen == "" {
		return func() {}, nil
	}
	server, err := serve.Start(ctx, serve.Options{
		Listen: s.cfg.Serve.Listen, Metrics: m, Logger: s.log,
		Ready: func(asked context.Context) error {
			if ctx.Err() != nil {
				return errEnding
			}
			return s.warehouse.CheckSchema(asked) //nolint:wrapcheck // says what is wrong
		},
	})
	if err != nil {
		return nil, err //nolint:wrapcheck // names address and key
	}
	s.log.Info("health and metrics are served", zap.String("address", server.Addr()))
	return server.Close, nil
}

var errEnding = errors.New("the daemon is ending")
