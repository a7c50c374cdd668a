package bigfix_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/extract/bigfix"
	"github.com/meterhouse/meterhouse/extract/bigfix/bigfixtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const someDay = "2025-03-12" // a Wednesday

// testBundle is a simulator and a source that reads from it over TLS.
type testBundle struct {
	server *bigfixtest.Server
	source *bigfix.Source
}

// setup starts a simulator and makes a source for it; change, if any, has the
// last word on the source's options.
func setup(t *testing.T, so bigfixtest.Options, change func(*bigfix.Options)) testBundle {
	t.Helper()
	server, err := bigfixtest.Start(t.Context(), so)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, server.Close())
		require.Zero(t, server.ImportsStarted(), "an import was started: the parameter run must never be sent")
	})
	o := bigfix.Options{
		Name: "bfi", URL: parseURL(t, server.URL), TLS: bigfix.TLSOptions{CAPEM: server.CAPEM},
		Token: server.Token, MaxRetries: 2, RetryDelay: time.Millisecond,
	}
	if change != nil {
		change(&o)
	}
	source, err := bigfix.New(o)
	require.NoError(t, err)
	t.Cleanup(source.Close)
	return testBundle{server, source}
}

func parseURL(tb testing.TB, s string) *url.URL {
	tb.Helper()
	u, err := url.Parse(s)
	require.NoError(tb, err)
	return u
}

// collected is what a pull has emitted.
type collected struct {
	rows uint64
	sum  int64
}

// pull pulls a feed of someDay and adds up what was emitted.
func (b testBundle) pull(t *testing.T, feed string) (collected, extract.Answer, error) {
	t.Helper()
	var c collected
	answer, err := b.source.Pull(t.Context(), b.source.Live(), extract.Request{Feed: feed, Day: someDay}, func(r *extract.Record) error {
		require.Equal(t, extract.Facts, r.Stream)
		c.rows++
		require.Equal(t, c.rows, r.Ordinal)
		c.sum += number(t, r.Values[extract.LicenseHWMQuantity])
		return nil
	})
	return c, answer, err
}

// truth is what a complete pull has to add up to.
func (b testBundle) truth(t *testing.T, group int64) collected {
	t.Helper()
	rows, sum, err := b.server.Truth(someDay, group)
	require.NoError(t, err)
	return collected{rows, sum}
}

func number(t *testing.T, v extract.Value) int64 {
	t.Helper()
	require.Equal(t, extract.Number, v.Kind)
	n := int64(0)
	for _, digit := range v.Bytes {
		n = n*10 + int64(digit-'0')
	}
	return n
}

// answers gives prepared bodies, one per query, as a recording does.
type answers struct {
	bodies  []string
	header  http.Header // of all
	queries []extract.Query
}

func (a *answers) Get(_ context.Context, q extract.Query) (*extract.Response, error) {
	body := a.bodies[len(a.queries)]
	a.queries = append(a.queries, q)
	return &extract.Response{Status: http.StatusOK, Attempts: 1, Header: a.header, Body: io.NopCloser(strings.NewReader(body))}, nil
}

// offline is a source that is only used with prepared answers.
func offline(tb testing.TB, change func(*bigfix.Options)) *bigfix.Source {
	tb.Helper()
	o := bigfix.Options{Name: "bfi", URL: parseURL(tb, "https://bigfix.example.com:9081"), Token: func() string { return "secret" }}
	if change != nil {
		change(&o)
	}
	source, err := bigfix.New(o)
	require.NoError(tb, err)
	return source
}

func requireClass(t *testing.T, want extract.Class, err error) {
	t.Helper()
	require.Equal(t, want, errorOf(t, err).Class, "the error is %s", err)
}

// errorOf is the error as sources promise it.
func errorOf(t *testing.T, err error) *extract.Error {
	t.Helper()
	var e *extract.Error
	require.ErrorAs(t, err, &e)
	return e
}
