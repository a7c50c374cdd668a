package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/extract/bigfix/bigfixtest"
	"github.com/meterhouse/meterhouse/extract/extracttest/simfault"
	"github.com/meterhouse/meterhouse/extract/nexthink/nexthinktest"
	"github.com/meterhouse/meterhouse/schema"
)

// answers is what the simulated sources of a campaign say now and what they ever
// said, each version of a slice as the digest that the warehouse can be asked for,
// too: see picture.
type answers struct {
	of       *world
	ever     map[schema.Slice]map[string]bool
	revision map[schema.Day]int
	metrics  []nexthinktest.Metric
	// metric is of which the portal speaks, whatever it is asked for, spoken those
	// of which it ever did.
	metric int
	spoken map[int]bool
	// names are the hashes by which the ledger names contents.
	names map[schema.Slice]map[string]string

	mu     sync.Mutex
	shrunk map[string]bool // days of which most rows are missing
	// held, if not nil, is closed when the requests for usage that wait may be
	// answered; waiting counts them.
	held    chan struct{}
	waiting int
}

// newAnswers puts itself in front of the world's sources.
func newAnswers(w *world) *answers {
	a := &answers{
		of: w, ever: map[schema.Slice]map[string]bool{}, revision: map[schema.Day]int{},
		metrics: nexthinktest.Metrics(), shrunk: map[string]bool{}, spoken: map[int]bool{0: true},
		names: map[schema.Slice]map[string]string{},
	}
	w.bigfix.Faults.Always(bigfixtest.UsagePath, a.holdable(a.rewrite(a.fewer)))
	w.bigfix.Faults.Always(bigfixtest.TotalsPath, a.rewrite(a.fewer))
	w.portal.Faults.Always(nexthinktest.DetailsPath, a.rewrite(func(q url.Values) {
		a.mu.Lock()
		defer a.mu.Unlock()
		q.Set("metric", a.metrics[a.metric].UID)
		q.Del("program")
	}))
	return a
}

// rewrite changes what a source is asked.
func (a *answers) rewrite(change func(url.Values)) simfault.Fault {
	return func(proper http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			q := r.URL.Query()
			change(q)
			r.URL.RawQuery = q.Encode()
			proper.ServeHTTP(w, r)
		})
	}
}

// fewer answers for a quarter of the servers.
func (a *answers) fewer(q url.Values) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.shrunk[q.Get("date")+q.Get("startdate")] {
		q.Set("computerGroupId", strconv.Itoa(bigfixtest.GroupAmericas))
	}
}

// hold lets requests for usage wait until release is called; so do says and restate.
func (a *answers) hold() (release func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	held := make(chan struct{})
	a.held, a.waiting = held, 0
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.held = nil
		close(held)
	}
}

// holdable lets requests wait for the release, if there is to be one.
func (a *answers) holdable(fault simfault.Fault) simfault.Fault {
	return func(proper http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			a.mu.Lock()
			held := a.held
			a.waiting++
			a.mu.Unlock()
			if held != nil {
				select {
				case <-held:
				case <-r.Context().Done():
				}
			}
			fault(proper).ServeHTTP(w, r)
		})
	}
}

// untilWaiting waits until so many requests are held.
func (a *answers) untilWaiting(n int) {
	a.of.t.Helper()
	require.Eventually(a.of.t, func() bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		return a.waiting >= n
	}, time.Minute, 5*time.Millisecond, "%d requests do not come", n)
}

// restate lets the sources say something else of so many slices, now and then
// what they said before.
func (c *campaign) restate(n int) {
	c.t.Helper()
	for range n {
		day := c.first + schema.Day(c.rand.IntN(restated))
		if c.rand.IntN(5) == 0 {
			c.revision[day] = -1
		}
		c.restateDay(day, c.rand.IntN(4) == 0)
	}
	if c.rand.IntN(2) == 0 {
		c.mu.Lock()
		c.metric = c.rand.IntN(len(c.metrics))
		c.spoken[c.metric] = true
		c.mu.Unlock()
	}
}

// restateDay gives a day its next revision, of few rows where a guard shall refuse
// it.
func (c *campaign) restateDay(day schema.Day, few bool) {
	c.t.Helper()
	c.says(ofBigfix(day)) // it may have been pulled as it was
	c.revision[day]++
	require.NoError(c.t, c.bigfix.Revise(day.String(), c.revision[day]))
	c.mu.Lock()
	c.shrunk[day.String()] = few
	c.mu.Unlock()
	c.says(ofBigfix(day))
}

func ofBigfix(day schema.Day) schema.Slice {
	return schema.Slice{Source: "bfi", Feed: "default", Day: day}
}

// says is the digest of what the source answers for a slice now.
func (a *answers) says(s schema.Slice) string {
	a.of.t.Helper()
	if s.Source != "bfi" {
		return a.portalSays(s, a.metric)
	}
	if a.ever[s] == nil {
		a.ever[s] = map[string]bool{}
	}
	day := s.Day.String()
	usage := a.ask(bigfixtest.UsagePath, url.Values{"date": {day}})
	totals := a.ask(bigfixtest.TotalsPath, url.Values{"startdate": {day}, "enddate": {day}})
	digest := usage.String() + " and " + totals.String()
	a.ever[s][digest] = true
	return digest
}

// said tells whether the source ever said of a slice what the digest is of.
func (a *answers) said(s schema.Slice, digest string) bool {
	if s.Source != "bfi" {
		return slices.ContainsFunc(slices.Collect(maps.Keys(a.spoken)), func(metric int) bool { return a.portalSays(s, metric) == digest })
	}
	if a.ever[s] == nil {
		a.says(s)
	}
	return a.ever[s][digest]
}

// named takes note that the ledger names a content of a slice by a hash. It gives
// what else the hash stood for, or what other hash the content had, "" for nothing.
func (a *answers) named(s schema.Slice, hash, digest string) (other string) {
	if a.names[s] == nil {
		a.names[s] = map[string]string{}
	}
	for name, content := range a.names[s] {
		if (name == hash) != (content == digest) {
			return name + ": " + content
		}
	}
	a.names[s][hash] = digest
	return ""
}

// digest is of rows: how many, and a sum in which every value of a row changes
// all the others.
type digest struct{ rows, sum uint64 }

func (d *digest) add(values ...int64) {
	var n uint64
	for _, v := range values {
		n = n*1_000_003 + uint64(v)
	}
	d.rows++
	d.sum += n * n
}

func (d digest) String() string { return fmt.Sprintf("%d rows %d", d.rows, d.sum) }

// ask asks the simulator as a client would.
func (a *answers) ask(path string, query url.Values) digest {
	a.of.t.Helper()
	columns := []string{"product_id", "metric_id", "bundle_id", "hwm_quantity"}
	if path == bigfixtest.UsagePath {
		columns = append(columns, "server_id", "hwm_cores")
	}
	query["columns[]"] = columns
	r := httptest.NewRequestWithContext(a.of.t.Context(), http.MethodGet, path+"?"+query.Encode(), nil)
	r.Header.Set("Token", worldToken)
	out := httptest.NewRecorder()
	a.of.bigfix.ServeHTTP(out, r)
	var answer struct{ Rows []map[string]*int64 }
	require.NoError(a.of.t, json.Unmarshal(out.Body.Bytes(), &answer), out.Body.String())
	var d digest
	for _, row := range answer.Rows {
		values := make([]int64, len(columns))
		for i, c := range columns {
			if row[c] != nil {
				values[i] = *row[c]
			}
		}
		d.add(values...)
	}
	return d
}

func (a *answers) portalSays(s schema.Slice, metric int) string {
	a.of.t.Helper()
	var sum nexthinktest.Truth
	for _, program := range a.metrics[metric].Programs {
		t, err := a.of.portal.Truth(s.Day.UTC().Add(12*time.Hour), nexthinktest.Target{
			Metric: a.metrics[metric].UID, Program: program.UID, Path: []string{"Europe"}, List: path.Base(s.Feed),
		})
		require.NoError(a.of.t, err)
		sum.Devices += t.Devices
		sum.NeverRun += t.NeverRun
		sum.UsageHundredths += t.UsageHundredths
		sum.UsedBinaries += t.UsedBinaries
	}
	if sum.Devices == 0 {
		return ""
	}
	return fmt.Sprintf("%d rows %d %d %d", sum.Devices, sum.NeverRun, sum.UsageHundredths, sum.UsedBinaries)
}
