package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/extract/bigfix/bigfixtest"
	"github.com/meterhouse/meterhouse/extract/extracttest/simfault"
)

// A source with wait_for_import gives no day before the server's import has
// finished it. That is no failure: nothing is in the ledger, and the next pass
// finds the day.
func TestADayWaitsForTheImport(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{bigfix: bigfixtest.Options{Rows: 50}, bigfixYAML: "    wait_for_import: true\n"})
	pass := []string{"backfill", "--source", "bfi", "--from", "2026-03-01", "--to", "2026-03-02"}

	w.bigfix.Imports(bigfixtest.ImportStatus{Mode: "running", LastSuccessTime: "2026-03-03T06:00:00Z", LastImportTime: "2026-03-04T00:30:00Z"})
	code, _, stderr := w.run(pass...)
	require.Equal(t, 3, code, stderr)
	require.Contains(t, stderr, `license usage of 2026-03-01 at "bfi" is not ready yet: an import is running`)
	require.Contains(t, stderr, "2 not tried")
	require.Equal(t, []string{"0"}, w.query("SELECT count() FROM loads"))
	require.Zero(t, w.bigfix.Requests("license_usage_per_server"))

	w.bigfix.Imports(bigfixtest.ImportStatus{Mode: "idle", LastSuccessTime: "2026-03-02T01:00:00Z"})
	code, _, stderr = w.run(pass...)
	require.Equal(t, 3, code, stderr)
	require.Contains(t, stderr, `license usage of 2026-03-02 at "bfi" is not ready yet: the last successful import ended 2026-03-02T01:00:00Z`)
	require.Equal(t, []string{"2026-03-01\tpublished"}, w.query("SELECT day, status FROM loads"))

	w.bigfix.Imports(bigfixtest.ImportStatus{Mode: "idle", LastSuccessTime: "2026-03-03T01:00:00Z"})
	w.must(pass...)
	require.Equal(t, []string{"2026-03-01\tpublished", "2026-03-02\tpublished"}, w.query("SELECT day, status FROM loads ORDER BY day"))
	require.Zero(t, w.bigfix.ImportsStarted())
}

// The gate is asked again behind the pull: what was answered while an import ran is
// not published, and a day that an import has changed meanwhile is pulled again.
func TestADayIsNotPublishedWhenAnImportRanDuringThePull(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{bigfix: bigfixtest.Options{Rows: 50}, bigfixYAML: "    wait_for_import: true\n"})
	pass := []string{"backfill", "--source", "bfi", "--from", "2026-03-01", "--to", "2026-03-01"}
	idle := bigfixtest.ImportStatus{Mode: "idle", LastSuccessTime: "2026-03-02T06:00:00Z", LastImportTime: "2026-03-02T06:00:00Z"}
	later := bigfixtest.ImportStatus{Mode: "idle", LastSuccessTime: "2026-03-02T09:00:00Z", LastImportTime: "2026-03-02T09:00:00Z"}
	during := func(status bigfixtest.ImportStatus) {
		w.bigfix.Imports(idle)
		w.bigfix.Faults.Next(bigfixtest.UsagePath, simfault.Rewrite(func(body string) string {
			w.bigfix.Imports(status)
			return body
		}))
	}

	during(bigfixtest.ImportStatus{Mode: "running", LastSuccessTime: idle.LastSuccessTime})
	code, _, stderr := w.run(pass...)
	require.Equal(t, 3, code, stderr)
	require.Contains(t, stderr, `license usage of 2026-03-01 at "bfi" is not ready yet: an import is running`)
	require.Equal(t, []string{"0"}, w.query("SELECT count() FROM loads"))

	during(later)
	w.must(pass...)
	require.Equal(t, []string{"published\t2"}, w.query("SELECT status, requests FROM loads"), "it was pulled again at once")
	require.Equal(t, 3, w.bigfix.Requests(bigfixtest.UsagePath))

	// Also a recheck that would find nothing new.
	during(bigfixtest.ImportStatus{Mode: "pending", LastSuccessTime: idle.LastSuccessTime})
	code, _, stderr = w.run(append(pass, "--force")...)
	require.Equal(t, 3, code, stderr)
	require.Equal(t, []string{"published"}, w.query("SELECT status FROM loads"))
}

// Product totals are published with the rows of their day, restated with them,
// and reconciled.
func TestProductTotalsComeWithTheirDay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{
		bigfix:     bigfixtest.Options{Rows: 500},
		bigfixYAML: "    product_totals: true\n    server_columns: [name, id]\n",
	})
	pass := []string{"backfill", "--source", "bfi", "--force", "--from", "2026-03-04", "--to", "2026-03-05"}
	requireReconciled := func() {
		t.Helper()
		for _, day := range []string{"2026-03-04", "2026-03-05"} {
			_, parts, err := w.bigfix.Truth(day, 0)
			require.NoError(t, err)
			rows, whole, err := w.bigfix.TruthTotals(day, 0)
			require.NoError(t, err)
			require.Less(t, whole, parts)
			require.Equal(t, []string{fmt.Sprintf("%d\t%d\t%d\t%d\t0\t1\t1", rows, parts, whole, parts-whole)}, w.query(
				"SELECT count(), sum(hwm_quantity_sum), sum(hwm_quantity), sum(difference), countIf(difference < 0), countIf(hwm_quantity IS NULL), uniqExact(load_id)"+
					" FROM reconciliation WHERE usage_date = '"+day+"'"))
		}
	}

	_, _, stderr := w.run(pass...)
	requireReconciled()
	require.Equal(t, 1, strings.Count(stderr, "the source sends fields that are not stored: server.id"), "said once for both days")

	require.NoError(t, w.bigfix.Revise("2026-03-05", 1))
	w.must(pass...)
	requireReconciled()
	require.Equal(t, []string{"2026-03-04\tunchanged", "2026-03-05\tpublished"},
		w.query("SELECT day, status FROM loads WHERE previous_load_id > 0 ORDER BY day"), "what was recorded is read again with its headers")
	require.Equal(t, []string{"3"}, w.query("SELECT uniqExact(load_id) FROM license_totals_versions"), "the version before stays")
}

// A feed that the server does not let us read is asked for once, and the other
// one goes on.
func TestAFeedThatCannotBeReadIsAskedForOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{
		bigfix:     bigfixtest.Options{Rows: 50},
		bigfixYAML: "    computer_groups: [99, 5]\n    parallel: 1\n",
	})
	code, _, stderr := w.run("backfill", "--source", "bfi", "--from", "2026-03-01", "--to", "2026-03-05")
	require.Equal(t, 3, code, stderr)
	require.Contains(t, stderr, "5 slices published")
	require.Contains(t, stderr, "1 failed, 4 not tried")
	require.Contains(t, stderr, "View License Metrics")
	asked := 0
	for _, request := range w.bigfix.Seen() {
		if request.Query.Get("computerGroupId") == "99" {
			asked++
		}
	}
	require.Equal(t, 1, asked)
}

func TestDiscoverShowsTheSchema(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{bigfix: bigfixtest.Options{Version: "11.0.8.0"}})
	code, stdout, stderr := w.run("discover", "--source", "bfi")
	require.Equal(t, 0, code, stderr)
	require.Contains(t, stdout, `"name":"hwm_quantity"`)
	require.Contains(t, stderr, "bfi, version: 11.0.8.0")
	require.NotContains(t, stderr, "warning")

	const shape = `{"properties": {"product_id": {"type": "integer"}}}`
	w.bigfix.Faults.Always(bigfixtest.SchemasPath+"license_usage_per_server.json", simfault.Body("application/json", shape))
	code, stdout, stderr = w.run("discover", "--source", "bfi")
	require.Equal(t, 0, code, stderr)
	require.Equal(t, shape+"\n", stdout) //nolint:testifylint // byte for byte, not as JSON
	require.Contains(t, stderr, "warning: bfi, columns: hwm_quantity is asked for, and schemas/license_usage_per_server.json does not name it")
	require.NotContains(t, stderr, "product_id")

	for says, args := range map[string][]string{
		"discover needs --source":               {"discover"},
		`there is no source "bfo"`:              {"discover", "--source", "bfo"},
		"kind nexthink, whose servers describe": {"discover", "--source", "portal"},
		`"bfi" is one word too many`:            {"discover", "bfi"},
	} {
		code, _, stderr = w.run(args...)
		require.Equal(t, 2, code, stderr)
		require.Contains(t, stderr, says)
	}

	w.bigfix.Faults.Clear()
	w.bigfix.RotateToken("another")
	code, stdout, stderr = w.run("discover", "--source", "bfi")
	require.Equal(t, 1, code)
	require.Empty(t, stdout)
	require.Contains(t, stderr, "Profile > Show token")
}

// Somebody waits for a check: a server that is down is not asked for long.
func TestCheckDoesNotAskForLong(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{bigfix: bigfixtest.Options{}, bigfixYAML: "    max_retries: 9\n"})
	w.bigfix.Faults.Always(bigfixtest.UsagePath, simfault.Status(http.StatusServiceUnavailable, "starting"))
	code, stdout, stderr := w.run("check")
	require.Equal(t, 1, code, stderr)
	require.Contains(t, stdout, `error    bfi, source: asking "bfi" for license usage`)
	require.Contains(t, stdout, "(2 attempts)")
	require.Contains(t, stdout, "portal, right to read", "the other source is looked at all the same")
}
