package run

import "github.com/meterhouse/meterhouse/schema"

// BeyondThreshold picks the changes to tell an operator of.
func BeyondThreshold(above float64, rows Change, shifts []schema.Shift) []Change {
	return beyondThreshold(above, rows, shifts)
}
