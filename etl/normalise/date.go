package normalise

import (
	"bytes"
	"database/sql"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/schema"
)

// date reads an instant that may be missing. One that is there and cannot be
// read is counted and kept in extra under name.
func (n *Metering) date(v extract.Value, name string) sql.Null[time.Time] {
	if notAvailable(v) {
		return sql.Null[time.Time]{}
	}
	if t, ok := n.parseDate(v); ok && storable(t) {
		return sql.Null[time.Time]{V: t.Truncate(time.Second).UTC(), Valid: true}
	}
	n.unreadable++
	n.extra.add(name, v)
	return sql.Null[time.Time]{}
}

// parseDate reads the configured layout and the forms that can be read in one
// way only: RFC 3339, also without seconds' fraction, zone or its colon;
// "2006-01-02 15:04[:05]"; "2006-01-02"; seconds (10 digits) and milliseconds
// (13 digits) since 1970. What names no zone is in the portal's; a day without
// a time is the instant at which it begins there.
func (n *Metering) parseDate(v extract.Value) (time.Time, bool) {
	if v.Kind != extract.Text && v.Kind != extract.Number {
		return time.Time{}, false
	}
	s := string(bytes.TrimSpace(v.Bytes))
	for _, layout := range n.layouts {
		if t, err := time.ParseInLocation(layout, s, n.options.Location); err == nil {
			return t, true
		}
	}
	if t, ok := parseEpoch(s); ok {
		return t, true
	}
	if day, err := schema.ParseDay(s); err == nil {
		return day.Start(n.options.Location), true
	}
	for _, layout := range [...]string{
		time.DateTime,
		"2006-01-02T15:04:05Z07:00", // Go reads a fraction after seconds unasked
		"2006-01-02T15:04:05Z0700",
		"2006-01-02T15:04:05",
		"2006-01-02 15:04",
	} {
		if t, err := time.ParseInLocation(layout, s, n.options.Location); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// dateLayouts are the forms that a configured layout stands for: itself, and
// its part before the time of day, for a portal writes the date of the package
// without one.
func dateLayouts(layout string) []string {
	if layout == "" {
		return nil
	}
	layouts := []string{layout}
	for _, hour := range [...]string{"15", "03:", "3:"} { // nothing in a date is written so
		date, _, found := strings.Cut(layout, hour)
		date = strings.TrimRight(date, " ,T")
		if found && date != "" {
			return append(layouts, date)
		}
	}
	return layouts
}

// parseEpoch reads seconds or milliseconds since 1970, told apart by their
// length, which holds from 2001 to 2286.
func parseEpoch(s string) (time.Time, bool) {
	if len(s) != 10 && len(s) != 13 {
		return time.Time{}, false
	}
	n, err := strconv.ParseUint(s, 10, 63)
	switch {
	case err != nil:
		return time.Time{}, false
	case len(s) == 10:
		return time.Unix(int64(n), 0), true
	default:
		return time.UnixMilli(int64(n)), true
	}
}

// storable reports whether a DateTime column can hold t: after 1970, whose
// first second programs write for "never", and before 2106.
func storable(t time.Time) bool { return t.Unix() > 0 && t.Unix() <= math.MaxUint32 }
