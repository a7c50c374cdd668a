package notify

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nicholas-fedor/shoutrrr/pkg/router"
	"github.com/nicholas-fedor/shoutrrr/pkg/types"
)

// Timeout is how long all the places together have for one message.
const Timeout = 20 * time.Second

var (
	errSlow = fmt.Errorf("no answer within %s", Timeout)
	errBusy = errors.New("the message before is still on its way")
)

// Place is where operators are told.
type Place struct {
	// Key names it where its URL must not be shown: notify[0].
	Key string
	// URL is one of shoutrrr's. It holds secrets.
	URL string
}

// Notifier sends messages to places.
type Notifier struct{ places []*place }

type place struct {
	key     string
	service types.Service
	redact  func(string) string
	sending chan struct{} // full while a message is on its way
}

// New makes a Notifier. It sends nothing; a URL that shoutrrr cannot read is an
// error, which names the place and not the URL.
func New(places []Place) (*Notifier, error) {
	n := &Notifier{}
	var faults []error
	for _, p := range places {
		redact := redactor(p.URL)
		service, err := (&router.ServiceRouter{}).Locate(p.URL)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: the URL is not one that can be sent to: %s", p.Key, redact(err.Error())))
			continue
		}
		n.places = append(n.places, &place{key: p.Key, service: service, redact: redact, sending: make(chan struct{}, 1)})
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return n, nil
}

// Result says what became of a message at one place.
type Result struct {
	Place string // its key
	Err   error  // nil when it was sent; holds no secret
}

// Send sends the text to all places at once, and waits for them no longer than
// Timeout and ctx.
func (n *Notifier) Send(ctx context.Context, text string) []Result {
	ctx, cancel := context.WithTimeoutCause(ctx, Timeout, errSlow)
	defer cancel()
	results := make([]Result, len(n.places))
	var wg sync.WaitGroup
	for i, p := range n.places {
		wg.Go(func() { results[i] = Result{p.key, p.send(ctx, text)} })
	}
	wg.Wait()
	return results
}

// send sends to one place. The library cannot be told to give up: what hangs in
// it is left behind, and until it has ended nothing more is sent there.
func (p *place) send(ctx context.Context, text string) error {
	select {
	case p.sending <- struct{}{}:
	default:
		return errBusy
	}
	done := make(chan error, 1)
	go func() {
		defer func() { <-p.sending }()
		defer func() {
			if r := recover(); r != nil {
				done <- fmt.Errorf("panic: %v", r)
			}
		}()
		done <- p.service.Send(text, &types.Params{})
	}()
	select {
	case err := <-done:
		if err != nil {
			return errors.New(p.redact(err.Error()))
		}
		return nil
	case <-ctx.Done():
		return context.Cause(ctx) //nolint:wrapcheck // says how long it took
	}
}
