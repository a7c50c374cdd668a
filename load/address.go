package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// addresses picks among several servers. All connections go to one of them as
// long as it answers, and to the next one in the list when it does not.
type addresses struct {
	current atomic.Int64
	dials   atomic.Int64  // connections made
	timeout time.Duration // for each address
}

// dial is the driver's way to a new connection. Its error says of every address
// why it was none.
func (a *addresses) dial(ctx context.Context, _ int, o *clickhouse.Options, dial clickhouse.Dial) (clickhouse.DialResult, error) {
	each := *o
	each.DialTimeout = a.timeout
	var errs []error
	first := a.current.Load()
	for i := range o.Addr {
		n := (int(first) + i) % len(o.Addr)
		conn, err := a.try(ctx, o.Addr[n], &each, dial)
		if err == nil {
			a.current.Store(int64(n))
			a.dials.Add(1)
			return conn, nil
		}
		errs = append(errs, err)
	}
	return clickhouse.DialResult{}, errors.Join(errs...)
}

func (a *addresses) try(ctx context.Context, address string, o *clickhouse.Options, dial clickhouse.Dial) (clickhouse.DialResult, error) {
	limited, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	conn, err := dial(limited, address, o)
	if err == nil {
		return conn, nil
	}
	err = cause(err)
	var network net.Error
	if ctx.Err() == nil && errors.As(err, &network) && network.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		err = &timeout{a.timeout, "dial_timeout"}
	}
	return conn, fmt.Errorf("%s: %w", address, err)
}
