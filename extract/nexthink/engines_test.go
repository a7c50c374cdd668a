package nexthink_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/extract/extracttest/simfault"
	"github.com/meterhouse/meterhouse/extract/nexthink"
	"github.com/meterhouse/meterhouse/extract/nexthink/nexthinktest"
)

func ignore(*extract.Record) error { return nil }

// An engine that the Portal has lost does not stop the pull; it marks it.
func TestPartialAnswer(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ engines, want string }{
		"no engines":    {`[]`, ""},
		"all connected": {`[{"name":"emea","status":"CONNECTED"},{"name":"apac","status":"Connected"}]`, ""},
		"one lost": {
			`[{"name":"emea","status":"DISCONNECTED"},{"name":"apac","status":"CONNECTED"}]`,
			`the portal has lost 1 of its 2 engines, so that devices may be missing or old: "emea" is DISCONNECTED`,
		},
		"two lost": {
			`[{"name":"emea","status":"DISCONNECTED"},{"name":"apac","status":"CONNECTING"}]`,
			`the portal has lost 2 of its 2 engines, so that devices may be missing or old: "apac" is CONNECTING, "emea" is DISCONNECTED`,
		},
		"a name that says too much": {
			`[{"name":"` + password + `","status":"DISCONNECTED"}]`,
			`the portal has lost 1 of its 1 engines, so that devices may be missing or old: "***" is DISCONNECTED`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, nexthinktest.Options{Devices: 300})
			b.portal.Faults.Always(nexthinktest.EnginesPath, simfault.Body("application/json", tc.engines))
			records, answer, err := b.pull(t, "visio/installed")
			require.NoError(t, err)
			require.NotEmpty(t, records)
			require.Equal(t, tc.want, answer.Partial)
			require.Empty(t, answer.Notes)
		})
	}
}

// All feeds of a pass share one request for the engines.
func TestEnginesAreAskedForOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, nexthinktest.Options{Devices: 300})
	b.options.Parallel = 4
	b.portal.SetEngine("emea", "CONNECTING")
	s := b.source(t)
	var wg sync.WaitGroup
	requests := make(chan int, 10)
	for i := range cap(requests) {
		wg.Go(func() {
			answer, err := s.Pull(t.Context(), s.Live(), extract.Request{Feed: "visio/" + []string{"installed", "underusage"}[i%2]}, ignore)
			if err != nil || answer.Partial == "" {
				t.Errorf("pull %d: %v, partial %q", i, err, answer.Partial)
			}
			requests <- answer.Requests
		})
	}
	wg.Wait()
	close(requests)
	sum := 0
	for n := range requests {
		sum += n
	}
	require.Equal(t, cap(requests)+1, sum)
	require.Equal(t, 1, b.portal.Faults.Requests(nexthinktest.EnginesPath))
}

// A list that is forbidden, absent or not understood marks nothing, and is
// talked about once.
func TestEnginesThatAreNotKnown(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		fault simfault.Fault
		says  string
	}{
		"forbidden": {simfault.Status(http.StatusForbidden, "no"), `asking "hq" for its engines: HTTP status 403: the server says "no"`},
		"absent":    {simfault.Status(http.StatusNotFound, ""), "HTTP status 404"},
		"login":     {simfault.Body("text/html", "<html>"), "not the array that is documented"},
		"other":     {simfault.Body("application/json", `[{"device":"PC1"}]`), "not the array that is documented"},
		"cut":       {simfault.CutAfter(10), "the answer broke off"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, nexthinktest.Options{Devices: 300})
			b.portal.SetEngine("emea", "DISCONNECTED")
			b.portal.Faults.Always(nexthinktest.EnginesPath, tc.fault)
			s := b.source(t)
			answer, err := s.Pull(t.Context(), s.Live(), extract.Request{Feed: "visio/installed"}, ignore)
			require.NoError(t, err)
			require.Empty(t, answer.Partial)
			require.Len(t, answer.Notes, 1)
			require.Contains(t, answer.Notes[0], "no load is marked as partial: ")
			require.Contains(t, answer.Notes[0], tc.says)
			require.NotContains(t, answer.Notes[0], "discovery tool")
			answer, err = s.Pull(t.Context(), s.Live(), extract.Request{Feed: "visio/installed"}, ignore)
			require.NoError(t, err)
			require.Empty(t, answer.Notes)
			require.Equal(t, 1, b.portal.Faults.Requests(nexthinktest.EnginesPath))
		})
	}
}

// Who may not read the metering is not asked about the engines: every further
// request with a wrong password brings the account nearer to being locked.
func TestEnginesAreNotAskedForAfterAFault(t *testing.T) {
	t.Parallel()
	for _, fault := range []simfault.Fault{
		simfault.Status(http.StatusUnauthorized, ""), simfault.Body("text/html", "<html>"), simfault.CutAfter(10),
	} {
		b := setup(t, nexthinktest.Options{Devices: 300})
		b.portal.Faults.Always(nexthinktest.DetailsPath, fault)
		_, _, err := b.pull(t, "visio/installed")
		require.Error(t, err)
		require.Zero(t, b.portal.Faults.Requests(nexthinktest.EnginesPath))
	}
}

// tape answers from recorded bodies in their order, whatever is asked.
type tape struct {
	bodies   []string
	attempts int // 1 as a live server would, 0 as a replay
	next     int
}

var errTapeEnds = errors.New("the tape ends")

func (t *tape) Get(context.Context, extract.Query) (*extract.Response, error) {
	if t.next == len(t.bodies) {
		return nil, errTapeEnds
	}
	t.next++
	return &extract.Response{
		Status: http.StatusOK, Attempts: t.attempts, Body: io.NopCloser(bytes.NewReader([]byte(t.bodies[t.next-1]))),
	}, nil
}

const (
	lost  = `[{"name":"emea","status":"DISCONNECTED"}]`
	found = `[{"name":"emea","status":"CONNECTED"}]`
)

// A recording says what it said, with or without the engines; what the source
// knows of now neither goes into a replay nor comes from one.
func TestReplayAndTheEngines(t *testing.T) {
	t.Parallel()
	b := setup(t, nexthinktest.Options{})
	s := b.source(t)
	pull := func(tape *tape) extract.Answer {
		answer, err := s.Pull(t.Context(), tape, extract.Request{Feed: "visio/installed"}, ignore)
		require.NoError(t, err)
		require.Empty(t, answer.Notes)
		return answer
	}
	require.NotEmpty(t, pull(&tape{bodies: []string{"[]", lost}}).Partial)
	require.Empty(t, pull(&tape{bodies: []string{"[]", found}, attempts: 1}).Partial, "the replay was of another time")
	require.NotEmpty(t, pull(&tape{bodies: []string{"[]", lost}}).Partial)
	require.Empty(t, pull(&tape{bodies: []string{"[]"}}).Partial, "a recording of the devices alone")
}

// What is known of the engines is not known for ever: the daemon's next pass
// asks again, and so does the one after a failure.
func TestEnginesAreAskedForAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, err := nexthink.New(setupOptions(t))
		require.NoError(t, err)
		pull := func(bodies ...string) (*tape, extract.Answer) {
			tape := &tape{bodies: append([]string{"[]"}, bodies...), attempts: 1}
			answer, err := s.Pull(t.Context(), tape, extract.Request{Feed: "visio/installed"}, ignore)
			require.NoError(t, err)
			return tape, answer
		}
		later := func() { <-time.After(time.Hour) }
		_, answer := pull(lost)
		require.NotEmpty(t, answer.Partial)
		used, answer := pull(found)
		require.NotEmpty(t, answer.Partial)
		require.Equal(t, 1, used.next)
		later()
		_, answer = pull(found)
		require.Empty(t, answer.Partial)
		later()
		_, answer = pull("not json")
		require.Len(t, answer.Notes, 1)
		later()
		_, answer = pull("still not json")
		require.Empty(t, answer.Notes)
		later()
		_, answer = pull(lost)
		require.NotEmpty(t, answer.Partial)
		later()
		_, answer = pull("not json")
		require.Len(t, answer.Notes, 1, "it was known meanwhile")
		s.Close()
	})
}
