package serve_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/meterhouse/meterhouse/etl/serve"
)

func TestMain(m *testing.M) {
	code := m.Run()
	http.DefaultClient.CloseIdleConnections()
	if err := goleak.Find(); err != nil && code == 0 {
		_, _ = os.Stderr.WriteString(err.Error())
		code = 1
	}
	os.Exit(code)
}

func start(t *testing.T, listen string, ready func(context.Context) error) *serve.Server {
	t.Helper()
	s, err := serve.Start(t.Context(), serve.Options{
		Listen: listen, Metrics: serve.NewMetrics("v1.2.3", feeds()), Ready: ready, Logger: zap.NewNop(),
	})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

func get(t *testing.T, s *serve.Server, method, path string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.Addr()+path, http.NoBody)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, strings.TrimSpace(string(text))
}

func TestHealthTellsAliveFromReady(t *testing.T) {
	t.Parallel()
	why := make(chan error, 1)
	s := start(t, "127.0.0.1:0", func(context.Context) error { return <-why })
	f := func(method, path string, status int, body string) {
		t.Helper()
		got, text := get(t, s, method, path)
		require.Equal(t, status, got)
		require.Equal(t, body, text)
	}
	f(http.MethodGet, "/healthz", http.StatusOK, "ok")
	why <- nil
	f(http.MethodGet, "/readyz", http.StatusOK, "ready")
	why <- errors.New("the schema is old")
	f(http.MethodGet, "/readyz", http.StatusServiceUnavailable, "the schema is old")
	f(http.MethodGet, "/healthz", http.StatusOK, "ok")
	f(http.MethodHead, "/healthz", http.StatusOK, "")
	f(http.MethodPost, "/healthz", http.StatusMethodNotAllowed, "Method Not Allowed")
	f(http.MethodGet, "/", http.StatusNotFound, "404 page not found")

	status, text := get(t, s, http.MethodGet, "/metrics")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, text, `meterhouse_build_info{goversion="go`)
}

func TestAnAddressThatIsTaken(t *testing.T) {
	t.Parallel()
	first := start(t, "127.0.0.1:0", nil)
	f := func(listen string, says ...string) {
		t.Helper()
		_, err := serve.Start(t.Context(), serve.Options{Listen: listen, Metrics: serve.NewMetrics("", nil), Logger: zap.NewNop()})
		for _, text := range says {
			require.ErrorContains(t, err, text)
		}
	}
	f(first.Addr(), "another program listens at "+first.Addr(), "serve.listen")
	f("192.0.2.1:8080", "listening at 192.0.2.1:8080 (serve.listen): ")
	first.Close()
	start(t, first.Addr(), nil) // and is free again
}

// Close waits for nobody who says nothing, and not long for those who do.
func TestCloseIsBounded(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{})
	s := start(t, "127.0.0.1:0", func(ctx context.Context) error {
		close(asked)
		<-ctx.Done()
		return ctx.Err()
	})
	silent, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", s.Addr())
	require.NoError(t, err)
	defer silent.Close()
	_, err = io.WriteString(silent, "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
	require.NoError(t, err)
	<-asked
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		s.Close()
	}()
	select {
	case <-closed:
	case <-time.After(time.Minute):
		require.FailNow(t, "Close hangs")
	}
}
