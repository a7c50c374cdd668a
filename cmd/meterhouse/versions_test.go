package main

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/extract/bigfix/bigfixtest"
	"github.com/meterhouse/meterhouse/extract/nexthink/nexthinktest"
)

// reconfigure replaces a piece of the configuration.
func (w *world) reconfigure(from, to string) {
	w.t.Helper()
	text, err := os.ReadFile(filepath.Join(w.dir, "meterhouse.yaml"))
	require.NoError(w.t, err)
	require.Contains(w.t, string(text), from)
	w.write("meterhouse.yaml", strings.Replace(string(text), from, to, 1))
}

const (
	anyRows  = "    guards: {min_rows: 0}\n"
	manyRows = "    guards: {min_rows: 1000000}\n"
	theDay   = "2026-02-01"
)

// ofTheDay are the flags that name the slice of theDay.
func ofTheDay(command string, more ...string) []string {
	return append([]string{command, "--source", "bfi", "--feed", "default", "--day", theDay}, more...)
}

// day is what readers see of theDay, and the ledger's word on it.
func (w *world) day() (truth, last string) {
	w.t.Helper()
	truth = w.query("SELECT count(), sum(hwm_quantity) FROM license_usage WHERE usage_date = '" + theDay + "'")[0]
	last = w.query("SELECT status, reason FROM loads WHERE day = '" + theDay + "' ORDER BY finished_at DESC, load_id DESC, published_seq DESC LIMIT 1")[0]
	return truth, last
}

// pull asks the source for theDay again.
func (w *world) pull() (code int, stderr string) {
	w.t.Helper()
	code, _, stderr = w.run("sync", "--source", "bfi", "--day", theDay)
	return code, stderr
}

// TestRefusedTwiceIsArchivedOnce: while a source says what a guard refused, the
// first answers stand for all that follow.
func TestRefusedTwiceIsArchivedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{topYAML: inAFolder + "guards: {min_rows: 1000000}\n"})
	for range 2 {
		code, _, stderr := w.run("sync", "--source", "portal")
		require.Equal(t, 3, code, stderr)
		require.Equal(t, []string{"refused\t2"}, w.query("SELECT status, count() FROM loads FINAL GROUP BY status"), "both lists, each once")
		require.Len(t, w.objects("manifest.json"), 2)
	}
}

// TestRefusedThenAccepted: a guard refuses a restatement, an operator looks at it
// and accepts it, the next sync leaves it alone, and a rollback takes it back for
// as long as the source says the same.
func TestRefusedThenAccepted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{bigfix: bigfixtest.Options{Rows: 60}, bigfixYAML: never + anyRows})
	w.must("sync", "--source", "portal")
	w.daemon() // it has nothing to do; the others are its guests
	code, stderr := w.pull()
	require.Zero(t, code, stderr)
	before, _ := w.day()

	w.reconfigure(anyRows, manyRows)
	require.NoError(t, w.bigfix.Revise(theDay, 1))
	code, _ = w.pull()
	require.Equal(t, 3, code)
	seen, last := w.day()
	require.Equal(t, before, seen, "what was refused is invisible")
	require.Contains(t, last, "refused\t")

	// The diff shows what accepting would change.
	lines, err := csv.NewReader(strings.NewReader(w.must(ofTheDay("diff", "--refused", "--csv")...))).ReadAll()
	require.NoError(t, err)
	require.Equal(t, []string{"change", "product_id", "metric_id", "bundle_id", "server_id", "column", "old", "new"}, lines[0])
	require.Greater(t, len(lines), 1)
	require.Contains(t, w.must(ofTheDay("diff", "--refused")...), "the same")

	code, _, stderr = w.run(ofTheDay("accept", "--note", "200 servers were retired, asked Anna")...)
	require.Zero(t, code, stderr)
	require.Contains(t, stderr, "readers now see load")
	accepted, last := w.day()
	require.NotEqual(t, before, accepted)
	require.Equal(t, "accepted\t200 servers were retired, asked Anna", last)
	code, _, stderr = w.run(ofTheDay("accept", "--note", "again")...)
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "is what readers see already")
	code, _, stderr = w.run(ofTheDay("diff", "--refused")...)
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "was accepted and is what readers see")

	code, stderr = w.pull()
	require.Zero(t, code, stderr)
	seen, last = w.day()
	require.Equal(t, accepted, seen)
	require.Contains(t, last, "unchanged\t", "what was accepted is not refused again")

	w.reconfigure(manyRows, anyRows)
	w.must(ofTheDay("rollback", "--note", "Anna was wrong")...)
	for range 2 {
		code, stderr = w.pull()
		require.Zero(t, code, stderr)
		seen, last = w.day()
		require.Equal(t, before, seen, "what was rolled back from stays rolled back")
		require.Contains(t, last, "which an operator rolled back from")
	}
	require.Equal(t, []string{"2"}, w.query("SELECT uniqExact(load_id) FROM license_usage_versions"), "nothing was inserted for it")

	// The source says something new, and that is published.
	require.NoError(t, w.bigfix.Revise(theDay, 2))
	code, stderr = w.pull()
	require.Zero(t, code, stderr)
	seen, _ = w.day()
	require.NotEqual(t, before, seen)
	require.NotEqual(t, accepted, seen)
	code, _, stderr = w.run(ofTheDay("accept", "--note", "late")...)
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "--force publishes it all the same")
	w.must(ofTheDay("accept", "--note", "late", "--force")...)
	seen, _ = w.day()
	require.Equal(t, accepted, seen)

	for range 4 { // some of them within one second
		w.must(ofTheDay("rollback", "--note", "to and fro")...)
	}
	w.requireTraceInOrder()
}

// requireTraceInOrder wants the publications of the day listed as they replaced
// each other.
func (w *world) requireTraceInOrder() {
	w.t.Helper()
	var trace struct {
		Ledger []struct {
			Seq uint64 `json:"published_seq"`
		}
	}
	require.NoError(w.t, json.Unmarshal([]byte(w.must(ofTheDay("trace", "--json")...)), &trace))
	var numbers []uint64
	for _, row := range trace.Ledger {
		if row.Seq > 0 {
			numbers = append(numbers, row.Seq)
		}
	}
	require.Greater(w.t, len(numbers), 4)
	require.IsIncreasing(w.t, numbers)
}

// TestDiffInJSON holds the shape that machines rely on.
func TestDiffInJSON(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{bigfix: bigfixtest.Options{Rows: 60}})
	code, _, stderr := w.run(ofTheDay("diff")...)
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "nothing of this day was ever published")
	w.pull()
	code, _, stderr = w.run(ofTheDay("diff")...)
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "is the only version of this day")
	require.NoError(t, w.bigfix.Revise(theDay, 1))
	w.pull()

	var d struct {
		From, To struct {
			LoadID string `json:"load_id"`
			Rows   int    `json:"rows"`
		}
		Added, Removed, Changed, Unchanged int
		Rows                               []struct {
			Change  string
			Key     map[string]int64
			Columns map[string]struct{ Old, New any }
		}
	}
	text := w.must(ofTheDay("diff", "--json")...)
	require.NoError(t, json.Unmarshal([]byte(text), &d))
	require.Len(t, d.Rows, d.Added+d.Removed+d.Changed)
	require.NotEmpty(t, d.Rows)
	require.Equal(t, d.From.Rows, d.Removed+d.Changed+d.Unchanged)
	require.Equal(t, d.To.Rows, d.Added+d.Changed+d.Unchanged)
	for _, r := range d.Rows {
		require.Len(t, r.Key, 4)
		require.NotEmpty(t, r.Columns)
		if r.Change == "changed" {
			q := r.Columns["hwm_quantity"]
			require.IsType(t, float64(0), q.Old)
			require.NotEqual(t, q.Old, q.New)
		}
	}
	// Named by their ids, and the other way round.
	var back struct{ Added, Removed int }
	require.NoError(t, json.Unmarshal([]byte(w.must(ofTheDay("diff", "--json", "--from", d.To.LoadID, "--to", d.From.LoadID)...)), &back))
	require.Equal(t, [2]int{d.Removed, d.Added}, [2]int{back.Added, back.Removed})
}

// TestPruneChangesNothingThatReadersSee has every sort of load in the warehouse,
// beside a daemon that holds it.
func TestPruneChangesNothingThatReadersSee(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{bigfix: bigfixtest.Options{Rows: 60}, bigfixYAML: never + anyRows})
	w.must("sync", "--source", "portal")
	p, e := w.daemon() // it has nothing to do
	days := []string{"--source", "bfi", "--from", "2026-01-30", "--to", "2026-02-02"}
	w.must(append([]string{"backfill"}, days...)...)
	require.NoError(t, w.bigfix.Revise(theDay, 1))
	w.must(append([]string{"backfill", "--force"}, days...)...)
	require.NoError(t, w.bigfix.Revise(theDay, 2))
	w.pull()
	w.must(ofTheDay("rollback", "--note", "wrong")...)
	w.reconfigure(anyRows, manyRows)
	require.NoError(t, w.bigfix.Revise("2026-02-02", 1))
	code, _, _ := w.run("sync", "--source", "bfi", "--day", "2026-02-02")
	require.Equal(t, 3, code)

	status, _, body := e.post(t, e.User, e.Key, "INSERT INTO license_usage_versions (load_id, source, feed, usage_date) VALUES (1, 'bfi', 'default', '2026-02-01')")
	require.Equal(t, http.StatusOK, status, body) // a process ended in 1970
	status, _, body = e.post(t, e.User, e.Key, "INSERT INTO rejected_rows (load_id, source, feed, day) VALUES (1, 'bfi', 'default', '2026-02-01')")
	require.Equal(t, http.StatusOK, status, body)

	everything := func() map[string][]string {
		seen := map[string][]string{}
		for _, view := range []string{"license_usage", "license_usage_daily", "license_peak", "metering_details", "metering_summary", "coverage", "load_history", "restatements"} {
			seen[view] = w.query("SELECT * FROM " + view + " ORDER BY ALL")
		}
		seen["as of now"] = w.query("SELECT * FROM license_usage_as_of(ts = now()) ORDER BY ALL")
		return seen
	}
	before := everything()
	require.NotEqual(t, []string{""}, before["metering_details"])
	require.Equal(t, []string{"8"}, w.query("SELECT uniqExact(load_id) FROM license_usage_versions"))

	stdout := w.must("prune", "--dry-run")
	require.Contains(t, stdout, "1 load: 1 orphan.", "the others are kept for a while")
	stdout = w.must("prune", "--dry-run", "--keep-superseded", "0d", "--keep-unpublished", "0h")
	require.Contains(t, stdout, "4 loads: 1 orphan, 2 superseded, 1 refused.")
	require.Equal(t, []string{"8"}, w.query("SELECT uniqExact(load_id) FROM license_usage_versions"), "a dry run deletes nothing")

	require.Equal(t, stdout, w.must("prune", "--keep-superseded", "0d", "--keep-unpublished", "0h"))
	require.Equal(t, before, everything())
	require.Equal(t, []string{"4"}, w.query("SELECT uniqExact(load_id) FROM license_usage_versions"))
	require.Equal(t, []string{"0"}, w.query("SELECT count() FROM rejected_rows"))
	require.Equal(t, []string{"orphan\t1", "refused\t1", "superseded\t2"}, w.query("SELECT reason, count() FROM pruned_loads GROUP BY reason ORDER BY reason"))

	for command, says := range map[string]string{"rollback": "was pruned at", "diff": "was pruned at"} {
		args := ofTheDay(command)
		if command == "rollback" {
			args = append(args, "--note", "back")
		}
		code, _, stderr := w.run(args...)
		require.Equal(t, 1, code)
		require.Contains(t, stderr, says)
	}
	code, _, stderr := w.run("accept", "--source", "bfi", "--feed", "default", "--day", "2026-02-02", "--note", "late")
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "was pruned at")
	require.Empty(t, w.must("prune", "--keep-superseded", "0d", "--keep-unpublished", "0h"), "there is nothing left")
	p.signal(syscall.SIGTERM)
	require.Zero(t, p.wait())
}

// TestDiffOfDevices compares what two portals say of one day: devices are named,
// not numbered by their place in the answer.
func TestDiffOfDevices(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{})
	w.must("sync", "--source", "portal")
	other, err := nexthinktest.New(nexthinktest.Options{Seed: 8, Devices: 300, User: "meterhouse", Password: worldPassword}).Start("127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, other.Close()) })
	w.write("portal.pem", string(other.CAPEM))
	w.reconfigure("kind: nexthink\n    url: "+w.portalURL, "kind: nexthink\n    guards: {max_shrink: 1}\n    url: "+other.URL)
	w.must("sync", "--source", "portal")

	day := w.query("SELECT DISTINCT day FROM restatements")[0]
	args := []string{"diff", "--source", "portal", "--feed", "visio/installed", "--day", day}
	table := w.must(args...)
	require.Regexp(t, `(?m)^[0-9]+ added, [0-9]+ removed, [0-9]+ changed, [0-9]+ the same$`, table)
	require.Regexp(t, `(?m)^ added +[A-Z]{3}-W[0-9]+, [A-Z]`, table)
	require.Contains(t, w.must(append(args, "--csv")...), "change,device,entity,occurrence,column,old,new\n")
}
