// Package status tells people and machines what is published and what is not:
// which feeds have which days, drawn as a calendar, and the days to look at.
//
// Text is never wider than a terminal of 80 columns. Its characters carry the
// meaning and colours only repeat it: capitals are days of which readers see
// nothing.
package status
