package schedule

import (
	"time"

	"github.com/robfig/cron/v3"
)

// overGaps is a cron schedule that does not lose the firings of an hour that the
// clocks leave out: a job of 02:30 runs at 03:30 on that one night. Without it a
// source that shows only today would lose the day.
type overGaps struct {
	zone cron.Schedule // the specification in its time zone
	wall cron.Schedule // the same in UTC, whose clocks leave nothing out
	loc  *time.Location
}

// Next gives the first firing after t.
func (s overGaps) Next(t time.Time) time.Time {
	next := s.zone.Next(t)
	w := s.wall.Next(wallClock(t, s.loc))
	y, m, d := w.Date()
	made := time.Date(y, m, d, w.Hour(), w.Minute(), w.Second(), 0, s.loc)
	if w.IsZero() || wallClock(made, s.loc).Equal(w) || !made.After(t) {
		return next // no gap
	}
	if next.IsZero() || made.Before(next) {
		return made
	}
	return next
}

// wallClock is what the clocks in loc show at t, as if they were UTC's.
func wallClock(t time.Time, loc *time.Location) time.Time {
	t = t.In(loc)
	y, m, d := t.Date()
	return time.Date(y, m, d, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
}
