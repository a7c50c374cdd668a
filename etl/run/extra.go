package run

import (
	"slices"
	"strings"

	"github.com/meterhouse/meterhouse/extract"
)

// extraNames bounds how many names of unknown fields are told.
const extraNames = 64

// extraFields counts the fields that the warehouse has no place for. The kinds
// that keep them in a column do not need it.
type extraFields struct {
	values uint64
	names  []string
}

func (e *extraFields) add(fields []extract.Field) {
	for _, f := range fields {
		e.values++
		if len(e.names) < extraNames && !slices.Contains(e.names, f.Name) {
			e.names = append(e.names, f.Name)
		}
	}
}

// note names the fields, "" when there were none. It is the same for every day
// of a source that sends the same fields, however many rows the day has.
func (e *extraFields) note() string {
	if len(e.names) == 0 {
		return ""
	}
	return "the source sends fields that are not stored: " + strings.Join(slices.Sorted(slices.Values(e.names)), ", ")
}
