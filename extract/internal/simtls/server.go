// Package simtls serves the source simulators over TLS on loopback, with a
// certificate that only the simulator's own authority vouches for.
package simtls

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// Options say how a simulator listens. The zero value is what a client accepts
// that trusts the authority.
type Options struct {
	// Addr to listen on; a free port of 127.0.0.1 when empty.
	Addr string
	// PlainHTTP leaves TLS out.
	PlainHTTP bool
	// Names are the names and addresses in the certificate; those of loopback
	// when nil.
	Names []string
	// Expired makes the certificate one that has just ended.
	Expired bool
	// MaxVersion is the newest TLS version that is spoken; the newest there is when 0.
	MaxVersion uint16
}

// Server is a simulator that listens.
type Server struct {
	// URL is what a source's configuration names: https://127.0.0.1:port.
	URL string
	// CAPEM is the certificate of the authority to trust, as a CA file holds it;
	// nil without TLS.
	CAPEM []byte

	http *http.Server
	done chan struct{} // closed when nobody accepts any more

	mu     sync.Mutex
	closed bool
	active sync.WaitGroup // requests being answered
}

// Start serves handler until Close. ctx only bounds the start.
func Start(ctx context.Context, o Options, handler http.Handler) (*Server, error) {
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.Addr)
	if err != nil {
		return nil, fmt.Errorf("listening on %q: %w", o.Addr, err)
	}
	s := &Server{URL: "http://" + listener.Addr().String(), done: make(chan struct{})}
	if !o.PlainHTTP {
		cfg, caPEM, err := identity(o)
		if err != nil {
			return nil, errors.Join(err, listener.Close())
		}
		s.URL, s.CAPEM = "https://"+listener.Addr().String(), caPEM
		listener = tls.NewListener(listener, cfg)
	}
	s.http = &http.Server{
		Handler:           s.counted(handler),
		ReadHeaderTimeout: time.Minute,
		ErrorLog:          log.New(io.Discard, "", 0), // clients that refuse the certificate are part of the play
	}
	go func() {
		defer close(s.done)
		_ = s.http.Serve(listener) // always ends with ErrServerClosed, by Close
	}()
	return s, nil
}

// counted lets Close wait for the answers under way.
func (s *Server) counted(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			panic(http.ErrAbortHandler) // net/http's way to close a connection
		}
		s.active.Add(1)
		s.mu.Unlock()
		defer s.active.Done()
		handler.ServeHTTP(w, r)
	})
}

// identity makes an authority and the server's certificate signed by it.
func identity(o Options) (cfg *tls.Config, caPEM []byte, err error) {
	ca, err := NewCA()
	if err != nil {
		return nil, nil, err
	}
	names := o.Names
	if names == nil {
		names = []string{"127.0.0.1", "::1", "localhost"}
	}
	var cert tls.Certificate
	if o.Expired {
		cert, err = ca.IssueUntil(time.Now().Add(-time.Minute), names...)
	} else {
		cert, err = ca.Issue(names...)
	}
	return &tls.Config{ //nolint:gosec // G402: servers that are too old are part of the play
		Certificates: []tls.Certificate{cert},
		MinVersion:   tls.VersionTLS10,
		MaxVersion:   o.MaxVersion,
		NextProtos:   []string{"http/1.1"}, // as the simulated products speak
	}, ca.PEM(), err
}

// Close stops listening, breaks the connections that are open and waits for
// everything to end.
func (s *Server) Close() error {
	err := s.http.Close()
	<-s.done
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.active.Wait()
	if err != nil {
		return fmt.Errorf("closing the simulator: %w", err)
	}
	return nil
}
