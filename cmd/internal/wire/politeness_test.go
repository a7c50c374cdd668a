package wire_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/cmd/internal/config"
	"github.com/meterhouse/meterhouse/cmd/internal/wire"
	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/extract/bigfix/bigfixtest"
	"github.com/meterhouse/meterhouse/extract/extracttest/simfault"
	"github.com/meterhouse/meterhouse/load"
)

// A run of many slices never has more requests in flight to a source than its
// configuration allows, counted by the source itself, and uses what it may.
func TestPoliteness(t *testing.T) {
	t.Parallel()
	warehouse := newWarehouse(t)
	bfi := bigfixWorld(t, warehouse, "bfi", bigfixtest.Options{Latency: 10 * time.Millisecond})
	bfi.source.Parallel, bfi.source.PageSize = 3, 40
	hq := nexthinkWorld(t, warehouse, "hq")
	hq.source.Parallel = 2
	hq.addTargets(10)
	three, two := simfault.Together(3), simfault.Together(2)
	bfi.faults.Next(bfi.path, three, three, three)
	hq.faults.Next(hq.path, two, two)
	hq.faults.Always(hq.path, simfault.Drip(1000, 10, time.Millisecond))

	// Built from the configuration alone, and run side by side.
	configured := []config.Source{bfi.source, hq.source}
	sources, err := wire.Sources(configured)
	require.NoError(t, err)
	ledger, err := warehouse.Ledger(t.Context(), load.LedgerQuery{})
	require.NoError(t, err)
	in := plan.Input{Feeds: wire.Feeds(configured), Ledger: ledger, Now: bfi.clock.now()}
	from, to := bfi.today()-40, bfi.today()
	p := plan.Range(in, from, to, plan.RangeOptions{})
	require.Len(t, p.Do, 40+20)
	report := bfi.runWith(t.Context(), t.Context(), sources, p, nobody{})
	require.True(t, report.Complete())
	bfi.requireTruth(from, to-1)
	hq.requireTruth(to, to)

	for _, w := range []*world{bfi, hq} {
		require.Equal(t, w.source.Parallel, w.faults.MaxInFlight(), w.source.Name)
	}
	require.Equal(t, 1, bfi.faults.Requests(bigfixtest.TokenPath), "one token serves all")
	require.Equal(t, 20, hq.faults.Requests(hq.path))
}
