package wire_test

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/etl/run"
	"github.com/meterhouse/meterhouse/extract/bigfix/bigfixtest"
)

// What a run says that a restatement changed is what readers can see of it.
func TestARestatementTellsWhatItChanged(t *testing.T) {
	t.Parallel()
	w := bigfixWorld(t, newWarehouse(t), "bfi", bigfixtest.Options{Rows: 400})
	w.source.Restatements.AlertAbove = 0.05
	day := w.today() - 2
	first := w.run(day, day).Outcomes[0]
	require.Nil(t, first.Restated, "there was nothing before it")
	require.Nil(t, w.run(day, day).Outcomes[0].Restated, "it is unchanged")

	const totals = "SELECT concat('product ', toString(product_id), ' (', max(product_name), '), ', max(metric_code_name)), " +
		"toString(sum(hwm_quantity)) FROM license_usage GROUP BY product_id, metric_id"
	before := w.query(totals)
	require.NoError(t, w.bigfix.Revise(day.String(), 1))
	restated := w.run(day, day).Outcomes[0]
	require.NotNil(t, restated.Restated)
	require.NoError(t, restated.Restated.Err)
	var got []string
	for _, c := range restated.Restated.Beyond {
		if c.What != "rows" {
			got = append(got, fmt.Sprintf("%s: %d -> %d", c.What, c.Earlier, c.Later))
		}
	}
	require.ElementsMatch(t, movedBeyond(t, 0.05, before, w.query(totals)), got)
	require.Greater(t, len(got), 1)
	require.NotEmpty(t, restated.Alert())

	// An operator who wants none is told of none, and nothing is compared.
	w.source.Restatements.AlertAbove = run.NoAlert
	require.NoError(t, w.bigfix.Revise(day.String(), 2))
	quiet := w.run(day, day).Outcomes[0]
	require.Equal(t, &run.Restatement{}, quiet.Restated)
	require.Empty(t, quiet.Alert())
}

// movedBeyond compares lines of a name and a number by the name.
func movedBeyond(t *testing.T, share float64, before, after []string) []string {
	t.Helper()
	earlier, later, names := map[string]int64{}, map[string]int64{}, map[string]bool{}
	for _, side := range []struct {
		lines []string
		sums  map[string]int64
	}{{before, earlier}, {after, later}} {
		for _, line := range side.lines {
			name, number, _ := strings.Cut(line, "\t")
			n, err := strconv.ParseInt(number, 10, 64)
			require.NoError(t, err)
			side.sums[name], names[name] = n, true
		}
	}
	var moved []string
	for name := range names {
		if e, l := earlier[name], later[name]; math.Abs(float64(l-e)) > share*float64(e) {
			moved = append(moved, fmt.Sprintf("%s: %d -> %d", name, e, l))
		}
	}
	return moved
}
