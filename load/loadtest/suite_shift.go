package loadtest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/load"
	"github.com/meterhouse/meterhouse/schema"
)

// shifts are sums per product and metric: what moves between servers or bundles
// is none, what moves between products or metrics is two.
func (on Harness) shifts(t *testing.T) {
	w := Migrated(t, on.Database(t))
	s := Slice("it's", 1)
	bundled, full := Usage(1, 2, 30), Usage(3, 1, 9)
	bundled.BundleID = 7
	full.MetricID, full.MetricCodeName = 5, "PVU_FULL_CAP"
	from, _ := Store(t, w, s, Usage(1, 1, 100), Usage(1, 2, 50), Usage(2, 1, 7), Usage(3, 1, 9), Usage(4, 1, 10))
	to, _ := Store(t, w, s, Usage(1, 1, 90), bundled, Usage(1, 2, 30), full, Usage(4, 2, 6), Usage(4, 3, 3))
	_, _ = Store(t, w, s, Usage(1, 1, 1)) // another load of the slice is none of its business

	got, err := w.Shifts(t.Context(), s, from, to)
	require.NoError(t, err)
	pvu := func(product int64, earlier, later int64) schema.Shift {
		u := Usage(product, 1, 0)
		return schema.Shift{
			ProductID: product, ProductName: u.ProductName, MetricID: u.MetricID, MetricCodeName: u.MetricCodeName, Earlier: earlier, Later: later,
		}
	}
	moved := pvu(3, 0, 9)
	moved.MetricID, moved.MetricCodeName = full.MetricID, full.MetricCodeName
	require.Equal(t, []schema.Shift{pvu(2, 7, 0), pvu(3, 9, 0), moved, pvu(4, 10, 9)}, got)

	got, err = w.Shifts(t.Context(), s, from, from)
	require.NoError(t, err)
	require.Empty(t, got)
	_, err = Open(t, on.Database(t)).Shifts(t.Context(), s, from, to)
	var lerr *load.Error
	require.ErrorAs(t, err, &lerr)
	require.Equal(t, load.Schema, lerr.Class)
}
