package nexthink_test

import (
	"bufio"
	"io"
	"math"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/extract/nexthink"
	"github.com/meterhouse/meterhouse/extract/nexthink/nexthinktest"
)

// Whatever form the Portal chooses, a pull brings exactly its estate.
func TestPullIsExact(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		portal nexthinktest.Options
		format string
	}{
		"json":                   {nexthinktest.Options{}, nexthink.FormatJSON},
		"json, camel case":       {nexthinktest.Options{Keys: nexthinktest.CamelCase}, nexthink.FormatJSON},
		"json, Pascal case":      {nexthinktest.Options{Keys: nexthinktest.PascalCase}, nexthink.FormatJSON},
		"json, object":           {nexthinktest.Options{Root: nexthinktest.ObjectWithList}, nexthink.FormatJSON},
		"json, header and rows":  {nexthinktest.Options{Root: nexthinktest.HeadersAndValues}, nexthink.FormatJSON},
		"csv":                    {nexthinktest.Options{}, nexthink.FormatCSV},
		"csv, camel case header": {nexthinktest.Options{Keys: nexthinktest.CamelCase}, nexthink.FormatCSV},
		"table":                  {nexthinktest.Options{}, nexthink.FormatTable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.portal.Devices, tc.portal.Seed = 3000, 7
			b := setup(t, tc.portal)
			b.options.Format = tc.format
			for _, list := range b.options.Targets[0].Lists {
				got := pullTruth(t, b, list)
				want, err := b.portal.Truth(today(), simulated(visio(), list))
				require.NoError(t, err)
				require.NotZero(t, want.NeverRun)
				if tc.format == nexthink.FormatJSON {
					want.Binaries = 0 // json lists the used ones only
				} else {
					want.UsedBinaries = 0 // csv and table list all, each with yes or no
				}
				require.Equal(t, want, got)
			}
		})
	}
}

func simulated(target nexthink.Target, list string) nexthinktest.Target {
	return nexthinktest.Target{
		Metric: target.Metric, Program: target.Program, Hierarchy: target.Hierarchy, Path: target.Path, List: list,
	}
}

// pullTruth adds up what a pull brings.
func pullTruth(t *testing.T, b *testBundle, list string) nexthinktest.Truth {
	t.Helper()
	s := b.source(t)
	var got nexthinktest.Truth
	answer, err := s.Pull(t.Context(), s.Live(), extract.Request{Feed: "visio/" + list}, func(r *extract.Record) error {
		got.Devices++
		usage, err := strconv.ParseFloat(string(r.Values[extract.MeteringAvgUsage].Bytes), 64)
		require.NoError(t, err)
		got.UsageHundredths += uint64(math.Round(usage * 100))
		last := r.Values[extract.MeteringLastActivity]
		if last.Kind == extract.Null || len(last.Bytes) == 0 {
			got.NeverRun++
		}
		binaries := string(r.Values[extract.MeteringBinaries].Bytes)
		if b.options.Format == nexthink.FormatJSON {
			got.UsedBinaries += uint64(strings.Count(binaries, ".exe"))
		} else {
			got.Binaries += uint64(strings.Count(binaries, " yes") + strings.Count(binaries, " no"))
		}
		require.Empty(t, r.Extra)
		return nil
	})
	require.NoError(t, err)
	require.Empty(t, answer.Notes)
	require.Equal(t, got.Devices, answer.Records)
	return got
}

// Memory does not grow with the number of devices: the largest estate that a
// Portal supports takes no more than a small one. Not parallel: it measures.
func TestMemoryStaysFlat(t *testing.T) {
	const values = `"Lausanne",123.45,1.5,"2026-03-02","2026-11-19T14:03:22",["visio.exe","vviewer.exe"]]`
	const fields = `"entity":"Lausanne","averageUsagePerDay":123.45,"lastActivity":null,"os":"Windows","binaries":["visio.exe"]}`
	for name, a := range map[string]bigAnswer{
		"json":              {nexthink.FormatJSON, `[`, `{"device":"PC`, `",` + fields, `]`},
		"json, usual name":  {nexthink.FormatJSON, `{"details":[`, `{"device":"PC`, `",` + fields, `]}`},
		"json, unlike name": {nexthink.FormatJSON, `{"computers":[`, `{"device":"PC`, `",` + fields, `]}`},
		"json, rows": {
			nexthink.FormatJSON,
			`{"columns":["Device","Entity","usagePerDay","executionsPerDay","firstSeen","lastUsed","binaries"],"rows":[`,
			`["PC`, `",` + values, `]}`,
		},
		"csv": {nexthink.FormatCSV, "Device,Entity,OS,Binaries\n", `PC`, `,Lausanne,Windows,"visio.exe yes, vviewer.exe no"`, "\n"},
		"table": {
			nexthink.FormatTable, "<table><tr><th>Device</th><th>Entity</th><th>OS</th><th>Binaries</th></tr>",
			`<tr><td>PC`, `</td><td>Lausanne</td><td>Windows</td><td>visio.exe yes<br>vviewer.exe no</td></tr>`, "</table>",
		},
	} {
		t.Run(name, func(t *testing.T) {
			small, large := a.liveHeap(t, 15_000), a.liveHeap(t, 150_000)
			t.Logf("live heap in mid-pull: %d KiB with 15,000 devices, %d KiB with 150,000", small>>10, large>>10)
			require.Less(t, large, small+1<<20)
		})
	}
}

// bigAnswer writes answers of any length: a row is before, a number, after.
type bigAnswer struct{ format, begin, before, after, end string }

func (a bigAnswer) write(w io.Writer, rows int) {
	out := bufio.NewWriter(w)
	_, _ = out.WriteString(a.begin)
	for i := range rows {
		if i > 0 && a.format == nexthink.FormatJSON {
			_ = out.WriteByte(',')
		} else if i > 0 {
			_ = out.WriteByte('\n')
		}
		_, _ = out.WriteString(a.before)
		_, _ = out.Write(strconv.AppendInt(out.AvailableBuffer(), int64(i), 10))
		_, _ = out.WriteString(a.after)
	}
	_, _ = out.WriteString(a.end)
	_ = out.Flush()
}

// liveHeap is the most that was in use while an answer was pulled.
func (a bigAnswer) liveHeap(t *testing.T, rows int) uint64 {
	t.Helper()
	b := setup(t, nexthinktest.Options{})
	b.options.Format = a.format
	b.portal.Faults.Always(nexthinktest.DetailsPath, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { a.write(w, rows) })
	})
	s := b.source(t)
	var peak uint64
	var m runtime.MemStats
	answer, err := s.Pull(t.Context(), s.Live(), extract.Request{Feed: "visio/installed"}, func(r *extract.Record) error {
		if r.Ordinal%uint64(rows/10) == 0 {
			runtime.GC()
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapAlloc)
		}
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, uint64(rows), answer.Records)
	return peak
}
