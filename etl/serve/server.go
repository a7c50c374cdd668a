package serve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"time"

	"go.uber.org/zap"
)

// Limits of a connection. The answers are small, so that nobody needs longer.
const (
	headerTimeout = 5 * time.Second
	answerTimeout = 30 * time.Second
	idleTimeout   = 2 * time.Minute
	maxHeader     = 16 << 10
	// readyTimeout bounds how long the warehouse may take to answer /readyz.
	readyTimeout = 5 * time.Second
	// closeTimeout is how long answers that are under way may take at the end.
	closeTimeout = 2 * time.Second
)

// Options are what a Server is made of.
type Options struct {
	// Listen is host:port; port 0 takes a free one.
	Listen  string
	Metrics *Metrics
	// Ready fails while the daemon cannot do its work, with the reason.
	Ready  func(ctx context.Context) error
	Logger *zap.Logger
}

// Server answers /healthz, /readyz and /metrics.
type Server struct {
	http     *http.Server
	address  string
	finished chan struct{}
}

// Start listens and answers until Close. An address that is taken, or not one of
// this machine, is an error.
func Start(ctx context.Context, o Options) (*Server, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.Listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("another program listens at %s, perhaps another meterhouse; name a free address in serve.listen: %w", o.Listen, err)
	}
	if err != nil {
		return nil, fmt.Errorf("listening at %s (serve.listen): %w", o.Listen, err)
	}
	errorLog, err := zap.NewStdLogAt(o.Logger, zap.WarnLevel)
	if err != nil {
		panic("BUG: warn is no level of the log: " + err.Error())
	}
	s := &Server{
		http: &http.Server{
			Handler: handler(o), ErrorLog: errorLog, MaxHeaderBytes: maxHeader,
			ReadHeaderTimeout: headerTimeout, ReadTimeout: headerTimeout, WriteTimeout: answerTimeout, IdleTimeout: idleTimeout,
		},
		address: l.Addr().String(), finished: make(chan struct{}),
	}
	go func() {
		defer close(s.finished)
		if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			o.Logger.Error("answering HTTP ended", zap.Error(err))
		}
	}()
	return s, nil
}

// Addr is the host:port that it listens at.
func (s *Server) Addr() string { return s.address }

// Close ends it: answers under way get a moment, other connections none.
func (s *Server) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if s.http.Shutdown(ctx) != nil {
		_ = s.http.Close()
	}
	<-s.finished
}

func handler(o Options) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", o.Metrics.Handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeoutCause(r.Context(), readyTimeout,
			fmt.Errorf("the warehouse did not answer within %s", readyTimeout))
		defer cancel()
		if err := o.Ready(ctx); err != nil {
			answer(w, http.StatusServiceUnavailable, err.Error())
			return
		}
		answer(w, http.StatusOK, "ready")
	})
	return mux
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = fmt.Fprintln(w, text) // a reader who has gone needs no answer
}
