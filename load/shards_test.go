package load_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/load"
)

// TestDeaths waits for a dead server once, and again when nobody has looked at it
// for so long that it may have lived meanwhile.
func TestDeaths(t *testing.T) {
	t.Parallel()
	const s = time.Second
	require.Equal(t, []time.Duration{5 * s, 4 * s, 0, 0, 5 * s}, load.Deaths(0, s, 5*s, 9*s, 15*s))
}

// TestShards spreads consecutive servers and like-named devices evenly, and the
// same way in every process.
func TestShards(t *testing.T) {
	t.Parallel()
	const shards, rows = 3, 30_000
	var servers, devices [shards]int
	for i := range int64(rows) {
		server, device := load.Shards(shards, i, fmt.Sprintf("PC-%05d", i))
		servers[server]++
		devices[device]++
	}
	for i := range shards {
		require.InDelta(t, rows/shards, servers[i], rows/shards/10)
		require.InDelta(t, rows/shards, devices[i], rows/shards/10)
	}
	server, device := load.Shards(4, 4711, "LAUSANNE-0815")
	require.Equal(t, [2]int{1, 1}, [2]int{server, device})
}
