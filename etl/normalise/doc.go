// Package normalise turns a source's raw records into the rows of schema, or
// into rejects that say in a sentence why they could not become one. It is
// pure: no input or output, no clock, no goroutines. What a number, a date or a
// list of binaries means is decided here and nowhere else.
//
// The rule throughout: a wrong number is worse than a reject. A reject is
// counted, stored with the source's own text and guarded by a limit; a number
// that was guessed is none of these.
package normalise
