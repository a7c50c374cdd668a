package config

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Fault is one thing wrong with the configuration, or worth a warning.
type Fault struct {
	File   string `json:"file"`
	Line   int    `json:"line"`   // from 1
	Column int    `json:"column"` // from 1
	// Key is the path of the key: sources[0].recheck_days; "" for the file as a whole.
	Key string `json:"key,omitempty"`
	// Value is what the file says, cut when long; "" for a list, a block, a
	// missing key and anything that may be a secret.
	Value string `json:"value,omitempty"`
	// Rule is what is wrong, a predicate of Value or Key: "must be at least 0".
	Rule string `json:"rule"`
	// Advice is what to do about it.
	Advice string `json:"advice,omitempty"`
}

// String writes one line: meterhouse.yaml:12:3: key: "value" rule; advice.
func (f Fault) String() string {
	s := fmt.Sprintf("%s:%d:%d: ", f.File, f.Line, f.Column)
	if f.Key != "" {
		s += f.Key + ": "
	}
	if f.Value != "" {
		s += strconv.Quote(f.Value) + " "
	}
	s += f.Rule
	if f.Advice != "" {
		s += "; " + f.Advice
	}
	return s
}

// Error is everything wrong with one configuration file.
type Error struct {
	Faults []Fault // by line and column, at least one
}

// Error writes one line per fault.
func (e *Error) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

func sortFaults(faults []Fault) {
	slices.SortStableFunc(faults, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}
