package nexthink_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/extract/extracttest/simfault"
	"github.com/meterhouse/meterhouse/extract/nexthink"
	"github.com/meterhouse/meterhouse/extract/nexthink/nexthinktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	user     = "meterhouse"
	password = "ünusual pass+word/%&"
)

// today is what the simulated Portal's clock shows, a Friday.
func today() time.Time { return time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC) }

// testBundle is a simulated Portal and what a source of it needs to be told.
type testBundle struct {
	portal *nexthinktest.Portal
	server *nexthinktest.Server
	// options make a source of the Portal with one target and both lists.
	options nexthink.Options
}

func setup(t testing.TB, o nexthinktest.Options) *testBundle {
	t.Helper()
	o.User, o.Password, o.Now = user, password, today
	portal := nexthinktest.New(o)
	server, err := portal.Start("127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	address, err := url.Parse(server.URL)
	require.NoError(t, err)
	return &testBundle{portal: portal, server: server, options: nexthink.Options{
		Name: "hq", URL: address, TLS: nexthink.TLSOptions{CAPEM: server.CAPEM},
		User: user, Password: func() string { return password }, Format: nexthink.FormatJSON,
		Targets: []nexthink.Target{visio()}, RetryDelay: time.Millisecond,
	}}
}

// setupOptions make a source of a Portal that is never reached.
func setupOptions(t testing.TB) nexthink.Options {
	t.Helper()
	address, err := url.Parse("https://portal.example.com")
	require.NoError(t, err)
	return nexthink.Options{
		Name: "hq", URL: address, User: user, Password: func() string { return password },
		Format: nexthink.FormatJSON, Targets: []nexthink.Target{visio()},
	}
}

func visio() nexthink.Target {
	m := nexthinktest.Metrics()[0]
	return nexthink.Target{
		Name: "visio", Metric: m.UID, Program: m.Programs[0].UID, Hierarchy: nexthinktest.LocationHierarchy,
		Path:  []string{"Europe", "Switzerland"},
		Lists: []string{nexthink.ListInstalled, nexthink.ListUnderusage},
	}
}

// source builds a source of the bundle's options.
func (b *testBundle) source(t testing.TB) *nexthink.Source {
	t.Helper()
	s, err := nexthink.New(b.options)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

// pull asks for the feed and gives each record as show writes it.
func (b *testBundle) pull(t *testing.T, feed string) ([]string, extract.Answer, error) {
	t.Helper()
	s := b.source(t)
	var records []string
	answer, err := s.Pull(t.Context(), s.Live(), extract.Request{Feed: feed, Day: "2026-11-20"}, func(r *extract.Record) error {
		records = append(records, show(r))
		return nil
	})
	return records, answer, err
}

// pullBody lets the Portal answer with a given body.
func pullBody(t *testing.T, format, body string) ([]string, extract.Answer, error) {
	t.Helper()
	b := setup(t, nexthinktest.Options{})
	b.options.Format = format
	b.answer(body)
	return b.pull(t, "visio/installed")
}

// noEngines is the list of a Portal that has none.
const noEngines = "[]"

// answer lets the Portal answer with a given body from now on, and with a list
// of engines that is as short as can be.
func (b *testBundle) answer(body string) {
	b.portal.Faults.Always(nexthinktest.EnginesPath, simfault.Body("application/json", noEngines))
	b.portal.Faults.Always(nexthinktest.DetailsPath, simfault.Body("application/octet-stream", body))
}

// asError is the error that every fault of a source has to be.
func asError(t testing.TB, err error) *extract.Error {
	t.Helper()
	var e *extract.Error
	require.ErrorAs(t, err, &e)
	return e
}

// show writes the values of a record in the order of the columns, then the
// extra fields: `PC1 Lausanne 12.5:number - - null [...]:json | os=Windows`.
// Text is written as it is, what was absent as a minus sign.
func show(r *extract.Record) string {
	var cells []string
	for _, v := range r.Values {
		cells = append(cells, showValue(v))
	}
	line := strings.Join(cells, " ")
	if strings.Trim(line, "- ") == "" {
		return "odd row: " + string(r.Raw)
	}
	for _, f := range r.Extra {
		line += " | " + f.Name + "=" + showValue(f.Value)
	}
	return line
}

func showValue(v extract.Value) string {
	switch v.Kind {
	case extract.Absent:
		return "-"
	case extract.Null:
		return "null"
	case extract.Text:
		return string(v.Bytes)
	case extract.Number:
		return string(v.Bytes) + ":number"
	case extract.Bool:
		return string(v.Bytes) + ":bool"
	default:
		return string(v.Bytes) + ":json"
	}
}
