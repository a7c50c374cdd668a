package extracttest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/extract/internal/simtls"
)

// Exercise runs the whole suite. With -v it shows what every fault came to.
func Exercise(t *testing.T, h Harness) {
	t.Helper()
	first := h.setup(t, simtls.Options{}, nil).pull(t)
	require.NoError(t, first.err)
	require.Greater(t, first.answer.Bytes, int64(h.CutAt+1000), "the suite needs a longer answer")
	require.Less(t, first.answer.Bytes, int64(largeAnswer), "the suite needs a shorter answer")

	t.Run("faults", h.faults)
	t.Run("TLS", h.tls)
	t.Run("cancelled", h.cancelled)
	t.Run("contract", h.contract)
	t.Run("check", h.check)
}

// faults climbs the ladder. Each rung has a simulator of its own, and behind it
// the fault is taken away: the next pull has to be complete.
func (h Harness) faults(t *testing.T) {
	var seen account
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("a redirect was followed, with the header %v", r.Header)
	}))
	defer elsewhere.Close()
	rungs := h.ladder(h.Simulator(t).Path, elsewhere.URL)
	t.Run("rung", func(t *testing.T) {
		for i, r := range rungs {
			t.Run(r.what, func(t *testing.T) {
				t.Parallel()
				seen.add(i, h.climb(t, r))
			})
		}
	})
	t.Log(table(rungs, seen.lines))
}

// climb tries one rung and says in a line what it came to.
func (h Harness) climb(t *testing.T, r rung) string {
	t.Helper()
	b := h.setup(t, simtls.Options{}, r.limits)
	b.sim.Faults.Next(b.sim.Path, r.first...)
	b.sim.Faults.Always(b.sim.Path, r.then)

	p := b.pull(t)
	class, text := extract.Class("none"), "all records"
	if r.class == works {
		b.requireComplete(t, p)
	} else {
		require.Error(t, p.err, "an answer that is not complete passed for one")
		e := errorOf(t, p.err)
		require.Equal(t, r.class, e.Class, "the error is %s", e)
		require.ErrorContains(t, e, r.says)
		require.NotEmpty(t, e.Doing)
		h.requireNoSecrets(t, e)
		class, text = e.Class, strings.ReplaceAll(e.Error(), b.server.URL, "https://simulator")
	}
	require.Equal(t, r.requests, b.sim.Faults.Requests(b.sim.Path), "requests that arrived")
	require.Equal(t, b.requests(), p.answer.Requests, "requests that were counted")

	b.sim.Faults.Clear()
	if r.limits != nil {
		b.source = b.connect(t, nil)
	}
	b.requireComplete(t, b.pull(t))
	return fmt.Sprintf("%d\t%d\t%s\t%.110s", r.requests, p.records, class, text)
}

// table shows what the faults came to.
func table(rungs []rung, lines map[int]string) string {
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nfault\trequests\trecords\tclass\terror")
	for i, r := range rungs {
		if line, ran := lines[i]; ran {
			fmt.Fprintf(w, "%s\t%s\n", r.what, line)
		}
	}
	_ = w.Flush() // a strings.Builder takes everything
	return out.String()
}

// check holds Check to saying something where all is well, and to failing where
// the server does not let it in.
func (h Harness) check(t *testing.T) {
	t.Parallel()
	b := h.setup(t, simtls.Options{}, nil)
	findings, err := b.source.Check(t.Context())
	require.NoError(t, err)
	for _, what := range []string{"TLS", "credentials", "right to read"} {
		require.True(t, slices.ContainsFunc(findings, func(f extract.Finding) bool { return f.What == what && !f.Warn }), "no word about %s: %v", what, findings)
	}

	stranger := b.connect(t, func(c *Connection) { c.WrongPassword = true })
	_, err = stranger.Check(t.Context())
	require.Equal(t, extract.Credentials, errorOf(t, err).Class)
	h.requireNoSecrets(t, err)
}
