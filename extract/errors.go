package extract

import (
	"fmt"
	"time"
)

// Class says what an error of a source means for the work in hand.
type Class string

// The classes. Everything a source can do wrong is one of them.
const (
	// Transient: the server could not be reached or failed, the bounded retries
	// are used up; the next pass may work.
	Transient Class = "transient"
	// Throttled: the server asked to wait longer than a retry may.
	Throttled Class = "throttled"
	// Interrupted: an answer began and broke off, ended early or stalled.
	// Pulling the whole slice again may work.
	Interrupted Class = "interrupted"
	// Credentials: the server does not accept who we are.
	Credentials Class = "credentials"
	// Forbidden: it does, but not for this, or a setting on it is missing.
	Forbidden Class = "forbidden"
	// BadRequest: it does not understand what the configuration asks for.
	BadRequest Class = "bad_request"
	// BadAnswer: a 2xx that is not the documented thing: HTML, broken or
	// truncated JSON, a total that disagrees with the rows, more than the size cap.
	BadAnswer Class = "bad_answer"
	// TLS: the certificate or the handshake is not acceptable.
	TLS Class = "tls"
	// NotReady: nothing is wrong, the source has just not finished the day that
	// was asked for; a later pass will find it.
	NotReady Class = "not_ready"
	// Cancelled: we were told to stop.
	Cancelled Class = "cancelled"
)

// Error is every error that a source returns.
type Error struct {
	Class Class
	// Doing says what was attempted, without credentials or query values that
	// could hold one: "asking for license usage of 2026-11-20".
	Doing string
	// Status is the HTTP status, 0 when there was none.
	Status int
	// Says is the server's own text, bounded and redacted; "" when it said nothing.
	Says string
	// Hint tells the operator what to do; "" when there is nothing but waiting.
	Hint string
	// RetryAfter is how long the server asked to be left alone.
	RetryAfter time.Duration
	// Attempts is how many requests were made.
	Attempts int
	Err      error
}

// Error writes one line: what was attempted, what came back, what to do.
func (e *Error) Error() string {
	s := e.Doing
	if e.Status != 0 {
		s += fmt.Sprintf(": HTTP status %d", e.Status)
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	if e.Says != "" {
		s += fmt.Sprintf(": the server says %q", e.Says)
	}
	if e.Attempts > 1 {
		s += fmt.Sprintf(" (%d attempts)", e.Attempts)
	}
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	return s
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }
