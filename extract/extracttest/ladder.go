package extracttest

import (
	"net/http"
	"time"

	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/extract/extracttest/simfault"
)

// rung is one way in which a server or the network lets a client down.
type rung struct {
	what string
	// first befall the first requests, one each; then befalls all others.
	first []simfault.Fault
	then  simfault.Fault
	// limits, if any, makes the connection's limits narrow enough for the fault.
	limits func(*Connection)
	// class of the error that Pull must return; "" means that Pull must come to
	// the complete answer all the same.
	class extract.Class
	// requests is how many may be made.
	requests int
	says     string
}

const works extract.Class = ""

// The limits are wide enough for a busy machine to come as far as the fault.
const (
	shortTimeout = 2 * time.Second
	shortIdle    = 50 * time.Millisecond
	smallAnswer  = 1000
	largeAnswer  = 1 << 20
)

// ladder is the table of all faults, from harmless to nasty. elsewhere is the
// address of another server.
func (h Harness) ladder(path, elsewhere string) []rung {
	var (
		status      = simfault.Status
		cut         = h.CutAt
		timeout     = func(c *Connection) { c.RequestTimeout = shortTimeout }
		idle        = func(c *Connection) { c.IdleTimeout = shortIdle }
		small       = func(c *Connection) { c.MaxBytes = smallAnswer }
		large       = func(c *Connection) { c.MaxBytes = largeAnswer }
		unavailable = status(http.StatusServiceUnavailable, "starting")
		soon        = status(http.StatusTooManyRequests, "", "Retry-After", "0")
		silentBody  = simfault.StallAfter(0)
	)
	const hour = "3600"
	return []rung{
		// What passes by itself.
		{"503 twice, then works", []simfault.Fault{unavailable, unavailable}, nil, nil, works, 3, ""},
		{"429 with Retry-After, then works", []simfault.Fault{soon}, nil, nil, works, 2, ""},
		{"connection reset, then works", []simfault.Fault{simfault.Reset()}, nil, nil, works, 2, ""},
		{"right body under a wrong content type", nil, simfault.ContentType("text/html"), nil, works, 1, ""},
		{"slow drip within the limits", nil, simfault.Drip(cut, 100, time.Millisecond), nil, works, 1, ""},

		// Statuses.
		{"500 for ever", nil, status(500, "broken"), nil, extract.Transient, retried, `says "broken" (3 attempts)`},
		{"503 for ever", nil, unavailable, nil, extract.Transient, retried, `says "starting" (3 attempts)`},
		{"503, come back in an hour", nil, status(503, "", "Retry-After", hour), nil, extract.Throttled, 1, "status 503"},
		{"429 for ever", nil, soon, nil, extract.Throttled, retried, "status 429"},
		{"429, come back in an hour", nil, status(429, "", "Retry-After", hour), nil, extract.Throttled, 1, "status 429"},
		{"401", nil, status(401, "who are you?"), nil, extract.Credentials, h.Refused, "status 401"},
		{"403", nil, status(403, "not for you"), nil, extract.Forbidden, 1, "status 403"},
		{"404", nil, status(404, "no such thing"), nil, extract.BadRequest, 1, "status 404"},
		{"repeats the credentials in an error", nil, echo(500), nil, extract.Transient, retried, "status 500"},

		// Other places.
		{"redirect to another host", nil, simfault.Redirect(elsewhere), nil, extract.BadAnswer, 1, "redirects to " + elsewhere},
		{"redirect to itself", nil, simfault.Redirect(path), nil, extract.BadAnswer, 1, "redirects to https://"},

		// Nothing, or not all.
		{"connection reset for ever", nil, simfault.Reset(), nil, extract.Transient, retried, "can it be reached from here?"},
		{"hangs before the header", nil, simfault.Silence(), timeout, extract.Transient, 1, "request_timeout of 2s"},
		{"stalls behind the header", nil, silentBody, idle, extract.Interrupted, 1, "idle timeout: no byte for 50ms"},
		{"stalls within the body", nil, simfault.StallAfter(cut), idle, extract.Interrupted, 1, "idle timeout: no byte for 50ms"},
		{"drips slower than the idle timeout", nil, simfault.Drip(cut, -1, time.Hour), idle, extract.Interrupted, 1, "idle timeout"},
		{"drips longer than the request timeout", nil, simfault.Drip(cut, -1, time.Millisecond), timeout, extract.Interrupted, 1, "request_timeout of 2s"},
		{"cut at the first byte", nil, simfault.CutAfter(1), nil, extract.Interrupted, 1, "broke off"},
		{"cut within a chunked body", nil, simfault.CutAfter(cut), nil, extract.Interrupted, 1, "broke off"},
		{"cut within a body of announced length", nil, simfault.CutLengthAfter(cut), nil, extract.Interrupted, 1, "broke off"},
		{"ends early, but in good order", nil, simfault.EndAfter(cut), nil, extract.Interrupted, 1, "end"},

		// Something else.
		{"200 without a body", nil, simfault.Body("application/json", ""), nil, extract.BadAnswer, 1, "empty"},
		{"204", nil, status(http.StatusNoContent, ""), nil, extract.BadAnswer, 1, "empty"},
		{"200 and a login page", nil, simfault.LoginPage(), nil, extract.BadAnswer, 1, "page"},
		{"200 and a page that claims to be data", nil, simfault.Body("application/json", "<html><title>Sign in</title></html>"), nil, extract.BadAnswer, 1, "page"},
		{"200 and text", nil, simfault.Body("text/plain", "Service temporarily unavailable\n"), nil, extract.BadAnswer, 1, ""},
		{"200 and an error object", nil, simfault.Body("application/json", `{"error":"import is running"}`), nil, extract.BadAnswer, 1, ""},
		{"200 and null", nil, simfault.Body("application/json", "null"), nil, extract.BadAnswer, 1, ""},
		{"longer than max_bytes", nil, nil, small, extract.BadAnswer, 1, "longer than the 1000 bytes"},
		{"goes on for ever", nil, simfault.FloodAfter(cut), large, extract.BadAnswer, 1, "longer than the 1048576 bytes"},
	}
}

// echo answers with a status, and says what it was asked with.
func echo(code int) simfault.Fault {
	return func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(code)
			_ = r.Write(w) // the client may have gone
		})
	}
}
