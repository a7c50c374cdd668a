package bigfixtest

import (
	"context"

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

	listening *simtls.Server
}

// Start makes a simulator listen; stop it with Close. ctx only bounds the start.
func Start(ctx context.Context, o Options) (*Server, error) {
	sim, err := New(o)
	if err != nil {
		return nil, err
	}
	s, err := simtls.Start(ctx, simtls.Options{Addr: o.Addr, PlainHTTP: o.PlainHTTP}, sim)
	if err != nil {
		return nil, err
	}
	return &Server{Simulator: sim, URL: s.URL, CAPEM: s.CAPEM, listening: s}, nil
}

// Close stops listening, breaks every connection and waits for all to end.
func (s *Server) Close() error { return s.listening.Close() }
