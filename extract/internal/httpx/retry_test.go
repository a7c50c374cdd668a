package httpx_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/extract/internal/httpx"
)

// waits asks a server that always answers with status and Retry-After, and gives
// how long the client wanted to wait before each retry. Nothing is waited for.
func waits(t *testing.T, status int, retryAfter string, retries int) []time.Duration {
	t.Helper()
	var got []time.Duration
	b := setup(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", retryAfter)
		w.WriteHeader(status)
	}, func(o *httpx.Options) {
		o.MaxRetries, o.RetryDelay = retries, time.Second
		o.Wait = func(_ context.Context, d time.Duration) error {
			got = append(got, d)
			return nil
		}
	})
	_, err := b.get(t)
	require.Error(t, err)
	require.Equal(t, int32(1+retries), b.requests.Load())
	require.Len(t, got, retries)
	return got
}

func TestRetriesBackOffWithJitter(t *testing.T) {
	t.Parallel()
	const retries = 9
	different := map[time.Duration]bool{}
	for range 10 {
		middle := time.Second
		for i, d := range waits(t, http.StatusServiceUnavailable, "", retries) {
			require.GreaterOrEqual(t, d, middle/2, "wait %d", i+1)
			require.LessOrEqual(t, d, middle*3/2, "wait %d", i+1)
			middle = min(2*middle, time.Minute)
			different[d] = true
		}
	}
	require.Greater(t, len(different), 9*retries, "clients that failed together do not come back together")
}

func TestARetryNeverComesSoonerThanTheServerAsks(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
		different := map[time.Duration]bool{}
		for _, d := range waits(t, status, "120", 5) {
			require.Greater(t, d, 120*time.Second)
			different[d] = true
		}
		require.Len(t, different, 5, "and not all at the moment it named")
	}
}

func TestAWaitThatIsCutShortEndsTheRetries(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	b := setup(t, status(503, "busy"), func(o *httpx.Options) {
		o.Wait = func(ctx context.Context, _ time.Duration) error {
			cancel()
			return ctx.Err()
		}
	})
	_, err := b.client.Get(ctx, extract.Query{Path: "api/x"})
	require.Equal(t, extract.Cancelled, errorOf(t, err).Class)
	require.Equal(t, int32(1), b.requests.Load())
}

// net/http sends a GET again, at once and without telling, when the connection
// that it kept from the request before breaks under it. Only the retries may
// decide that.
func TestNothingIsSentThatTheRetriesDidNotDecide(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	requests := 0
	b := setup(t, func(http.ResponseWriter, *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if requests++; requests > 1 {
			panic(http.ErrAbortHandler) // net/http's way to close a connection
		}
	}, func(o *httpx.Options) { o.MaxRetries = 0 })
	_, err := b.get(t)
	require.NoError(t, err, "which leaves a connection to be used again")
	_, err = b.get(t)
	require.Equal(t, extract.Transient, errorOf(t, err).Class)
	require.Equal(t, 1, errorOf(t, err).Attempts)
	require.Equal(t, int32(2), b.requests.Load())
}
