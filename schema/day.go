package schema

import (
	"fmt"
	"time"
)

// Day is a civil date in a source's own time zone, counted in days since
// 1970-01-01. It is a type of its own because an instant (time.Time) does not
// name a day until somebody says in which zone; a Day already did.
type Day int32

const dayLayout = "2006-01-02"

// lastDay is 2149-06-06, the last day that a Date column of ClickHouse holds; the
// first is Day 0.
const lastDay Day = 1<<16 - 1

// ParseDay reads a date written YYYY-MM-DD. It refuses days that the warehouse
// cannot hold: there they would turn into others.
func ParseDay(s string) (Day, error) {
	t, err := time.Parse(dayLayout, s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a date written YYYY-MM-DD", s)
	}
	d := DayOf(t, time.UTC)
	if d < 0 || d > lastDay {
		return 0, fmt.Errorf("%q is outside of %s to %s, the days that the warehouse can hold", s, Day(0), lastDay)
	}
	return d, nil
}

// DayOf is the civil date that clocks in loc show at the instant t.
func DayOf(t time.Time, loc *time.Location) Day {
	y, m, d := t.In(loc).Date()
	return Day(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400) //nolint:gosec // five million years fit
}

// String writes the day as YYYY-MM-DD.
func (d Day) String() string { return d.UTC().Format(dayLayout) }

// UTC is midnight UTC of the same calendar date: the form in which a Date
// column of ClickHouse takes it. It is not the instant at which the day began.
func (d Day) UTC() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// Start is the first instant of the day in loc. Where a clock change skips
// midnight it is the first instant after the gap.
func (d Day) Start(loc *time.Location) time.Time {
	y, m, dd := d.UTC().Date()
	t := time.Date(y, m, dd, 0, 0, 0, 0, loc)
	for DayOf(t, loc) < d { // midnight does not exist on this day
		t = t.Add(time.Hour)
	}
	return t
}

// End is the first instant of the following day in loc; days of 23 and 25
// hours come out right.
func (d Day) End(loc *time.Location) time.Time { return (d + 1).Start(loc) }

// MarshalText writes YYYY-MM-DD, so that JSON shows a date.
func (d Day) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads YYYY-MM-DD.
func (d *Day) UnmarshalText(b []byte) error {
	v, err := ParseDay(string(b))
	if err != nil {
		return err
	}
	*d = v
	return nil
}
