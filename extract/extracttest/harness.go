// Package extracttest is the conformance suite of extract.Source. Every source
// passes it, against the simulator of its vendor's API: what the contract
// promises, and a ladder of everything that a server and the network can do to
// an answer.
package extracttest

import (
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/extract/extracttest/simfault"
	"github.com/meterhouse/meterhouse/extract/internal/httpx"
	"github.com/meterhouse/meterhouse/extract/internal/simtls"
)

// Harness is what the suite has to be told of a source.
type Harness struct {
	// Simulator makes a server that answers as the vendor documents. Its answer
	// to Request is longer than CutAt, and shorter than a mebibyte.
	Simulator func(t *testing.T) Simulator
	// Source makes a source for it that sends a request at most twice more.
	Source func(t *testing.T, c Connection) extract.Source
	// Request is the slice that is pulled.
	Request extract.Request
	// Refused is how many requests are made where the server answers each
	// with 401: 2 for a source that fetches another token once, else 1.
	Refused int
	// Secrets must be in no error.
	Secrets []string
	// CutAt is a place, in bytes, in the middle of a record. Faults that break
	// an answer off do so there.
	CutAt int
	// NoEnd says that the format does not tell where an answer ends, as CSV. End
	// is the text that does, in a format that lets more follow, as HTML.
	NoEnd bool
	End   string
}

// Simulator is a server that does not listen yet.
type Simulator struct {
	Handler http.Handler
	Faults  *simfault.Script
	Path    string // that Pull asks
	Login   string // path that is asked for a token, which no answer counts; "" for none
	Records uint64 // of the complete answer to Request
}

// Connection says how a source reaches the simulator, and within which limits;
// zero limits are the source's own.
type Connection struct {
	URL            *url.URL
	TLS            httpx.TLSOptions
	WrongPassword  bool // sign in with something that the simulator refuses
	Parallel       int
	RequestTimeout time.Duration
	IdleTimeout    time.Duration
	MaxBytes       int64
}

const (
	// maxRetries is what Harness.Source promises.
	maxRetries = 2
	retried    = 1 + maxRetries
)

// bundle is one simulator that listens, and a source that reads from it.
type bundle struct {
	h      Harness
	sim    Simulator
	server *simtls.Server
	source extract.Source
}

// setup starts a simulator and makes a source for it; change, if any, has the
// last word on the connection.
func (h Harness) setup(t *testing.T, o simtls.Options, change func(*Connection)) *bundle {
	t.Helper()
	b := &bundle{h: h, sim: h.Simulator(t)}
	var err error
	b.server, err = simtls.Start(t.Context(), o, b.sim.Handler)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.server.Close()) })
	b.source = b.connect(t, change)
	return b
}

// connect makes another source for the same simulator.
func (b *bundle) connect(t *testing.T, change func(*Connection)) extract.Source {
	t.Helper()
	address, err := url.Parse(b.server.URL)
	require.NoError(t, err)
	c := Connection{URL: address, TLS: httpx.TLSOptions{CAPEM: b.server.CAPEM}}
	if change != nil {
		change(&c)
	}
	return b.h.Source(t, c)
}

// pulled is what became of one Pull.
type pulled struct {
	answer  extract.Answer
	records uint64 // that were emitted
	err     error
}

func pull(t *testing.T, s extract.Source, via extract.Getter, req extract.Request) pulled {
	t.Helper()
	var p pulled
	p.answer, p.err = s.Pull(t.Context(), via, req, func(r *extract.Record) error {
		p.records++
		require.Equal(t, p.records, r.Ordinal, "ordinals count from 1, in the order of the answer")
		return nil
	})
	return p
}

// pull pulls from the simulator.
func (b *bundle) pull(t *testing.T) pulled {
	t.Helper()
	return pull(t, b.source, b.source.Live(), b.h.Request)
}

// requests is how many have arrived, without those for a token.
func (b *bundle) requests() int {
	n := b.sim.Faults.Requests("")
	if b.sim.Login != "" {
		n -= b.sim.Faults.Requests(b.sim.Login)
	}
	return n
}

// requireComplete holds a pull to the truth.
func (b *bundle) requireComplete(t *testing.T, p pulled) {
	t.Helper()
	require.NoError(t, p.err)
	require.Equal(t, b.sim.Records, p.records)
	require.Equal(t, b.sim.Records, p.answer.Records)
}

// requireNoSecrets looks at the error as it is logged, with all of its causes.
func (h Harness) requireNoSecrets(t *testing.T, err error) {
	t.Helper()
	for _, secret := range h.Secrets {
		require.NotContains(t, err.Error(), secret)
	}
}

func errorOf(t *testing.T, err error) *extract.Error {
	t.Helper()
	var e *extract.Error
	require.ErrorAs(t, err, &e, "everything that a source can do wrong is an *extract.Error")
	return e
}

// account collects lines from parallel tests and shows them in order.
type account struct {
	mu    sync.Mutex
	lines map[int]string
}

func (a *account) add(i int, line string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.lines == nil {
		a.lines = map[int]string{}
	}
	a.lines[i] = line
}
