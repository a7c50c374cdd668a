// Package schedule fires jobs at the times of cron specifications, each in its
// own time zone. It is the only user of the cron library.
package schedule

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/robfig/cron/v3"
	"go.uber.org/zap"
)

// Job is something to do again and again.
type Job struct {
	Name string
	// Spec is a standard cron specification of five fields, read in Location.
	Spec     string
	Location *time.Location
	// AtOnce has the job run once when the scheduler starts, too.
	AtOnce bool
	// Run does the work once. A firing while it still runs is skipped; a panic
	// in it is logged and ends only that run.
	Run func()
}

// Next gives the first firing of the specification after the instant from.
func Next(spec string, loc *time.Location, from time.Time) (time.Time, error) {
	s, err := parse(spec, loc)
	if err != nil {
		return time.Time{}, err
	}
	return s.Next(from), nil
}

// lookBack is how far Last searches for a firing.
const lookBack = 366 * 24 * time.Hour

// Last gives the latest firing of the specification at or before the instant
// at; zero when there was none within a year.
func Last(spec string, loc *time.Location, at time.Time) (time.Time, error) {
	s, err := parse(spec, loc)
	if err != nil {
		return time.Time{}, err
	}
	// The library only knows the next firing, so widen the window until it
	// holds one, then walk through it.
	for window := time.Hour; window <= 2*lookBack; window *= 2 {
		var last time.Time
		for t := s.Next(at.Add(-window)); !t.IsZero() && !t.After(at); t = s.Next(t) {
			last = t
		}
		if !last.IsZero() {
			return last, nil
		}
	}
	return time.Time{}, nil
}

func parse(spec string, loc *time.Location) (cron.Schedule, error) {
	zone, err := cron.ParseStandard("CRON_TZ=" + loc.String() + " " + spec)
	if err != nil {
		return nil, fmt.Errorf("reading the schedule %q: %w", spec, err)
	}
	wall, err := cron.ParseStandard("CRON_TZ=UTC " + spec)
	if err != nil {
		return nil, fmt.Errorf("reading the schedule %q: %w", spec, err)
	}
	return overGaps{zone, wall, loc}, nil
}

// Run fires the jobs until ctx ends, then waits for the runs in hand: ending
// those sooner is their own business.
func Run(ctx context.Context, jobs []Job, log *zap.Logger) error {
	adapter := cronLog{log.Sugar()}
	// Skip outside Recover: the other way round a panic would keep the token
	// that Skip took, and the job would be skipped for ever.
	c := cron.New(cron.WithLogger(adapter),
		cron.WithChain(cron.SkipIfStillRunning(adapter), cron.Recover(adapter)))
	var atOnce []cron.Job
	for _, j := range jobs {
		s, err := parse(j.Spec, j.Location)
		if err != nil {
			return fmt.Errorf("scheduling %s: %w", j.Name, err)
		}
		// The chain is per job: Skip looks only at runs of the same job.
		id := c.Schedule(s, cron.FuncJob(j.Run))
		if j.AtOnce {
			atOnce = append(atOnce, c.Entry(id).WrappedJob)
		}
		log.Info("scheduled", zap.String("source", j.Name), zap.String("spec", j.Spec),
			zap.Stringer("timezone", j.Location), zap.Time("next", s.Next(time.Now())))
	}
	c.Start()
	var first sync.WaitGroup
	for _, j := range atOnce {
		first.Go(j.Run) // wrapped: a firing meanwhile is skipped
	}
	<-ctx.Done()
	<-c.Stop().Done()
	first.Wait()
	return nil
}

// cronLog lets the library's words land in our log: routine ones at debug.
type cronLog struct{ log *zap.SugaredLogger }

func (l cronLog) Info(msg string, kv ...any) {
	if msg == "skip" {
		l.log.Warnw("skipped a firing, because the run before has not ended", kv...)
		return
	}
	l.log.Debugw(msg, kv...)
}

func (l cronLog) Error(err error, msg string, kv ...any) {
	l.log.Errorw(msg, append(kv, "error", err)...)
}
