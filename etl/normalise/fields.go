package normalise

import (
	"bytes"
	"database/sql"
	"fmt"
	"math"

	"github.com/meterhouse/meterhouse/extract"
)

// fields reads the values of one record. The first value that cannot be used
// is kept as reject; what is read after it no longer counts.
type fields struct {
	values  []extract.Value
	strings *interner
	reject  *Reject
}

func (f *fields) fail(format string, args ...any) {
	if f.reject == nil {
		f.reject = &Reject{Reason: fmt.Sprintf(format, args...)}
	}
}

// text reads a string as given. Absent and null are "", numbers and booleans
// are taken as written; an object or array is refused.
func (f *fields) text(col int, name string) string {
	v := f.values[col]
	switch v.Kind {
	case extract.Absent, extract.Null:
		return ""
	case extract.JSON:
		f.fail("%s is %s, which is not text", name, shown(v))
		return ""
	default:
		return f.strings.get(v.Bytes)
	}
}

// attribute reads a string for which "-" says that there is no value.
func (f *fields) attribute(col int, name string) string {
	if noValue(f.values[col]) {
		return ""
	}
	return f.text(col, name)
}

// integer reads a number that must be there.
func (f *fields) integer(col int, name string, low, high int64) int64 {
	v := f.values[col]
	switch {
	case v.Kind == extract.Absent:
		f.fail("%s is missing", name)
		return 0
	case v.Kind != extract.Number && v.Kind != extract.Text:
		f.fail("%s is %s, which is not a number", name, shown(v))
		return 0
	}
	n, ok := parseInteger(bytes.TrimSpace(v.Bytes))
	if !ok || n < low || n > high {
		f.fail("%s is %s, which is not a whole number from %d to %d", name, shown(v), low, high)
		return 0
	}
	return n
}

// id reads an identifier that must be there; any 64-bit number will do.
func (f *fields) id(col int, name string) int64 {
	return f.integer(col, name, math.MinInt64, math.MaxInt64)
}

// idOrZero reads an identifier that may be missing.
func (f *fields) idOrZero(col int, name string) int64 {
	if noValue(f.values[col]) {
		return 0
	}
	return f.id(col, name)
}

// integerOrNull reads a number of any size that may be missing.
func (f *fields) integerOrNull(col int, name string) sql.Null[int64] {
	if noValue(f.values[col]) {
		return sql.Null[int64]{}
	}
	return sql.Null[int64]{V: f.id(col, name), Valid: true}
}

// int32OrNull reads a number that may be missing. A value that is there and is
// no such number is refused.
func (f *fields) int32OrNull(col int, name string) sql.Null[int32] {
	if noValue(f.values[col]) {
		return sql.Null[int32]{}
	}
	return sql.Null[int32]{V: f.int32(col, name), Valid: true}
}

func (f *fields) int32(col int, name string) int32 {
	return int32(f.integer(col, name, math.MinInt32, math.MaxInt32)) //nolint:gosec // the range is checked
}

// noValue reports whether a source says that it has no value here: the key is
// absent, null, blank or the literal "-".
func noValue(v extract.Value) bool {
	switch v.Kind {
	case extract.Absent, extract.Null:
		return true
	case extract.Text:
		b := bytes.TrimSpace(v.Bytes)
		return len(b) == 0 || len(b) == 1 && b[0] == '-'
	default:
		return false
	}
}
