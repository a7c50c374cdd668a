package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/extract/bigfix/bigfixtest"
	"github.com/meterhouse/meterhouse/schema"
)

// hookSecret is in the URL of the webhook, and must be nowhere else.
const hookSecret = "s3cr3tOfTheHook"

// hook is a webhook that the configuration names as a place to tell.
type hook struct {
	t   testing.TB
	url string

	mu   sync.Mutex
	told []string
}

func newHook(t testing.TB) *hook {
	t.Helper()
	h := &hook{t: t}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.URL.Path != "/"+hookSecret {
			http.Error(w, "wrong", http.StatusBadRequest)
			return
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.told = append(h.told, string(body))
	}))
	t.Cleanup(s.Close)
	h.url = "generic+" + s.URL + "/" + hookSecret
	return h
}

func (h *hook) messages() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), h.told...)
}

// wait waits for a message that holds the text.
func (h *hook) wait(text string) (message string) {
	h.t.Helper()
	require.Eventually(h.t, func() bool {
		for _, m := range h.messages() {
			if strings.Contains(m, text) {
				message = m
				return true
			}
		}
		return false
	}, time.Minute, 10*time.Millisecond, "nobody was told %q", text)
	return message
}

func ask(t testing.TB, address, path string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+path, http.NoBody)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(text)
}

// waitForSample scrapes until the sample has the value.
func waitForSample(t testing.TB, address, sample, value string) {
	t.Helper()
	var last string
	require.Eventually(t, func() bool {
		_, last = ask(t, address, "/metrics")
		return strings.Contains(last, "\n"+sample+" "+value+"\n")
	}, time.Minute, 20*time.Millisecond, "%s was never %s:\n%s", sample, value, last)
}

// A day is restated at the source, and the source fails and recovers: the
// daemon's metrics show it, operators are told, and what they are told to type works.
func TestTheDaemonTellsOfRestatementsAndFailures(t *testing.T) {
	t.Parallel()
	yesterday := schema.DayOf(time.Now(), time.UTC) - 1
	h := newHook(t)
	w := newWorld(t, worldOptions{
		bigfix: bigfixtest.Options{Rows: 200}, start: (yesterday - 1).String(),
		bigfixYAML: "    schedule: \"@every 1s\"\n    recheck_days: 2\n    max_retries: 0\n",
		topYAML:    "serve: {listen: \"127.0.0.1:0\"}\nnotify: [{url_file: hook}]\n",
	})
	w.write("hook", h.url+"\n")
	p, _ := w.daemon()
	p.waitFor("health and metrics are served")
	found := regexp.MustCompile(`health and metrics are served","address":"([^"]+)"`).FindStringSubmatch(p.stderr.String())
	require.Len(t, found, 2, p.stderr.String())
	address := found[1]

	waitForSample(t, address, `meterhouse_slices_total{source="bfi",status="published"}`, "2")
	waitForSample(t, address, `meterhouse_restatements_total{source="bfi"}`, "0")
	waitForSample(t, address, `meterhouse_published_until_timestamp_seconds{source="bfi"}`, fmt.Sprintf("%v", float64(yesterday.UTC().Unix())))
	for path, want := range map[string]string{"/healthz": "ok\n", "/readyz": "ready\n"} {
		status, body := ask(t, address, path)
		require.Equal(t, http.StatusOK, status, body)
		require.Equal(t, want, body)
	}
	require.Empty(t, h.messages(), "there was nothing to tell")

	require.NoError(t, w.bigfix.Revise(yesterday.String(), 1))
	restated := h.wait("restated bfi default " + yesterday.String())
	waitForSample(t, address, `meterhouse_restatements_total{source="bfi"}`, "1")
	waitForSample(t, address, `meterhouse_restatements_beyond_threshold_total{source="bfi"}`, "1")
	require.Regexp(t, `(rows|product \d+ \(.+\), \w+): \d+ -> \d+ \(`, restated)
	command := regexp.MustCompile(`(?m)^meterhouse (diff .*)$`).FindStringSubmatch(restated)
	require.Len(t, command, 2, restated)
	require.Contains(t, w.must(strings.Fields(command[1])...), "hwm_quantity")
	require.Equal(t, []string{"1"}, w.query("SELECT count() FROM restatements"))

	w.bigfix.RotateToken("another")
	require.Contains(t, h.wait("failed bfi default"), "401")
	w.bigfix.RotateToken(worldToken)
	require.Contains(t, h.wait("recovered"), "slices")
	failures := 0
	for _, m := range h.messages() {
		require.LessOrEqual(t, strings.Count(m, "\n"), 9, m)
		if strings.Contains(m, "failed bfi") {
			failures++
		}
	}
	require.LessOrEqual(t, failures, 2, "each of the two slices failed first once, however many passes there were")

	p.signal(syscall.SIGTERM)
	require.Equal(t, 0, p.wait(), p.stderr.String())
	require.Contains(t, p.stderr.String(), "restatement beyond the threshold")
	require.Contains(t, p.stderr.String(), "notification sent")
	require.NotContains(t, p.stderr.String(), hookSecret)
	_, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	require.Error(t, err, "it listens no more")
}

// A daemon that cannot answer where it was told to says so at once.
func TestTheDaemonsAddressIsTaken(t *testing.T) {
	t.Parallel()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	w := newWorld(t, worldOptions{bigfixYAML: never, topYAML: fmt.Sprintf("serve: {listen: %q}\n", l.Addr())})
	code, _, stderr := w.run("run")
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "another program listens at "+l.Addr().String())
	require.NotContains(t, stderr, "daemon started")
}

func TestSyncTellsAndBackfillDoesNot(t *testing.T) {
	t.Parallel()
	day := schema.DayOf(time.Now(), time.UTC) - 1
	h := newHook(t)
	w := newWorld(t, worldOptions{bigfix: bigfixtest.Options{Rows: 200}, topYAML: "notify: [{url_file: hook}]\n"})
	w.write("hook", h.url+"\n")
	w.must("sync", "--source", "bfi")
	require.Empty(t, h.messages(), "nothing of it was published before")

	require.Contains(t, w.must("check"), "1 place to tell")
	require.Empty(t, h.messages())
	require.Contains(t, w.must("check", "--notify"), "notify[0]: sent")
	require.Contains(t, h.messages()[0], "a test message")

	require.NoError(t, w.bigfix.Revise(day.String(), 1))
	_, _, stderr := w.run("sync", "--source", "bfi")
	require.Contains(t, stderr, "beyond restatements.alert_above: ")
	require.Len(t, h.messages(), 2)
	require.Contains(t, h.messages()[1], "restated bfi default "+day.String())

	require.NoError(t, w.bigfix.Revise(day.String(), 2))
	w.must("backfill", "--source", "bfi", "--force", "--from", day.String(), "--to", day.String())
	require.Len(t, h.messages(), 2, "who types backfill sits there and reads")

	// A place that cannot be reached is said, without its secret, and fails nothing.
	w.write("hook", "generic+http://127.0.0.1:1/"+hookSecret)
	require.NoError(t, w.bigfix.Revise(day.String(), 3))
	code, _, stderr := w.run("sync", "--source", "bfi", "-v")
	require.Equal(t, 0, code)
	require.Contains(t, stderr, "notification not sent")
	require.NotContains(t, stderr, hookSecret)
	code, stdout, stderr := w.run("check", "--notify")
	require.Equal(t, 1, code)
	require.Contains(t, stdout, "error    notify, message: notify[0]: ")
	require.NotContains(t, stdout+stderr, hookSecret)

	// Nor one that is no place.
	w.write("hook", "slack://"+hookSecret+"@x")
	code, _, stderr = w.run("sync", "--source", "bfi")
	require.Equal(t, 2, code)
	require.Contains(t, stderr, "notify[0]: the URL is not one that can be sent to")
	require.NotContains(t, stderr, hookSecret)
}
