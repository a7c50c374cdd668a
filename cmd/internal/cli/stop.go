package cli

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"
)

// stopLimit is how long work in hand may go on after the first request to stop.
const stopLimit = 30 * time.Second

var (
	errInterrupted = errors.New("interrupted")
	errStopNow     = errors.New("interrupted twice")
	errStopLimit   = errors.New("interrupted, and the work in hand did not end within " + stopLimit.String())
)

// stop has two stages. soft ends at the first signal: begin nothing new. hard
// ends at the second, or when the limit has passed: let go of everything.
type stop struct {
	soft, hard context.Context //nolint:containedctx // this type is the life of the two contexts
	endSoft    context.CancelCauseFunc
	endHard    context.CancelCauseFunc
	insist     func() // called when the second stage begins
	done       chan struct{}
	finished   sync.WaitGroup
}

func newStop(parent context.Context, signals <-chan os.Signal, insist func()) *stop {
	s := &stop{insist: insist, done: make(chan struct{})}
	s.hard, s.endHard = context.WithCancelCause(parent)
	s.soft, s.endSoft = context.WithCancelCause(s.hard)
	s.finished.Go(func() { s.watch(signals) })
	return s
}

func (s *stop) watch(signals <-chan os.Signal) {
	select {
	case <-s.done:
		return
	case <-signals:
	}
	s.endSoft(errInterrupted)
	limit := time.NewTimer(stopLimit)
	defer limit.Stop()
	select {
	case <-s.done:
	case <-signals:
		s.endHard(errStopNow)
		s.insist()
	case <-limit.C:
		s.endHard(errStopLimit)
		s.insist()
	}
}

// asked reports whether somebody asked to stop.
func (s *stop) asked() bool { return s.soft.Err() != nil }

func (s *stop) release() {
	close(s.done)
	s.finished.Wait()
	s.endHard(nil)
}
