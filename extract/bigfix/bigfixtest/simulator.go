package bigfixtest

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/meterhouse/meterhouse/extract/extracttest/simfault"
)

// Shapes of an answer. HCL's page shows a bare array; the same endpoint on
// License Metric Tool has been seen to answer with an object of total and rows.
const (
	ShapeObject = "object"
	ShapeArray  = "array"
)

// The paths that are served.
const (
	UsagePath   = "/api/sam/v2/license_usage_per_server"
	TotalsPath  = "/api/sam/v2/license_usage"
	SchemasPath = "/api/sam/v2/schemas/" // the name of an endpoint and .json follow
	TokenPath   = "/api/get_token"
	AboutPath   = "/api/sam/about"
	ImportPath  = "/api/import_status.json"
)

// Options describe the server and its estate.
type Options struct {
	// Seed makes the estate: the same seed gives the same rows.
	Seed uint64
	// Rows is about how many rows a working day has, 500 when 0. Millions are fine.
	Rows int
	// First is the first day with rows, YYYY-MM-DD; 2024-01-01 when empty.
	First string
	// Now is the server's clock, in its own time zone; the days before its date
	// have rows. time.Now when nil.
	Now func() time.Time
	// Token, User and Password are accepted; they have values when empty.
	Token, User, Password string
	// LoginStatus is what get_token answers to a wrong user or password: 401, or
	// 500 as on earlier servers. 401 when 0.
	LoginStatus int
	// HeaderOnly refuses tokens in the URL, as api_token_in_url_enabled=false does.
	HeaderOnly bool
	// Shape of the answers: ShapeObject when empty.
	Shape string
	// ServerColumns are the columns of the `server` association that this
	// version knows; nil means all.
	ServerColumns []string
	// Unknown are columns of license_usage_per_server and license_usage that this
	// version does not have.
	Unknown []string
	// NightlyImport has api/import_status.json tell of an import that runs every
	// midnight of the server's clock, for twenty minutes.
	NightlyImport bool
	// Latency passes before every answer.
	Latency time.Duration
	// Version is what api/sam/about says; 11.0.7.0 when empty.
	Version string

	// Addr to listen on, for Start; a free port of 127.0.0.1 when empty.
	Addr string
	// PlainHTTP leaves TLS out, for Start.
	PlainHTTP bool
}

// Simulator is the http.Handler. Its methods may be called while it serves.
type Simulator struct {
	// Faults says what goes wrong, and counts the requests.
	Faults simfault.Script

	o      Options
	estate *estate
	first  int

	mu        sync.Mutex
	token     string
	imports   *ImportStatus
	started   int
	revisions map[int]int
	empty     map[int]bool
	truths    map[truthKey]truth
}

// Seen is a request that arrived.
type Seen = simfault.Seen

// New makes a simulator.
func New(o Options) (*Simulator, error) {
	o = withDefaults(o)
	first, err := parseDay(o.First)
	if err != nil {
		return nil, err
	}
	return &Simulator{
		o: o, estate: newEstate(o.Seed, o.Rows), first: first, token: o.Token,
		revisions: map[int]int{}, empty: map[int]bool{}, truths: map[truthKey]truth{},
	}, nil
}

func withDefaults(o Options) Options {
	defaults := []struct {
		field *string
		value string
	}{
		{&o.First, "2024-01-01"},
		{&o.Token, "7adc3efb175e2bc0f4484bdd2efca54a8fa04623"},
		{&o.User, "meterhouse"},
		{&o.Password, "correct horse battery staple"},
		{&o.Shape, ShapeObject},
		{&o.Version, "11.0.7.0"},
		{&o.Addr, "127.0.0.1:0"},
	}
	for _, d := range defaults {
		if *d.field == "" {
			*d.field = d.value
		}
	}
	if o.Rows <= 0 {
		o.Rows = 500
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.LoginStatus == 0 {
		o.LoginStatus = http.StatusUnauthorized
	}
	return o
}

// Token is the one that is accepted now.
func (s *Simulator) Token() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.token
}

// RotateToken replaces the token; the old one is refused from then on.
func (s *Simulator) RotateToken(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token = token
}

// User and Password are what get_token accepts.
func (s *Simulator) User() string { return s.o.User }

// Password belongs to User.
func (s *Simulator) Password() string { return s.o.Password }

// Requests counts what has arrived at the paths that end like this, at all with
// "". Requests that a fault befell count.
func (s *Simulator) Requests(path string) int { return s.Faults.Requests(path) }

// Seen lists the last thousand requests, oldest first.
func (s *Simulator) Seen() []Seen { return s.Faults.Seen() }

// MaxInFlight is the most requests that were being answered at one time.
func (s *Simulator) MaxInFlight() int { return s.Faults.MaxInFlight() }

// ServeHTTP answers as the documented API does, unless a fault is to befall the
// request.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.Faults.Wrap(http.HandlerFunc(s.serve)).ServeHTTP(w, r)
}

func (s *Simulator) serve(w http.ResponseWriter, r *http.Request) {
	if !pause(r, s.o.Latency) {
		return
	}
	if r.Method == http.MethodPost && r.URL.Path == TokenPath {
		s.login(w, r)
		return
	}
	answer := s.answerTo(r.URL.Path)
	switch {
	case r.Method != http.MethodGet || answer == nil:
		refuse(w, http.StatusNotFound, "Not Found")
	case s.authorized(w, r):
		answer(w, r)
	}
}

// answerTo is what answers a GET of a path, nil where there is nothing.
func (s *Simulator) answerTo(path string) http.HandlerFunc {
	switch path {
	case UsagePath:
		return s.usage
	case TotalsPath:
		return s.totals
	case ImportPath:
		return s.importStatus
	case AboutPath:
		return func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, map[string]string{"version": s.o.Version}) }
	}
	if name, ok := strings.CutPrefix(path, SchemasPath); ok {
		return s.schema(strings.TrimSuffix(name, ".json"))
	}
	return nil
}

// pause waits; false when the client went away meanwhile.
func pause(r *http.Request, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// authorized checks the token. IBM's page on authenticating API requests: the
// header is preferred, and where it is there the one in the URL is ignored.
func (s *Simulator) authorized(w http.ResponseWriter, r *http.Request) bool {
	token := r.Header.Get("Token")
	if token == "" && !s.o.HeaderOnly {
		token = r.URL.Query().Get("token")
	}
	if token == s.Token() {
		return true
	}
	refuse(w, http.StatusUnauthorized, "the token is not valid")
	return false
}

func (s *Simulator) login(w http.ResponseWriter, r *http.Request) {
	var login struct{ User, Password string }
	if err := json.NewDecoder(io.LimitReader(r.Body, 1<<16)).Decode(&login); err != nil {
		refuse(w, http.StatusBadRequest, "Bad Request: the body is not JSON")
		return
	}
	if login.User != s.o.User || login.Password != s.o.Password {
		refuse(w, s.o.LoginStatus, "Bad Request: user or password does not match")
		return
	}
	writeJSON(w, map[string]string{"token": s.Token()})
}

// refuse writes an error. The form of error bodies is documented nowhere; this
// one is plain text.
func refuse(w http.ResponseWriter, status int, says string) {
	http.Error(w, says, status)
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the client may have gone
}
