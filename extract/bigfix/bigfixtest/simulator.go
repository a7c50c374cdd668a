package bigfixtest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Shapes of an answer. HCL's page shows a bare array; the same endpoint on
// License Metric Tool has been seen to answer with an object of total and rows.
const (
	ShapeObject = "object"
	ShapeArray  = "array"
)

// The paths that are served.
const (
	usagePath   = "/api/sam/v2/license_usage_per_server"
	totalsPath  = "/api/sam/v2/license_usage"
	schemasPath = "/api/sam/v2/schemas/"
	tokenPath   = "/api/get_token"
	aboutPath   = "/api/sam/about"
	importPath  = "/api/import_status.json"
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
	// Latency passes before every answer.
	Latency time.Duration
	// Version is what api/sam/about says; 11.0.7.0 when empty.
	Version string

	// Addr to listen on, for Start; a free port of 127.0.0.1 when empty.
	Addr string
	// PlainHTTP leaves TLS out, for Start.
	PlainHTTP bool
	// CertNames are the names and addresses in the certificate, for Start; those
	// of loopback and bigfix.example.com when nil.
	CertNames []string
	// CertExpired makes the certificate one that has just ended, for Start.
	CertExpired bool
}

// Simulator is the http.Handler. Its methods may be called while it serves.
type Simulator struct {
	o      Options
	estate *estate
	first  int
	done   chan struct{} // closed by Close: lets hanging answers go
	stop   sync.Once
	active sync.WaitGroup

	mu        sync.Mutex
	token     string
	imports   *ImportStatus
	started   int
	revisions map[int]int
	empty     map[int]bool
	faults    []*Fault
	seen      []Seen
	requests  map[string]int // by path
	inFlight  int
	most      int
	truths    map[truthKey]truth
}

// Seen is a request that arrived. The last thousand are kept.
type Seen struct {
	Method string
	Path   string
	Query  url.Values
	Header http.Header
}

const keepSeen = 1000

// New makes a simulator; release it with Close.
func New(o Options) (*Simulator, error) {
	o = withDefaults(o)
	first, err := parseDay(o.First)
	if err != nil {
		return nil, err
	}
	return &Simulator{
		o: o, estate: newEstate(o.Seed, o.Rows), first: first, token: o.Token, done: make(chan struct{}),
		revisions: map[int]int{}, empty: map[int]bool{}, truths: map[truthKey]truth{}, requests: map[string]int{},
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

// Close lets every answer that hangs go, and waits for all of them.
func (s *Simulator) Close() {
	s.stop.Do(func() { close(s.done) })
	s.active.Wait()
}

// Requests counts what has arrived at the paths that end like this, at all with
// "". Requests that a fault was made for count.
func (s *Simulator) Requests(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	total := 0
	for at, n := range s.requests {
		if strings.HasSuffix(at, path) {
			total += n
		}
	}
	return total
}

// Seen lists the last thousand requests, oldest first.
func (s *Simulator) Seen() []Seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.seen)
}

// MaxInFlight is the most requests that were being answered at one time.
func (s *Simulator) MaxInFlight() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.most
}

// ServeHTTP answers as the documented API does.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.active.Add(1)
	defer s.active.Done()
	fault := s.arrive(r)
	defer s.leave()
	if !s.pause(r, s.o.Latency) {
		return
	}
	if fault != nil {
		var goOn bool
		if w, goOn = s.misbehave(w, r, fault); !goOn {
			return
		}
	}
	if r.Method == http.MethodPost && r.URL.Path == tokenPath {
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
	case usagePath:
		return s.usage
	case totalsPath:
		return s.totals
	case importPath:
		return s.importStatus
	case aboutPath:
		return func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, map[string]string{"version": s.o.Version}) }
	}
	if name, ok := strings.CutPrefix(path, schemasPath); ok {
		return s.schema(strings.TrimSuffix(name, ".json"))
	}
	return nil
}

func (s *Simulator) arrive(r *http.Request) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inFlight++
	s.most = max(s.most, s.inFlight)
	s.requests[r.URL.Path]++
	if len(s.seen) == keepSeen {
		s.seen = slices.Delete(s.seen, 0, 1)
	}
	s.seen = append(s.seen, Seen{r.Method, r.URL.Path, r.URL.Query(), r.Header.Clone()})
	return s.faultFor(r.URL.Path)
}

func (s *Simulator) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inFlight--
}

// pause waits; false when the client or the simulator went away meanwhile.
func (s *Simulator) pause(r *http.Request, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.Context().Done():
	case <-s.done:
	}
	return false
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
