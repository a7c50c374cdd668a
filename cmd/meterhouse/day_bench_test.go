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

// BenchmarkDay loads one day of license usage, from HTTP to published, into an
// embedded warehouse that another process owns: so the peak memory is that of
// the loader without the engine. It stays flat while the day grows tenfold.
// The simulator and the engine run on the same machine and take their share.
func BenchmarkDay(b *testing.B) {
	for _, rows := range []int{200_000, 2_000_000} {
		b.Run(fmt.Sprintf("rows=%d", rows), func(b *testing.B) {
			w := newWorld(b, worldOptions{bigfix: bigfixtest.Options{Rows: rows}, bigfixYAML: never})
			owner, _ := w.daemon()
			day, err := schema.ParseDay("2025-03-03")
			require.NoError(b, err)
			var loaded uint64
			var peak int64
			var took time.Duration
			for b.Loop() {
				d := day.String()
				began := time.Now()
				p := w.start("backfill", "--source", "bfi", "--from", d, "--to", d)
				require.Equal(b, 0, p.wait(), p.stderr.String())
				took += time.Since(began)
				truth, _, err := w.bigfix.Truth(d, 0)
				require.NoError(b, err)
				loaded += truth
				usage, ok := p.cmd.ProcessState.SysUsage().(*syscall.Rusage)
				require.True(b, ok)
				peak = max(peak, usage.Maxrss)
				day++
			}
			owner.signal(syscall.SIGTERM)
			owner.wait()
			b.ReportMetric(float64(loaded)/took.Seconds(), "rows/s")
			b.ReportMetric(float64(peak)/1024, "peak-MB")
		})
	}
}
