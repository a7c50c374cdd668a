package load_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/load"
	"github.com/meterhouse/meterhouse/load/loadtest"
	"github.com/meterhouse/meterhouse/schema"
)

// TestDiffOfMetering has devices in another order, and two of the same name: the
// place of a row in the answer is no content, and the rows of one name are paired
// by what they say.
func TestDiffOfMetering(t *testing.T) {
	t.Parallel()
	w := migrated(t, newDatabase(t))
	h := schema.LoadHeader{Slice: schema.Slice{Source: "nx", Feed: "visio/installed", Day: march(1)}, Kind: schema.KindNexthink}
	metering := func(devices ...schema.MeteringDetail) uint64 {
		h.LoadID, h.RetrievedAt = schema.NewLoadID(time.Now()), time.Now()
		l, err := w.Begin(t.Context(), h)
		require.NoError(t, err)
		for i := range devices {
			devices[i].Ordinal = uint64(i + 1)
			require.NoError(t, l.MeteringDetail(&devices[i]))
		}
		require.NoError(t, l.Finish(t.Context()))
		return h.LoadID
	}
	device := func(name string, seconds float64) schema.MeteringDetail {
		return schema.MeteringDetail{
			Device: name, Entity: "HQ", AvgUsageSeconds: some(seconds),
			Binaries: []string{"it's.exe"}, BinariesUsed: []sql.Null[bool]{{}},
		}
	}
	never := device("PC4", 0)
	never.AvgUsageSeconds.Valid = false
	d := load.Diff{
		Kind: schema.KindNexthink, Slice: h.Slice,
		From: metering(device("PC1", 1), device("PC2", 2), device("PC2", 3), device("PC3", 4), device("PC4", 0)),
		To:   metering(never, device("PC2", 3), device("PC2", 2), device("PC2", 5), device("PC1", 1.5)),
	}
	counts, err := w.DiffCounts(t.Context(), d)
	require.NoError(t, err)
	require.Equal(t, load.DiffCounts{Added: 1, Removed: 1, Changed: 2, Unchanged: 2}, counts)
	require.Equal(t, []string{
		"changed PC1 HQ 1: avg_usage_seconds 1 -> 1.5",
		"added PC2 HQ 3:",
		"removed PC3 HQ 1:",
		"changed PC4 HQ 1: avg_usage_seconds 0 -> NULL",
	}, loadtest.DiffLines(t, w, d))
}
