package nexthink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/meterhouse/meterhouse/extract"
)

const (
	enginesPath = "api/configuration/v1/engines"
	// enginesLimit bounds the answer about the engines; each takes some hundred bytes.
	enginesLimit = 4 << 20
	// enginesTimeout bounds the wait for it: it is worth less than the devices.
	enginesTimeout = 30 * time.Second
	// enginesKept is how long it holds, so that the feeds of one pass share it.
	enginesKept = 5 * time.Minute
)

// engine is one entry of the answer of Nexthink's List Engines API.
type engine struct {
	Name     string `json:"name"`
	Status   string `json:"status"` // CONNECTED, DISCONNECTED or CONNECTING
	Timezone string `json:"timezone"`
	Version  string `json:"version"`
}

func (e engine) connected() bool { return strings.EqualFold(e.Status, "CONNECTED") }

// engineList is what the Portal said last of its engines, for all feeds.
type engineList struct {
	lock    chan struct{} // held while the Portal is asked, so that one feed does it for all
	at      time.Time     // when it was asked, zero for never
	engines []engine
	err     error // why they are not known
	said    bool  // the operator was told so
}

func newEngineList() *engineList { return &engineList{lock: make(chan struct{}, 1)} }

// get gives the list, and asks for it when what is known is too old.
func (l *engineList) get(ctx context.Context, ask func(context.Context) ([]engine, error)) ([]engine, error) {
	select {
	case l.lock <- struct{}{}:
		defer func() { <-l.lock }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if l.at.IsZero() || time.Since(l.at) > enginesKept {
		engines, err := ask(ctx)
		if ctx.Err() != nil {
			return engines, err // it was our doing: nothing was learned
		}
		l.at, l.engines, l.err = time.Now(), engines, err
	}
	return l.engines, l.err
}

// firstUnknown tells whether the list could not be had for the first time since
// it could. It is for the one that holds the lock.
func (l *engineList) firstUnknown(err error) bool {
	first := err != nil && !l.said
	l.said = err != nil
	return first
}

// askEngines marks the answer as partial when the Portal is not connected to
// one of its engines: that engine's devices may be missing from it, or old. The
// account may well not be allowed to see the engines; then there is no mark, and
// one note about it.
//
// The list is asked for through the same Getter, and after the devices. So a
// recording of the pull holds both in this order, or, when the list was known
// already, the devices alone: replayed, the list is there or an error, but never
// the wrong answer. A replay is about its own moment and leaves what is known of
// now alone.
func (s *Source) askEngines(ctx context.Context, via extract.Getter, answer *extract.Answer) {
	ask := func(ctx context.Context) ([]engine, error) { return s.readEngines(ctx, via, answer) }
	var engines []engine
	var err error
	if replay := answer.Requests == 0; replay {
		engines, err = ask(ctx)
	} else {
		engines, err = s.engines.get(ctx, func(ctx context.Context) ([]engine, error) {
			engines, err := ask(ctx)
			if s.engines.firstUnknown(err) {
				answer.Notes = append(answer.Notes, "it is not known whether the portal is connected to all its engines, and no load is marked as partial: "+err.Error())
			}
			return engines, err
		})
	}
	if err == nil {
		answer.Partial = missing(engines, s.secrets())
	}
}

// missing is the sentence about the engines that are not connected, "" when all are.
func missing(engines []engine, secrets []string) string {
	var names []string
	for _, e := range engines {
		if !e.connected() {
			names = append(names, fmt.Sprintf("%.60q is %.20s", redact(e.Name, secrets), redact(e.Status, secrets)))
		}
	}
	if len(names) == 0 {
		return ""
	}
	slices.Sort(names)
	shown, rest := names, ""
	if more := len(names) - namesInNote; more > 0 {
		shown, rest = names[:namesInNote], fmt.Sprintf(" and %d more", more)
	}
	return fmt.Sprintf("the portal has lost %d of its %d engines, so that devices may be missing or old: %s%s",
		len(names), len(engines), strings.Join(shown, ", "), rest)
}

// readEngines asks for the list and adds what that took to the answer.
func (s *Source) readEngines(ctx context.Context, via extract.Getter, answer *extract.Answer) ([]engine, error) {
	ctx, cancel := context.WithTimeout(ctx, enginesTimeout)
	defer cancel()
	resp, err := via.Get(ctx, extract.Query{
		Path: enginesPath, Accept: "application/json", Doing: fmt.Sprintf("asking %q for its engines", s.o.Name),
	})
	var refused *extract.Error
	if errors.As(err, &refused) {
		answer.Requests += refused.Attempts
		withoutHint := *refused // its advice is for targets
		withoutHint.Hint = ""
		return nil, &withoutHint
	}
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, enginesLimit))
	answer.Requests += resp.Attempts
	answer.Bytes += int64(len(body))
	if err != nil {
		return nil, fmt.Errorf("reading the list of engines: %w", err)
	}
	var engines []engine
	if err := json.Unmarshal(body, &engines); err != nil || slices.ContainsFunc(engines, func(e engine) bool { return e.Status == "" }) {
		return nil, errors.New("the list of engines is not the array that is documented")
	}
	return engines, nil
}
