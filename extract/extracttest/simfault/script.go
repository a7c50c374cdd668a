// Package simfault lets the source simulators misbehave on demand, and counts
// what they were asked. It is the one way to script a fault, for the tests of
// the sources and for those of everything that stands behind them.
package simfault

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
)

const (
	keepSeen     = 1000    // how many requests a Script remembers
	requestLimit = 1 << 20 // of a request's body; a login has some hundred bytes
)

// Script says which of the coming requests go wrong, and counts all of them.
// The zero value lets everything pass. It may be used from several goroutines.
type Script struct {
	mu       sync.Mutex
	next     map[string][]Fault
	always   map[string]Fault
	count    map[string]int
	seen     []Seen
	inFlight int
	most     int
}

// Seen is a request that arrived, whatever became of it.
type Seen struct {
	Method string
	Path   string
	Query  url.Values
	Header http.Header
}

// Next puts faults in line for a path ("/api/..."): each befalls one request,
// in the given order. A nil fault lets its request pass.
func (s *Script) Next(path string, faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next == nil {
		s.next = map[string][]Fault{}
	}
	s.next[path] = append(s.next[path], faults...)
}

// Always lets a fault befall every request for a path that Next has nothing
// for; nil ends that.
func (s *Script) Always(path string, fault Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.always == nil {
		s.always = map[string]Fault{}
	}
	s.always[path] = fault
}

// Clear forgets all faults; the counts stay.
func (s *Script) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next, s.always = nil, nil
}

// Requests is how many requests have come in for the paths that end like this,
// for all paths with "".
func (s *Script) Requests(pathEnd string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	total := 0
	for path, n := range s.count {
		if strings.HasSuffix(path, pathEnd) {
			total += n
		}
	}
	return total
}

// Seen lists the last thousand requests, oldest first.
func (s *Script) Seen() []Seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.seen)
}

// LastQuery is the query of the latest request for a path, nil before the first.
func (s *Script) LastQuery(path string) url.Values {
	for _, seen := range slices.Backward(s.Seen()) {
		if seen.Path == path {
			return seen.Query
		}
	}
	return nil
}

// MaxInFlight is the most requests that were being answered at one time.
func (s *Script) MaxInFlight() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.most
}

// Wrap puts the script in front of the handler that answers properly.
func (s *Script) Wrap(proper http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Go notices that a client has gone only once its request was read, and
		// answers that wait have to notice.
		body, _ := io.ReadAll(io.LimitReader(r.Body, requestLimit))
		r.Body = io.NopCloser(bytes.NewReader(body))
		fault := s.arrive(r)
		defer s.leave()
		if fault != nil {
			fault(proper).ServeHTTP(w, r)
			return
		}
		proper.ServeHTTP(w, r)
	})
}

// arrive counts the request and gives the fault that befalls it, or nil.
func (s *Script) arrive(r *http.Request) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.count == nil {
		s.count = map[string]int{}
	}
	path := r.URL.Path
	s.count[path]++
	s.inFlight++
	s.most = max(s.most, s.inFlight)
	if len(s.seen) == keepSeen {
		s.seen = slices.Delete(s.seen, 0, 1)
	}
	s.seen = append(s.seen, Seen{r.Method, path, r.URL.Query(), r.Header.Clone()})
	if line := s.next[path]; len(line) > 0 {
		s.next[path] = line[1:]
		return line[0]
	}
	return s.always[path]
}

func (s *Script) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inFlight--
}
