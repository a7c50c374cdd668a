package schema_test

import (
	"encoding/json"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/meterhouse/meterhouse/schema"
)

func day(t *testing.T, s string) schema.Day {
	t.Helper()
	d, err := schema.ParseDay(s)
	require.NoError(t, err)
	return d
}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	require.NoError(t, err)
	return loc
}

func TestParseDay(t *testing.T) {
	t.Parallel()
	require.Equal(t, schema.Day(0), day(t, "1970-01-01"))
	require.Equal(t, schema.Day(20543), day(t, "2026-03-31"))
	require.Equal(t, "2024-02-29", day(t, "2024-02-29").String())
	for _, s := range []string{"", "2026-02-29", "2026-3-1", "31.03.2026", "2026-03-31T00:00:00Z", " 2026-03-31", "20260331"} {
		_, err := schema.ParseDay(s)
		require.ErrorContains(t, err, "YYYY-MM-DD", s)
	}
	require.Equal(t, schema.Day(1<<16-1), day(t, "2149-06-06"))
	for _, s := range []string{"1969-12-31", "2149-06-07", "0001-01-01"} { // a Date column would turn them into others
		_, err := schema.ParseDay(s)
		require.ErrorContains(t, err, "outside of 1970-01-01 to 2149-06-06", s)
	}
}

// TestDayOf names the day that a clock on the wall shows, not the one in UTC.
func TestDayOf(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, time.March, 31, 23, 30, 0, 0, time.UTC)
	for name, want := range map[string]string{
		"UTC": "2026-03-31", "Europe/Zurich": "2026-04-01", "America/New_York": "2026-03-31", "Pacific/Kiritimati": "2026-04-01",
	} {
		require.Equal(t, want, schema.DayOf(at, zone(t, name)).String(), name)
	}
}

// TestStartAndEnd covers days of 23 and 25 hours and one without a midnight.
func TestStartAndEnd(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		zone, day, start string
		hours            float64
	}{
		{"UTC", "2026-03-31", "2026-03-31T00:00:00Z", 24},
		{"Europe/Berlin", "2026-03-29", "2026-03-29T00:00:00+01:00", 23},
		{"Europe/Berlin", "2026-10-25", "2026-10-25T00:00:00+02:00", 25},
		{"America/Sao_Paulo", "2018-11-04", "2018-11-04T01:00:00-02:00", 23}, // midnight was skipped
		{"Australia/Lord_Howe", "2026-04-05", "2026-04-05T00:00:00+11:00", 24.5},
	} {
		loc, d := zone(t, test.zone), day(t, test.day)
		require.Equal(t, test.start, d.Start(loc).Format(time.RFC3339), test)
		require.InDelta(t, test.hours, d.End(loc).Sub(d.Start(loc)).Hours(), 0, test)
	}
}

// TestDayRoundTrips holds for every day that a Date column can have, in zones
// that treat midnight differently.
func TestDayRoundTrips(t *testing.T) {
	t.Parallel()
	zones := []*time.Location{time.UTC, zone(t, "America/Sao_Paulo"), zone(t, "Europe/Berlin"), zone(t, "Asia/Tehran"), zone(t, "Africa/Cairo")}
	rapid.Check(t, func(t *rapid.T) {
		d := schema.Day(rapid.Int32Range(0, 1<<16-1).Draw(t, "day"))
		loc := rapid.SampledFrom(zones).Draw(t, "zone")
		parsed, err := schema.ParseDay(d.String())
		require.NoError(t, err)
		require.Equal(t, d, parsed)
		require.Equal(t, d, schema.DayOf(d.UTC(), time.UTC))
		require.Equal(t, d, schema.DayOf(d.Start(loc), loc))
		require.Equal(t, d, schema.DayOf(d.End(loc).Add(-time.Nanosecond), loc))
	})
}

func TestDayInJSON(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(map[schema.Day]schema.Day{day(t, "2026-03-31"): day(t, "2026-04-01")})
	require.NoError(t, err)
	require.JSONEq(t, `{"2026-03-31":"2026-04-01"}`, string(text))

	var back map[schema.Day]schema.Day
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, map[schema.Day]schema.Day{day(t, "2026-03-31"): day(t, "2026-04-01")}, back)
	require.Error(t, json.Unmarshal([]byte(`"yesterday"`), new(schema.Day)))
}
