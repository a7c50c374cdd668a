// Package simfault lets the source simulators misbehave on demand, and counts
// what they were asked.
package simfault

import (
	"net/http"
	"net/url"
	"sync"
)

// Script says which of the coming requests go wrong, and counts all of them.
// The zero value lets everything pass. It may be used from several goroutines.
type Script struct {
	mu     sync.Mutex
	next   map[string][]Fault
	always map[string]Fault
	count  map[string]int
	last   map[string]url.Values
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

// Requests is how many requests for a path have come in.
func (s *Script) Requests(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count[path]
}

// LastQuery is the query of the latest request for a path, nil before the first.
func (s *Script) LastQuery(path string) url.Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last[path]
}

// Wrap puts the script in front of the handler that answers properly.
func (s *Script) Wrap(proper http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if fault := s.take(r); fault != nil {
			fault(proper).ServeHTTP(w, r)
			return
		}
		proper.ServeHTTP(w, r)
	})
}

// take counts the request and gives the fault that befalls it, or nil.
func (s *Script) take(r *http.Request) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.count == nil {
		s.count = map[string]int{}
		s.last = map[string]url.Values{}
	}
	path := r.URL.Path
	s.count[path]++
	s.last[path] = r.URL.Query()
	if line := s.next[path]; len(line) > 0 {
		s.next[path] = line[1:]
		return line[0]
	}
	return s.always[path]
}
