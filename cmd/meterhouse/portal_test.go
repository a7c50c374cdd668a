package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/extract/nexthink/nexthinktest"
	"github.com/meterhouse/meterhouse/schema"
)

// portalFormats are the sources of portalWorld, one per format.
var portalFormats = [...]string{"json", "csv", "table"}

// portalWorld asks one portal in every format that it has.
func portalWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, worldOptions{devices: 3000})
	var config strings.Builder
	config.WriteString("warehouse: {url: \"embedded:./data\"}\npublish_delay: 10ms\nsources:\n")
	for _, format := range portalFormats {
		fmt.Fprintf(&config, `  - name: %s
    kind: nexthink
    url: %s
    user: meterhouse
    password_file: password
    tls: {ca_file: portal.pem}
    format: %s
    targets:
      - name: acrobat
        metric: f3e2d1c0-b9a8-4776-8554-4332211000a1
        program: 0f1e2d3c-4b5a-4697-8877-665544332261
        path: [Americas, United States]
        lists: [installed, underusage]
`, format, w.portalURL, format)
	}
	w.write("meterhouse.yaml", config.String())
	return w
}

// requireTruth compares what readers see with what the portal has.
func (w *world) requireTruth(metric string, programs ...string) {
	w.t.Helper()
	const sums = `SELECT snapshot_date, count(), countIf(last_activity IS NULL), toUInt64(round(sum(avg_usage_seconds) * 100)),
		sum(length(binaries)), sum(arrayCount(used -> used = 1, binaries_used)), countIf(extra != '')
		FROM metering_details WHERE source = '%s' AND feed = 'acrobat/%s' GROUP BY snapshot_date`
	for _, format := range portalFormats {
		for _, list := range []string{"installed", "underusage"} {
			got := strings.Split(w.query(fmt.Sprintf(sums, format, list))[0], "\t")
			day, err := schema.ParseDay(got[0])
			require.NoError(w.t, err)
			var want nexthinktest.Truth
			for _, program := range programs {
				part, err := w.portal.Truth(day.UTC().Add(12*time.Hour), nexthinktest.Target{
					Metric: metric, Program: program, Path: []string{"Americas", "United States"}, List: list,
				})
				require.NoError(w.t, err)
				require.NotZero(w.t, part.Devices)
				want.Devices += part.Devices
				want.NeverRun += part.NeverRun
				want.UsageHundredths += part.UsageHundredths
				want.Binaries += part.Binaries
				want.UsedBinaries += part.UsedBinaries
			}
			if format == "json" {
				want.Binaries = want.UsedBinaries // it lists no others
			}
			require.Equal(w.t, fmt.Sprint(want.Devices, want.NeverRun, want.UsageHundredths, want.Binaries, want.UsedBinaries, 0),
				strings.Join(got[1:], " "), "%s %s", format, list)
		}
	}
}

// Whatever format the portal is asked for, the warehouse holds its estate; and
// what is known of the portal's engines goes with every day, from the pull to
// the views.
func TestPortalInEveryFormat(t *testing.T) {
	t.Parallel()
	w := portalWorld(t)
	const metric, program = "f3e2d1c0-b9a8-4776-8554-4332211000a1", "0f1e2d3c-4b5a-4697-8877-665544332261"
	partial := func() []string {
		return w.query("SELECT partial, count() FROM coverage WHERE state = 'published' GROUP BY partial")
	}

	w.portal.SetEngine("emea", "DISCONNECTED")
	code, _, stderr := w.run("sync")
	require.Equal(t, 0, code, stderr)
	w.requireTruth(metric, program)
	const lost = `the portal has lost 1 of its 2 engines, so that devices may be missing or old: "emea" is `
	require.Equal(t, []string{lost + "DISCONNECTED" + "\t6"}, partial())
	require.Equal(t, 3, strings.Count(stderr, "published days are marked as partial: "), "once per source:\n%s", stderr)
	require.Equal(t, 3, w.portal.Faults.Requests(nexthinktest.EnginesPath), "once per source and pass")
	status := w.must("status")
	require.Contains(t, status, "Of those that are published: 6 partial.")
	require.Equal(t, 3, strings.Count(status, "p partial: all 2 feeds\n      the portal has lost 1 of its 2 engines"), status)
	require.Contains(t, w.must("status", "--json", "--source", "csv"), `"days_partial": 1`)

	// The engine is back and the portal says the same: nothing was missing.
	w.portal.SetEngine("emea", "CONNECTED")
	_, _, stderr = w.run("sync")
	require.Contains(t, stderr, "6 unchanged")
	require.Equal(t, []string{"\t6"}, partial())
	require.NotContains(t, w.must("status"), "partial")

	// It goes again, and the portal says something else: every day is pulled
	// once, and published out of the recording of that pull.
	w.portal.SetEngine("emea", "CONNECTING")
	w.portal.Faults.Always(nexthinktest.DetailsPath, func(proper http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			q := r.URL.Query()
			q.Set("metric", nexthinktest.Metrics()[0].UID)
			q.Del("program")
			r.URL.RawQuery = q.Encode()
			proper.ServeHTTP(rw, r)
		})
	})
	w.write("meterhouse.yaml", w.config()+"guards: {max_shrink: 1}\n")
	before := w.portal.Faults.Requests(nexthinktest.DetailsPath)
	_, _, stderr = w.run("sync")
	require.Contains(t, stderr, "6 slices published")
	require.Equal(t, before+6, w.portal.Faults.Requests(nexthinktest.DetailsPath))
	require.Equal(t, []string{lost + "CONNECTING" + "\t6"}, partial())
	visio := nexthinktest.Metrics()[0]
	w.requireTruth(visio.UID, visio.Programs[0].UID, visio.Programs[1].UID)
}

// A portal that speaks German, in the dialect of a spreadsheet: its keys, dates
// and numbers are configured, equal names stay apart, and what is blank is
// neither a name nor a zero.
func TestPortalInAnotherLanguage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{topYAML: "publish_delay: 10ms\n"})
	config := w.config()
	bigfix := config[strings.Index(config, "  - name: bfi\n"):strings.Index(config, "  - name: portal\n")]
	w.write("meterhouse.yaml", strings.NewReplacer(bigfix, "", "[installed, underusage]", "[installed]", "    targets:\n", `    timezone: Europe/Zurich
    format: csv
    aliases: {device: [Gerät], entity: [Standort], avg_usage_seconds: [Nutzung], avg_executions: [Starts], last_activity: [Letzte Aktivität], first_seen: [Seit]}
    date_layout: "02.01.2006 15:04"
    decimal_comma: true
    targets:
`).Replace(config))
	const answer = "\xEF\xBB\xBFGer\xE4t;Standort;Nutzung;Starts;Seit;Letzte Aktivit\xE4t;Binaries\r\n" +
		"PC1;Z\xFCrich;12,5;0,25;05.01.2026;06.07.2026 14:03;visio.exe yes, vviewer.exe no\r\n" +
		"PC1;Z\xFCrich;12,5;0,25;05.01.2026;06.07.2026 14:03;visio.exe yes, vviewer.exe no\r\n" +
		"PC1;;-;;;;visio.exe\r\n"
	w.portal.Faults.Always(nexthinktest.DetailsPath, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write([]byte(answer)) })
	})
	w.must("sync")
	const row = `PC1	Zürich	12.5	0.25	2026-01-04 23:00:00	2026-07-06 12:03:00	['visio.exe','vviewer.exe']	[1,0]	`
	require.Equal(t, []string{
		"1\t" + row, "2\t" + row, `3	PC1		\N	\N	\N	\N	['visio.exe']	[NULL]	`,
	}, w.query(`SELECT ordinal, device, entity, avg_usage_seconds, avg_executions, first_seen, last_activity, binaries, binaries_used, extra
		FROM metering_details ORDER BY ordinal`))
}
