package normalise_test

import (
	"database/sql"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/etl/normalise"
	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/schema"
)

func zurich(tb testing.TB) *time.Location {
	tb.Helper()
	loc, err := time.LoadLocation("Europe/Zurich")
	require.NoError(tb, err)
	return loc
}

func text(s string) extract.Value { return extract.Value{Kind: extract.Text, Bytes: []byte(s)} }

func number(s string) extract.Value { return extract.Value{Kind: extract.Number, Bytes: []byte(s)} }

// device is a record with one more column.
func device(col int, v extract.Value) *extract.Record {
	rec := &extract.Record{Ordinal: 1, Values: make([]extract.Value, extract.MeteringColumns)}
	rec.Values[extract.MeteringDevice] = text("PC")
	rec.Values[col] = v
	return rec
}

func TestMeteringGolden(t *testing.T) {
	t.Parallel()
	n := normalise.NewMetering(normalise.MeteringOptions{Location: zurich(t)})
	var outcomes []outcome
	var row schema.MeteringDetail
	for i, tr := range testRecords(t, "metering_details.json") {
		err := n.Row(record(t, i+1, string(tr.Record), meteringColumns()), &row)
		outcomes = append(outcomes, outcomeOf(t, tr.About, row, err))
	}
	requireGolden(t, "metering_details.golden.json", outcomes)
	require.EqualValues(t, 2, n.UnreadableDates())
}

func TestMeteringAverages(t *testing.T) {
	t.Parallel()

	f := func(v extract.Value, comma bool, want any) {
		t.Helper()
		n := normalise.NewMetering(normalise.MeteringOptions{DecimalComma: comma})
		var row schema.MeteringDetail
		err := n.Row(device(extract.MeteringAvgUsage, v), &row)
		switch want := want.(type) {
		case string:
			require.EqualError(t, err, want)
		case nil:
			require.NoError(t, err)
			require.False(t, row.AvgUsageSeconds.Valid)
		case float64:
			require.NoError(t, err)
			require.Equal(t, sql.Null[float64]{V: want, Valid: true}, row.AvgUsageSeconds)
		}
	}

	f(number("0"), false, 0.0)
	f(number("-0.0"), false, 0.0)
	f(number("12.25"), false, 12.25)
	f(number("1.5e3"), false, 1500.0)
	f(number("12.25"), true, 12.25) // JSON has only one decimal mark
	f(text(" 12.25 "), false, 12.25)
	f(text("12,25"), true, 12.25)
	f(text("12"), true, 12.0)

	f(extract.Value{}, false, nil)
	f(extract.Value{Kind: extract.Null}, false, nil)
	for _, s := range []string{"", " ", "-", "N/A", "n/a"} {
		f(text(s), false, nil)
	}

	f(number("-1"), false, "avg_usage_seconds is -1, which is not a number of at least 0")
	f(text("-0.5"), false, `avg_usage_seconds is "-0.5", which is not a number of at least 0`)
	f(text("1.234"), true, `avg_usage_seconds is "1.234", in which the dot may separate thousands`)
	f(extract.Value{Kind: extract.Bool, Bytes: []byte("true")}, false, "avg_usage_seconds is true, which is not a number")
	for _, s := range []string{"NaN", "inf", "1e999", "0x1p4", "1_000", "12,25", "1 000", "12 s", "."} {
		f(text(s), false, `avg_usage_seconds is "`+s+`", which is not a number of at least 0`)
	}
	f(text("1,234,567"), true, `avg_usage_seconds is "1,234,567", which is not a number of at least 0`)
}

func TestMeteringDates(t *testing.T) {
	t.Parallel()

	f := func(v extract.Value, want string) {
		t.Helper()
		n := normalise.NewMetering(normalise.MeteringOptions{Location: zurich(t)})
		var row schema.MeteringDetail
		require.NoError(t, n.Row(device(extract.MeteringLastActivity, v), &row))
		require.True(t, row.LastActivity.Valid, "%s", v.Bytes)
		require.Equal(t, want, row.LastActivity.V.Format(time.RFC3339Nano), "%s", v.Bytes)
		require.Empty(t, row.Extra)
		require.Zero(t, n.UnreadableDates())
	}

	f(text("2026-03-04T16:20:11Z"), "2026-03-04T16:20:11Z")
	f(text("2026-03-04T16:20:11.999Z"), "2026-03-04T16:20:11Z")
	f(text("2026-03-04T16:20:11+02:00"), "2026-03-04T14:20:11Z")
	f(text("2026-03-04T16:20:11-0530"), "2026-03-04T21:50:11Z")
	f(text("2026-03-04T16:20:11.5+0000"), "2026-03-04T16:20:11Z")

	// What names no zone is in the portal's, summer and winter.
	f(text("2026-03-04T16:20:11"), "2026-03-04T15:20:11Z")
	f(text("2026-07-04T16:20:11.123"), "2026-07-04T14:20:11Z")
	f(text("2026-03-04 16:20:11"), "2026-03-04T15:20:11Z")
	f(text("2026-03-04 16:20"), "2026-03-04T15:20:00Z")
	f(text(" 2026-03-04 "), "2026-03-03T23:00:00Z")
	f(text("2026-07-04"), "2026-07-03T22:00:00Z")

	f(number("1772637611"), "2026-03-04T15:20:11Z")
	f(text("1772637611"), "2026-03-04T15:20:11Z")
	f(number("1772637611999"), "2026-03-04T15:20:11Z")
}

func TestMeteringDateBeginsItsDayWhereMidnightIsSkipped(t *testing.T) {
	t.Parallel()
	loc, err := time.LoadLocation("America/Sao_Paulo")
	require.NoError(t, err)
	n := normalise.NewMetering(normalise.MeteringOptions{Location: loc})
	var row schema.MeteringDetail
	require.NoError(t, n.Row(device(extract.MeteringFirstSeen, text("2018-11-04")), &row))
	require.Equal(t, "2018-11-04T01:00:00-02:00", row.FirstSeen.V.In(loc).Format(time.RFC3339))
}

func TestMeteringDatesWithAConfiguredLayout(t *testing.T) {
	t.Parallel()

	f := func(layout, date, want string) {
		t.Helper()
		n := normalise.NewMetering(normalise.MeteringOptions{Location: zurich(t), DateLayout: layout})
		var row schema.MeteringDetail
		require.NoError(t, n.Row(device(extract.MeteringFirstSeen, text(date)), &row))
		require.True(t, row.FirstSeen.Valid)
		require.Equal(t, want, row.FirstSeen.V.Format(time.RFC3339))
	}

	f("02/01/2006 15:04", "05/01/2025 10:00", "2025-01-05T09:00:00Z")
	f("01/02/2006 15:04", "05/01/2025 10:00", "2025-05-01T08:00:00Z")
	f("0601021504", "2501051000", "2025-01-05T09:00:00Z") // ten digits, and no seconds since 1970
	f("02/01/2006 15:04", "2025-01-05", "2025-01-04T23:00:00Z")

	// First date with package may be a date alone, last activity of the same
	// portal not.
	f("02/01/2006 15:04", "05/01/2025", "2025-01-04T23:00:00Z")
	f("02.01.2006, 3:04 PM", "05.01.2025", "2025-01-04T23:00:00Z")
	f("2 Jan 2006 03:04:05 PM", "5 Jan 2025", "2025-01-04T23:00:00Z")
	f("02/01/2006", "05/01/2025", "2025-01-04T23:00:00Z")
	f("15:04 02/01/2006", "10:00 05/01/2025", "2025-01-05T09:00:00Z")
}

func TestMeteringUnreadableDatesAreNullAndKept(t *testing.T) {
	t.Parallel()

	f := func(v extract.Value, wantExtra string) {
		t.Helper()
		n := normalise.NewMetering(normalise.MeteringOptions{Location: zurich(t)})
		var row schema.MeteringDetail
		require.NoError(t, n.Row(device(extract.MeteringFirstSeen, v), &row))
		require.False(t, row.FirstSeen.Valid)
		require.Equal(t, wantExtra, row.Extra)
		require.EqualValues(t, 1, n.UnreadableDates())
	}

	for _, s := range []string{
		"05/01/2025", "01-05-2025", "never", "2025-13-01", "2025-02-30", "2025-01-05T25:00:00Z", "2025-1-5", "20250105",
		"1970-01-01", "1970-01-01T00:00:00Z", "0000000000", "2200-01-01", "99999999999", "16:20",
	} {
		f(text(s), `{"first_seen":"`+s+`"}`)
	}
	f(number("17360316"), `{"first_seen":17360316}`)
	f(extract.Value{Kind: extract.Bool, Bytes: []byte("true")}, `{"first_seen":true}`)
	f(extract.Value{Kind: extract.JSON, Bytes: []byte(`{"year": 2025}`)}, `{"first_seen":{"year":2025}}`)
}

func TestMeteringMissingDatesAreNull(t *testing.T) {
	t.Parallel()
	n := normalise.NewMetering(normalise.MeteringOptions{})
	for _, v := range []extract.Value{{}, {Kind: extract.Null}, text(""), text(" "), text("-"), text("N/A")} {
		var row schema.MeteringDetail
		require.NoError(t, n.Row(device(extract.MeteringLastActivity, v), &row))
		require.False(t, row.LastActivity.Valid)
		require.Empty(t, row.Extra)
	}
	require.Zero(t, n.UnreadableDates())
}

func TestMeteringExtraIsOneSortedObject(t *testing.T) {
	t.Parallel()

	f := func(want string, fields ...extract.Field) {
		t.Helper()
		rec := device(extract.MeteringEntity, text("e"))
		rec.Extra = fields
		var row schema.MeteringDetail
		require.NoError(t, normalise.NewMetering(normalise.MeteringOptions{}).Row(rec, &row))
		require.Equal(t, want, row.Extra)
		require.True(t, want == "" || json.Valid([]byte(row.Extra)))
	}

	raw := func(s string) extract.Value { return extract.Value{Kind: extract.JSON, Bytes: []byte(s)} }
	f("")
	f("", extract.Field{Name: "gone"})
	f(`{"":"x"}`, extract.Field{Value: text("x")})
	f(`{"a":1.50,"b":"x","c":null}`,
		extract.Field{Name: "c", Value: extract.Value{Kind: extract.Null}},
		extract.Field{Name: "a", Value: number("1.50")},
		extract.Field{Name: "b", Value: text("x")})
	f(`{"a":{"x":[1,2]}}`, extract.Field{Name: "a", Value: raw("{\"x\": [1,\n2]}")})
	f(`{"a":"{broken"}`, extract.Field{Name: "a", Value: raw("{broken")})
	f(`{"a\ufffd":"\ufffd"}`, extract.Field{Name: "a\xff", Value: text("\xff")})
	f("{\"a\":[\"\uFFFD\"]}", extract.Field{Name: "a", Value: raw("[\"\xff\"]")})
	f(`{"a":"1","a#2":"2","a#3":"3"}`,
		extract.Field{Name: "a", Value: text("1")}, extract.Field{Name: "a", Value: text("2")}, extract.Field{Name: "a", Value: text("3")})
}

func TestMeteringKeepsAnUnreadableDateBesideAKeyOfItsName(t *testing.T) {
	t.Parallel()
	rec := device(extract.MeteringFirstSeen, text("never"))
	rec.Extra = []extract.Field{{Name: "first_seen", Value: text("x")}}
	var row schema.MeteringDetail
	require.NoError(t, normalise.NewMetering(normalise.MeteringOptions{}).Row(rec, &row))
	require.JSONEq(t, `{"first_seen":"x","first_seen#2":"never"}`, row.Extra)
}

func TestMeteringOverwritesTheRow(t *testing.T) {
	t.Parallel()
	n := normalise.NewMetering(normalise.MeteringOptions{Location: zurich(t)})
	var row schema.MeteringDetail
	full := `{"device":"a","entity":"e","avg_usage":1,"avg_executions":1,"first_seen":"2025-01-05","last_activity":"2025-01-05",
		"binaries":["x.exe","y.exe"],"more":1}`
	require.NoError(t, n.Row(record(t, 1, full, meteringColumns()), &row))
	require.Len(t, row.Binaries, 2)
	require.NoError(t, n.Row(record(t, 2, `{"device":"b"}`, meteringColumns()), &row))
	require.Empty(t, row.Binaries)
	require.Empty(t, row.BinariesUsed)
	row.Binaries, row.BinariesUsed = nil, nil
	require.Equal(t, schema.MeteringDetail{Device: "b", Ordinal: 2}, row)
}

func FuzzMeteringAverage(f *testing.F) {
	for _, seed := range []string{"0", "-0", "1.5", "1,5", "1e308", "1e309", "NaN", "0x1p4", "-", "1_0"} {
		f.Add(seed, false)
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, s string, comma bool) {
		var row schema.MeteringDetail
		n := normalise.NewMetering(normalise.MeteringOptions{DecimalComma: comma})
		if n.Row(device(extract.MeteringAvgUsage, text(s)), &row) != nil || !row.AvgUsageSeconds.Valid {
			return
		}
		again, err := json.Marshal(row.AvgUsageSeconds.V) // fails for NaN and infinity
		require.NoError(t, err)
		require.NotEqual(t, byte('-'), again[0], "neither negative nor minus zero")
	})
}

func FuzzMeteringDate(f *testing.F) {
	for _, seed := range []string{"2025-01-05", "2025-01-05T10:00:00Z", "1772637611", "1772637611999", "9999999999999", "05/01/2025", "", "\xff"} {
		f.Add(seed)
	}
	loc := zurich(f)
	f.Fuzz(func(t *testing.T, s string) {
		var row schema.MeteringDetail
		n := normalise.NewMetering(normalise.MeteringOptions{Location: loc})
		require.NoError(t, n.Row(device(extract.MeteringFirstSeen, text(s)), &row))
		if row.FirstSeen.Valid {
			require.Positive(t, row.FirstSeen.V.Unix())
			require.Less(t, row.FirstSeen.V.Unix(), int64(1)<<32)
			require.Empty(t, row.Extra)
		} else if n.UnreadableDates() > 0 {
			require.True(t, json.Valid([]byte(row.Extra)), row.Extra)
		}
	})
}
