package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/extract/bigfix/bigfixtest"
	"github.com/meterhouse/meterhouse/schema"
)

// endpoint is what a reader of an embedded warehouse has to know.
type endpoint struct {
	Address   string `json:"address"`
	ReaderKey string `json:"reader_key"`
	Reader    string `json:"reader_user"`
	User      string `json:"user"`
	Key       string `json:"key"`
}

// daemon starts `meterhouse run` and waits until its warehouse answers.
func (w *world) daemon() (*process, endpoint) {
	w.t.Helper()
	p := w.start("run")
	p.waitFor("the embedded warehouse answers readers")
	var e endpoint
	for _, name := range []string{"access.json", "endpoint.json"} {
		text, err := os.ReadFile(filepath.Join(w.dir, "data", name))
		require.NoError(w.t, err)
		require.NoError(w.t, json.Unmarshal(text, &e))
	}
	return p, e
}

// reader connects as BI tools do.
func (e endpoint) reader(t *testing.T) driver.Conn {
	t.Helper()
	conn, err := clickhouse.Open(&clickhouse.Options{
		Protocol: clickhouse.HTTP, Addr: []string{e.Address},
		Auth:        clickhouse.Auth{Database: "meterhouse", Username: e.Reader, Password: e.ReaderKey},
		Compression: &clickhouse.Compression{Method: clickhouse.CompressionLZ4},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return conn
}

// post asks over plain HTTP, as curl does.
func (e endpoint) post(t *testing.T, user, key, sql string) (status int, code, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+e.Address+"/?database=meterhouse", strings.NewReader(sql))
	require.NoError(t, err)
	req.Header.Set("X-ClickHouse-User", user)
	req.Header.Set("X-ClickHouse-Key", key)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, resp.Header.Get("X-ClickHouse-Exception-Code"), string(text)
}

// never is a schedule that fires far away from any test.
const never = "    schedule: \"0 0 29 2 *\"\n"

func TestReadersReachTheWarehouseThatTheDaemonOwns(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{bigfix: bigfixtest.Options{Rows: 50}, bigfixYAML: never})
	w.must("backfill", "--source", "bfi", "--from", "2026-02-01", "--to", "2026-02-02")
	p, e := w.daemon()

	status, _, body := e.post(t, e.Reader, e.ReaderKey, "SELECT count() > 0 FROM license_usage FORMAT TSV")
	require.Equal(t, http.StatusOK, status, body)
	require.Equal(t, "1\n", body)

	var days uint64
	require.NoError(t, e.reader(t).QueryRow(t.Context(), "SELECT uniqExact(usage_date) FROM license_usage").Scan(&days))
	require.EqualValues(t, 2, days)

	// The reader may not write, nor make itself a writer.
	for _, sql := range []string{
		"INSERT INTO loads (load_id) VALUES (1)", "DROP TABLE loads", "CREATE TABLE x (a UInt8) ENGINE = Memory",
		"ALTER TABLE loads DELETE WHERE 1", "SET readonly = 0", "SELECT 1 SETTINGS readonly = 0",
	} {
		status, code, body := e.post(t, e.Reader, e.ReaderKey, sql)
		require.NotEqual(t, http.StatusOK, status, "%s: %s", sql, body)
		require.Equal(t, "164", code, "%s: %s", sql, body) // READONLY
	}
	status, code, _ := e.post(t, e.Reader, "wrong", "SELECT 1")
	require.NotEqual(t, http.StatusOK, status)
	require.Equal(t, "516", code) // AUTHENTICATION_FAILED

	// Another command uses the owner's engine; SIGTERM ends the owner in order.
	require.Equal(t, []string{"2"}, w.query("SELECT uniqExact(usage_date) FROM license_usage"))
	p.signal(syscall.SIGTERM)
	require.Equal(t, 0, p.wait(), p.stderr.String())
	require.Contains(t, p.stderr.String(), "daemon stopped")
}

// dayVersion is what a day may look like to a reader.
type dayVersion struct {
	rows uint64
	sum  int64
}

// A hostile reader polls all the while days are loaded for the first time and
// published again with other content. It must only ever see the old or the new
// version of a day, whole, and never go back.
func TestHostileReaderNeverSeesAHalfDay(t *testing.T) {
	t.Parallel()
	const rounds = 3
	w := newWorld(t, worldOptions{bigfix: bigfixtest.Options{Rows: 3000}, bigfixYAML: never})
	first, err := schema.ParseDay("2026-03-01")
	require.NoError(t, err)
	last := first + 9
	_, e := w.daemon()

	// allowed[day][n] is the day's n-th version; a reader may be shown the
	// versions up to the one that is being loaded.
	var mu sync.RWMutex
	allowed := map[string][]dayVersion{}
	allow := func(round int) {
		mu.Lock()
		defer mu.Unlock()
		for day := first; day <= last; day++ {
			if round > 0 {
				require.NoError(t, w.bigfix.Revise(day.String(), round))
			}
			rows, sum, err := w.bigfix.Truth(day.String(), 0)
			require.NoError(t, err)
			allowed[day.String()] = append(allowed[day.String()], dayVersion{rows, sum})
		}
	}

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var readers sync.WaitGroup
	var polls, wrong sync.Map
	for n := range 3 {
		readers.Go(func() {
			polls.Store(n, poll(ctx, e.reader(t), func(seen map[string]dayVersion, newest map[string]int) {
				mu.RLock()
				defer mu.RUnlock()
				for _, fault := range faults(seen, newest, allowed) {
					wrong.Store(fault, true)
				}
			}))
		})
	}
	for round := range rounds {
		allow(round)
		w.must("backfill", "--source", "bfi", "--force", "--from", first.String(), "--to", last.String(), "--parallel", "3")
	}
	stop()
	readers.Wait()

	wrong.Range(func(fault, _ any) bool { t.Error(fault); return true })
	total := 0
	polls.Range(func(_, n any) bool { total += n.(int); return true }) //nolint:forcetypeassert // stored above
	require.Greater(t, total, 30, "the readers hardly read; the test proves nothing")
	t.Logf("%d polls by 3 readers over %d publications of 10 days: no wrong read", total, rounds)
	requireTrueDays(t, w, first, last, true)
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
	require.Positive(t, seen, "nothing was published; the test proves nothing")
	if all {
		require.Equal(t, int(last-first)+1, seen)
	}
}

// poll reads all days again and again until ctx ends, and counts the reads.
func poll(ctx context.Context, conn driver.Conn, look func(map[string]dayVersion, map[string]int)) int {
	newest := map[string]int{}
	for n := 0; ; n++ {
		rows, err := conn.Query(ctx, "SELECT toString(usage_date), count(), sum(hwm_quantity) FROM license_usage GROUP BY usage_date")
		if err != nil {
			if ctx.Err() != nil {
				return n
			}
			look(map[string]dayVersion{"reading: " + err.Error(): {}}, newest)
			return n
		}
		seen := map[string]dayVersion{}
		for rows.Next() {
			var day string
			var v dayVersion
			if err := rows.Scan(&day, &v.rows, &v.sum); err != nil {
				look(map[string]dayVersion{"scanning: " + err.Error(): {}}, newest)
			}
			seen[day] = v
		}
		if err := rows.Err(); err == nil {
			look(seen, newest)
		}
		_ = rows.Close()
	}
}

// faults compares one read with what is allowed. newest holds the highest
// version of each day that this reader has seen.
func faults(seen map[string]dayVersion, newest map[string]int, allowed map[string][]dayVersion) []string {
	var out []string
	for day, v := range seen {
		at := -1
		for n, a := range allowed[day] {
			if a == v {
				at = n
			}
		}
		switch {
		case at < 0:
			out = append(out, fmt.Sprintf("%s: %d rows with sum %d are no version of this day", day, v.rows, v.sum))
		case at+1 < newest[day]:
			out = append(out, fmt.Sprintf("%s: went back from version %d to %d", day, newest[day]-1, at))
		default:
			newest[day] = at + 1
		}
	}
	for day, n := range newest {
		if _, there := seen[day]; !there && n > 0 {
			out = append(out, day+": was published and is gone")
		}
	}
	return out
}

// SIGTERM during a pass: what is loaded by then is published, nothing is half,
// and the process ends by itself with the code for an interruption.
func TestInterruptedBackfillSaysWhatItDid(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{bigfix: bigfixtest.Options{Rows: 200, Latency: 50 * time.Millisecond}})
	first, err := schema.ParseDay("2026-01-01")
	require.NoError(t, err)
	args := []string{"backfill", "--source", "bfi", "--from", first.String(), "--to", (first + 199).String()}
	p := w.start(args...)
	p.waitFor("[5/200]")
	p.signal(syscall.SIGINT)
	require.Equal(t, 130, p.wait())
	require.Contains(t, p.stderr.String(), "not tried")
	require.Contains(t, p.stderr.String(), "No slice is half published")
	require.Contains(t, p.stderr.String(), "The same command goes on")
	requireTrueDays(t, w, first, first+199, false)
}

// A second signal does not wait for a server that hangs.
func TestASecondSignalStopsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{bigfix: bigfixtest.Options{Rows: 200, Latency: time.Hour}})
	p := w.start("backfill", "--source", "bfi", "--from", "2026-01-01", "--to", "2026-01-02", "-v")
	p.waitFor("load started")
	p.signal(syscall.SIGTERM)
	p.signal(syscall.SIGTERM)
	require.Equal(t, 130, p.wait())
	require.Contains(t, p.stderr.String(), "interrupted")
	require.Equal(t, []string{"0"}, w.query("SELECT count() FROM license_usage"))
	require.Equal(t, []string{"failed"}, w.query("SELECT DISTINCT status FROM loads"))
}

// Secrets appear nowhere: not in output, logs and errors of commands that
// work and commands that fail, not in the warehouse, not in the arguments of the
// process, not in the URLs that the source sees.
func TestSecretsAppearNowhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{bigfix: bigfixtest.Options{Rows: 50}, topYAML: "log: {level: debug}\n"})
	var said strings.Builder
	say := func(args ...string) {
		_, stdout, stderr := w.run(args...)
		said.WriteString(stdout + stderr)
	}
	say("check", "--json")
	say("sync", "-v")
	say("sync", "-v", "--dry-run")
	say("status", "--json")
	for _, table := range []string{"loads", "license_usage_versions", "metering_details_versions", "rejected_rows", "schema_migrations"} {
		say("query", "--format", "JSONEachRow", "SELECT * FROM "+table)
	}
	say("query", "SELECT not a query")
	p, e := w.daemon()
	argv, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.cmd.Process.Pid))
	require.NoError(t, err)
	said.Write(argv)
	p.signal(syscall.SIGTERM)
	p.wait()
	said.WriteString(p.stderr.String())
	for _, r := range w.bigfix.Seen() {
		said.WriteString(r.Path + "?" + r.Query.Encode())
	}
	// The server refuses us, and its answer repeats what we sent.
	w.bigfix.RotateToken("another")
	w.write("password", "wrong-"+worldPassword)
	say("check")
	say("sync", "-v", "--day", "2026-01-05")

	text := said.String()
	require.Contains(t, text, "401", "the failing commands did not fail; the test proves nothing")
	require.Greater(t, len(text), 10_000)
	for name, secret := range map[string]string{
		"token": worldToken, "password": worldPassword, "password in a URL": url.QueryEscape(worldPassword),
		"basic auth": basic("meterhouse", worldPassword), "warehouse key": e.Key, "reader's key": e.ReaderKey,
	} {
		require.NotContains(t, text, secret, name)
	}
}

func basic(user, password string) string {
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(user, password)
	return strings.TrimPrefix(r.Header.Get("Authorization"), "Basic ")
}
