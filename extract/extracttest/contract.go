package extracttest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/extract/extracttest/simfault"
	"github.com/meterhouse/meterhouse/extract/internal/simtls"
)

// cancelled ends a pull at every stage of it.
func (h Harness) cancelled(t *testing.T) {
	t.Parallel()
	for what, stage := range map[string]struct {
		fault    func(cancel context.CancelFunc) simfault.Fault
		requests int
	}{
		"before it begins":            {func(cancel context.CancelFunc) simfault.Fault { cancel(); return nil }, 0},
		"while the server is silent":  {silentOnce, 1},
		"while it waits to ask again": {busyOnce, 1},
		"within the body": {func(cancel context.CancelFunc) simfault.Fault {
			return simfault.After(h.CutAt, func(_ http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() })
		}, 1},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			b := h.setup(t, simtls.Options{}, nil)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			b.sim.Faults.Next(b.sim.Path, stage.fault(cancel))
			_, err := b.source.Pull(ctx, b.source.Live(), h.Request, func(*extract.Record) error { return nil })
			require.Equal(t, extract.Cancelled, errorOf(t, err).Class, "the error is %s", err)
			require.ErrorIs(t, err, context.Canceled)
			require.Equal(t, stage.requests, b.sim.Faults.Requests(b.sim.Path))

			b.sim.Faults.Clear()
			b.requireComplete(t, b.pull(t))
		})
	}
}

// silentOnce is a fault that cancels once it has the request, and never answers.
func silentOnce(cancel context.CancelFunc) simfault.Fault {
	return func(http.Handler) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() })
	}
}

// busyOnce is a fault that cancels once it has asked to come back in a minute.
func busyOnce(cancel context.CancelFunc) simfault.Fault {
	busy := simfault.Status(http.StatusServiceUnavailable, "", "Retry-After", "60")
	return func(proper http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			busy(proper).ServeHTTP(w, r)
			_ = http.NewResponseController(w).Flush() // the client has to get to its waiting
			cancel()
		})
	}
}

// contract holds Pull to the rest of what extract.Source says.
func (h Harness) contract(t *testing.T) {
	t.Run("emit's error is returned as it is, and ends the pull", func(t *testing.T) {
		t.Parallel()
		b := h.setup(t, simtls.Options{}, func(c *Connection) { c.Parallel = 1 })
		full := errors.New("the disk is full")
		calls := 0
		_, err := b.source.Pull(t.Context(), b.source.Live(), h.Request, func(*extract.Record) error {
			if calls++; calls == 3 {
				return full
			}
			return nil
		})
		require.Same(t, full, err)
		require.Equal(t, 3, calls)
		b.requireComplete(t, b.pull(t)) // the only slot is free again
	})
	t.Run("a feed that is none", func(t *testing.T) {
		t.Parallel()
		b := h.setup(t, simtls.Options{}, nil)
		p := pull(t, b.source, b.source.Live(), extract.Request{Feed: "no such feed", Day: h.Request.Day})
		require.Equal(t, extract.BadRequest, errorOf(t, p.err).Class)
		require.Zero(t, b.sim.Faults.Requests(""))
	})
	t.Run("never more requests in flight than allowed", h.politeness)
	t.Run("a recording says the same, and no beginning of it passes for all", h.recordings)
}

// politeness pulls many times at once from a server that takes its time.
func (h Harness) politeness(t *testing.T) {
	t.Parallel()
	const parallel, pulls = 3, 12 // three are held together below
	b := h.setup(t, simtls.Options{}, func(c *Connection) { c.Parallel = parallel })
	together := simfault.Together(parallel)
	b.sim.Faults.Next(b.sim.Path, together, together, together)
	b.sim.Faults.Always(b.sim.Path, simfault.Drip(h.CutAt, 20, time.Millisecond))
	var group errgroup.Group
	for range pulls {
		group.Go(func() error {
			answer, err := b.source.Pull(t.Context(), b.source.Live(), h.Request, func(*extract.Record) error { return nil })
			if err == nil && answer.Records != b.sim.Records {
				return errors.New("an answer is not complete")
			}
			return err
		})
	}
	require.NoError(t, group.Wait())
	require.Equal(t, pulls, b.sim.Faults.Requests(b.sim.Path))
	require.Equal(t, parallel, b.sim.Faults.MaxInFlight())
}

// recordings replays an answer as the spool does, whole and cut everywhere.
func (h Harness) recordings(t *testing.T) {
	t.Parallel()
	b := h.setup(t, simtls.Options{}, nil)
	tape := &recorder{live: b.source.Live(), path: b.sim.Path}
	b.requireComplete(t, pull(t, b.source, tape, h.Request))
	whole := tape.body.Bytes()
	require.Greater(t, len(whole), h.CutAt)

	p := pull(t, b.source, replay(whole), h.Request)
	b.requireComplete(t, p)
	require.Equal(t, int64(len(whole)), p.answer.Bytes)
	require.Equal(t, 1, b.sim.Faults.Requests(b.sim.Path), "a recording asks nobody")
	if h.NoEnd {
		return
	}
	end := bytes.LastIndex(whole, []byte(h.End)) + len(h.End)
	if h.End == "" {
		end = len(bytes.TrimRight(whole, " \r\n"))
	}
	step := max(1, end/100)
	for n := 0; n < end; n++ {
		if n > 20 && n < end-20 && n%step != 0 {
			continue
		}
		p := pull(t, b.source, replay(whole[:n]), h.Request)
		require.Error(t, p.err, "the first %d of %d bytes pass for an answer", n, end)
		require.Contains(t, []extract.Class{extract.Interrupted, extract.BadAnswer}, errorOf(t, p.err).Class)
	}
}

// recorder keeps the answer of a path that passes through it.
type recorder struct {
	live extract.Getter
	path string
	body bytes.Buffer
}

// Get asks live.
func (r *recorder) Get(ctx context.Context, q extract.Query) (*extract.Response, error) {
	response, err := r.live.Get(ctx, q)
	if err == nil && "/"+q.Path == r.path {
		response.Body = struct {
			io.Reader
			io.Closer
		}{io.TeeReader(response.Body, &r.body), response.Body}
	}
	return response, err
}
