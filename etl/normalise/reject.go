package normalise

import (
	"strings"
	"unicode/utf8"

	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/schema"
)

// maxRaw bounds, in bytes, how much of a source row a reject keeps, and
// maxShown how much of a single value its reason quotes.
const (
	maxRaw   = 4096
	maxShown = 64
)

// Reject is the error for a source row that cannot become a record. The load
// goes on without the row and counts it.
type Reject struct {
	// Reason is one sentence that names the column and the value.
	Reason string
}

// Error gives the reason.
func (e *Reject) Error() string { return e.Reason }

// Row is the reject as the warehouse stores it: with the place of rec in the
// answer and its own text, cut to 4096 bytes and made valid UTF-8.
func (e *Reject) Row(rec *extract.Record) schema.Reject {
	return schema.Reject{Ordinal: rec.Ordinal, Reason: e.Reason, Raw: bounded(rec.Raw, maxRaw)}
}

// bounded makes text of at most limit bytes that is valid UTF-8 and ends at the
// end of a character.
func bounded(b []byte, limit int) string {
	if len(b) > limit+utf8.UTFMax {
		b = b[:limit+utf8.UTFMax] // the character at the limit stays whole
	}
	s := strings.ToValidUTF8(string(b), string(utf8.RuneError))
	if len(s) <= limit {
		return s
	}
	for !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// shown writes a value for a reason: text in quotes, all else as the source
// wrote it.
func shown(v extract.Value) string {
	switch v.Kind {
	case extract.Absent:
		return "missing"
	case extract.Null:
		return "null"
	case extract.Text:
		return `"` + bounded(v.Bytes, maxShown) + `"`
	default:
		return bounded(v.Bytes, maxShown)
	}
}
