// Package simtls serves the source simulators over TLS on loopback, with a
// certificate that only the simulator's own authority vouches for.
package simtls

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

// Server is a simulator that listens.
type Server struct {
	// URL is what a source's configuration names: https://127.0.0.1:port.
	URL string
	// CAPEM is the certificate of the authority to trust, as a CA file holds it.
	CAPEM []byte

	http *http.Server
	done chan struct{}
}

// Start serves handler over TLS on addr, "127.0.0.1:0" for any free port of
// loopback, until Close. The certificate is good for 127.0.0.1, ::1 and
// localhost.
func Start(addr string, handler http.Handler) (*Server, error) {
	ca, err := NewCA()
	if err != nil {
		return nil, err
	}
	cert, err := ca.Issue("127.0.0.1", "::1", "localhost")
	if err != nil {
		return nil, err
	}
	plain, err := net.Listen("tcp", addr) //nolint:noctx // listening does not wait
	if err != nil {
		return nil, fmt.Errorf("listening on %q: %w", addr, err)
	}
	s := &Server{
		URL:   "https://" + plain.Addr().String(),
		CAPEM: ca.PEM(),
		http: &http.Server{
			Handler:           handler,
			ReadHeaderTimeout: time.Minute,
			ErrorLog:          log.New(io.Discard, "", 0), // clients that refuse the certificate are part of the play
		},
		done: make(chan struct{}),
	}
	listener := tls.NewListener(plain, &tls.Config{
		Certificates: []tls.Certificate{cert},
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"http/1.1"}, // as the simulated products speak
	})
	go func() {
		defer close(s.done)
		_ = s.http.Serve(listener) // always ends with ErrServerClosed, by Close
	}()
	return s, nil
}

// Close stops listening, breaks the connections that are open and waits for
// the accepting goroutine.
func (s *Server) Close() error {
	err := s.http.Close()
	<-s.done
	if err != nil {
		return fmt.Errorf("closing the simulator: %w", err)
	}
	return nil
}
