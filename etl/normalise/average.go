package normalise

import (
	"bytes"
	"database/sql"
	"strconv"

	"github.com/meterhouse/meterhouse/extract"
)

// average reads a number that may be missing: a JSON number, or text that is
// written like one. Below 0 and text that is no number are refused.
func (f *fields) average(col int, name string, decimalComma bool) sql.Null[float64] {
	v := f.values[col]
	if notAvailable(v) {
		return sql.Null[float64]{}
	}
	if v.Kind != extract.Number && v.Kind != extract.Text {
		f.fail("%s is %s, which is not a number", name, shown(v))
		return sql.Null[float64]{}
	}
	b := bytes.TrimSpace(v.Bytes)
	if v.Kind == extract.Text && decimalComma {
		if bytes.IndexByte(b, '.') >= 0 {
			f.fail("%s is %s, in which the dot may separate thousands", name, shown(v))
			return sql.Null[float64]{}
		}
		b = bytes.Replace(b, []byte{','}, []byte{'.'}, 1)
	}
	x, ok := parseFloat(b)
	if !ok || x < 0 {
		f.fail("%s is %s, which is not a number of at least 0", name, shown(v))
		return sql.Null[float64]{}
	}
	return sql.Null[float64]{V: x, Valid: true}
}

// parseFloat reads a finite decimal number. What strconv takes beyond that
// (NaN, infinity, hexadecimal, underscores) is not a number here.
func parseFloat(b []byte) (float64, bool) {
	for _, c := range b {
		if !isDigit(c) && bytes.IndexByte([]byte("+-.eE"), c) < 0 {
			return 0, false
		}
	}
	x, err := strconv.ParseFloat(string(b), 64)
	if x == 0 {
		x = 0 // minus zero is zero, also for the content hash
	}
	return x, err == nil
}

// notAvailable is noValue and the literal "N/A", which portals write too.
func notAvailable(v extract.Value) bool {
	return noValue(v) || v.Kind == extract.Text && bytes.EqualFold(bytes.TrimSpace(v.Bytes), []byte("n/a"))
}
