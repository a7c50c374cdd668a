package main

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/extract/bigfix/bigfixtest"
	"github.com/meterhouse/meterhouse/schema"
)

// A backfill that is killed in the middle, twice, and run again leaves exactly
// what the source says: no day lost, none twice, none half.
func TestKilledBackfillIsExactWhenRunAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{bigfix: bigfixtest.Options{Rows: 400, Latency: 20 * time.Millisecond}})
	first, err := schema.ParseDay("2026-01-01")
	require.NoError(t, err)
	last := first + 59
	args := []string{"backfill", "--source", "bfi", "--from", first.String(), "--to", last.String()}

	p := w.start(args...)
	p.waitFor("[3/60]")
	p.signal(syscall.SIGKILL)
	require.Equal(t, 128+int(syscall.SIGKILL), p.wait())
	p = w.start(args...)
	p.waitFor("[10/")
	p.signal(syscall.SIGKILL)
	p.wait()
	requireTrueDays(t, w, first, last, false)

	w.must(args...)
	requireTrueDays(t, w, first, last, true)
	require.Equal(t, []string{"60\t60"}, w.query(
		"SELECT count(), uniqExact(day) FROM (SELECT * FROM loads FINAL WHERE published_seq > 0)"))
}

// requireTrueDays compares what readers see with the source's truth, day by
// day. Unless all must be there, a day may be missing as a whole.
func requireTrueDays(t testing.TB, w *world, first, last schema.Day, all bool) {
	t.Helper()
	got := map[string]bool{}
	for _, line := range w.query("SELECT usage_date, count(), sum(hwm_quantity) FROM license_usage GROUP BY usage_date ORDER BY usage_date") {
		got[line] = true
	}
	seen := 0
	for day := first; day <= last; day++ {
		rows, sum, err := w.bigfix.Truth(day.String(), 0)
		require.NoError(t, err)
		if got[fmt.Sprintf("%s\t%d\t%d", day, rows, sum)] {
			seen++
		}
	}
	require.Len(t, got, seen, "a day is neither missing nor what the source says")
	require.Positive(t, seen, "nothing was published before the kill; the test proves nothing")
	if all {
		require.Equal(t, int(last-first)+1, seen)
	}
}
