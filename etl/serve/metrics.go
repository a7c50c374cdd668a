package serve

import (
	"net/http"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/etl/run"
	"github.com/meterhouse/meterhouse/schema"
)

const (
	namespace = "meterhouse"
	// notTried is the status, in the metrics, of slices that had no turn.
	notTried = "not_tried"
)

// Metrics are what a daemon did and where it stands, for Prometheus. It is a
// run.Observer. There is a series per source, and none per feed: an estate may
// have hundreds of those, and the views of the warehouse tell them apart.
type Metrics struct {
	registry *prometheus.Registry

	slices, errors, rows, requests, bytes *prometheus.CounterVec
	restated, beyond, notifications       *prometheus.CounterVec
	lastSuccess, publishedUntil           *prometheus.GaugeVec
	passes                                *prometheus.HistogramVec

	mu      sync.Mutex
	success map[string]time.Time             // when a source last had one
	newest  map[string]map[string]schema.Day // published day of each feed of a source, noDay for none
}

// noDay stands for the newest published day of a feed that has none.
const noDay = schema.Day(0)

// NewMetrics makes the metrics of what the feeds are pulled by. The counters
// begin at 0, so that a first failure is seen as a step.
func NewMetrics(version string, feeds []plan.Feed) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		success:  map[string]time.Time{}, newest: map[string]map[string]schema.Day{},

		slices:         counter("slices_total", "Slices by what became of them: the status in the ledger, or not_tried.", "source", "status"),
		errors:         counter("slice_errors_total", "Slices that were not published, by the class of the error.", "source", "class"),
		rows:           counter("rows_published_total", "Rows of published loads.", "source"),
		requests:       counter("source_requests_total", "Requests that loads sent to the source, repeats included.", "source"),
		bytes:          counter("source_bytes_total", "Bytes of the bodies that the source answered to loads.", "source"),
		restated:       counter("restatements_total", "Slices that were published again with other content.", "source"),
		beyond:         counter("restatements_beyond_threshold_total", "Restatements that changed a figure by more than restatements.alert_above.", "source"),
		notifications:  counter("notifications_total", "Messages to the places of notify, by result: sent or failed.", "result"),
		lastSuccess:    gauge("last_success_timestamp_seconds", "When a load of the source was last published or found unchanged; 0 for never.", "source"),
		publishedUntil: gauge("published_until_timestamp_seconds", "The newest published day, at midnight UTC, of the feed of the source that is furthest behind; 0 when a feed has none.", "source"),
		passes: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Name: "pass_duration_seconds", Help: "How long the passes over a source took.",
			Buckets: []float64{1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 12 * 3600},
		}, []string{"source"}),
	}
	build := gauge("build_info", "Always 1; the labels say which program this is.", "version", "goversion")
	build.WithLabelValues(version, runtime.Version()).Set(1)
	m.registry.MustRegister(build, m.slices, m.errors, m.rows, m.requests, m.bytes, m.restated, m.beyond, m.notifications,
		m.lastSuccess, m.publishedUntil, m.passes,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, f := range feeds {
		m.begin(f)
	}
	m.Notified(0, 0)
	return m
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
}

func gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}, labels)
}

// begin makes the series of a feed's source.
func (m *Metrics) begin(f plan.Feed) {
	if m.newest[f.Source] == nil {
		m.newest[f.Source] = map[string]schema.Day{}
	}
	m.newest[f.Source][f.Feed] = noDay
	for _, status := range []string{string(schema.Published), string(schema.Unchanged), string(schema.Refused), string(schema.Failed), notTried} {
		m.slices.WithLabelValues(f.Source, status)
	}
	for _, c := range []*prometheus.CounterVec{m.rows, m.requests, m.bytes, m.restated, m.beyond} {
		c.WithLabelValues(f.Source)
	}
	m.lastSuccess.WithLabelValues(f.Source)
	m.publishedUntil.WithLabelValues(f.Source)
	m.passes.WithLabelValues(f.Source)
}

// Handler answers Prometheus.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Ledger learns from the ledger what was published before this process, and
// beside it.
func (m *Metrics) Ledger(ledger []schema.Load) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range ledger {
		m.learn(&ledger[i])
	}
	for source := range m.newest {
		m.show(source)
	}
}

// learn takes note of a row of the ledger; of feeds that are not configured any
// more, it takes none.
func (m *Metrics) learn(l *schema.Load) {
	newest, known := m.newest[l.Source][l.Feed]
	if !known {
		return
	}
	if l.Status.Publishes() || l.Status == schema.Unchanged {
		m.newest[l.Source][l.Feed] = max(newest, l.Day)
	}
	if (l.Status == schema.Published || l.Status == schema.Unchanged) && l.FinishedAt.After(m.success[l.Source]) {
		m.success[l.Source] = l.FinishedAt
	}
}

// show sets the gauges of a source.
func (m *Metrics) show(source string) {
	if at, ok := m.success[source]; ok {
		m.lastSuccess.WithLabelValues(source).Set(float64(at.Unix()))
	}
	var days []schema.Day
	for _, day := range m.newest[source] {
		days = append(days, day)
	}
	if len(days) > 0 {
		m.publishedUntil.WithLabelValues(source).Set(float64(slices.Min(days).UTC().Unix()))
	}
}

// PassEnded counts a pass over a source.
func (m *Metrics) PassEnded(source string, took time.Duration) {
	m.passes.WithLabelValues(source).Observe(took.Seconds())
}

// Notified counts messages.
func (m *Metrics) Notified(sent, failed int) {
	m.notifications.WithLabelValues("sent").Add(float64(sent))
	m.notifications.WithLabelValues("failed").Add(float64(failed))
}

// Planned is nothing to count: what is planned is either finished or not tried.
func (m *Metrics) Planned([]plan.Item) {}

// Rows is nothing to count: rows count when they are published.
func (m *Metrics) Rows(plan.Item, uint64) {}

// Note is for the log.
func (m *Metrics) Note(plan.Item, string) {}

// Finished counts a slice.
func (m *Metrics) Finished(o run.Outcome) {
	source, status := o.Item.Source, notTried
	if o.Tried {
		status = string(o.Load.Status)
	}
	m.slices.WithLabelValues(source, status).Inc()
	if c := o.ErrorClass(); c != "" {
		m.errors.WithLabelValues(source, c).Inc()
	}
	m.requests.WithLabelValues(source).Add(float64(o.Load.Requests))
	m.bytes.WithLabelValues(source).Add(float64(o.Load.Bytes))
	if !o.Done() {
		return
	}
	if o.Load.Status == schema.Published {
		m.rows.WithLabelValues(source).Add(float64(o.Load.Rows))
	}
	if o.Restated != nil {
		m.restated.WithLabelValues(source).Inc()
	}
	if o.Alert() != "" {
		m.beyond.WithLabelValues(source).Inc()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.learn(&o.Load)
	m.show(source)
}
