package bigfixtest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/meterhouse/meterhouse/extract/internal/simtls"
)

// Server is a Simulator that listens.
type Server struct {
	*Simulator
	// URL is where it answers, without a path.
	URL string
	// CAPEM is the certificate of the authority that signed the server's; nil
	// with PlainHTTP.
	CAPEM []byte

	http    *http.Server
	stopped chan struct{}
}

// Start makes a simulator listen; stop it with Close. ctx only bounds the start.
func Start(ctx context.Context, o Options) (*Server, error) {
	sim, err := New(o)
	if err != nil {
		return nil, err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", sim.o.Addr)
	if err != nil {
		return nil, fmt.Errorf("listening: %w", err)
	}
	s := &Server{Simulator: sim, URL: "http://" + listener.Addr().String(), stopped: make(chan struct{})}
	if !o.PlainHTTP {
		identity, ca, err := certificate(o)
		if err != nil {
			return nil, errors.Join(err, listener.Close())
		}
		s.URL, s.CAPEM = "https://"+listener.Addr().String(), ca
		listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{identity}, MinVersion: tls.VersionTLS12})
	}
	s.http = &http.Server{
		Handler: sim, ReadHeaderTimeout: time.Minute,
		ErrorLog: log.New(io.Discard, "", 0), // refused handshakes are what some tests are about
	}
	go func() {
		defer close(s.stopped)
		_ = s.http.Serve(listener) // ends with ErrServerClosed
	}()
	return s, nil
}

// Close stops listening, breaks every connection and waits for all to end.
func (s *Server) Close() error {
	err := s.http.Close()
	s.Simulator.Close()
	<-s.stopped
	return err
}

// certificate makes an authority and a certificate of the server signed by it.
func certificate(o Options) (identity tls.Certificate, caPEM []byte, err error) {
	ca, err := simtls.NewCA()
	if err != nil {
		return identity, nil, err
	}
	names := o.CertNames
	if names == nil {
		names = []string{"127.0.0.1", "::1", "localhost", "bigfix.example.com"}
	}
	if o.CertExpired {
		identity, err = ca.IssueUntil(time.Now().Add(-time.Minute), names...)
	} else {
		identity, err = ca.Issue(names...)
	}
	return identity, ca.PEM(), err
}
