package extract

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"time"
)

// Request names one slice to a source: one feed, one day.
type Request struct {
	Feed string
	// Day is the civil date in the source's time zone, YYYY-MM-DD. A snapshot
	// source only stamps it: it is today, and cannot be chosen.
	Day string
}

// Answer is what one Pull learned beside the records.
type Answer struct {
	// Requests counts what was sent to the source, retries included; Bytes is
	// the length of the bodies as read, after decompression.
	Requests int
	Bytes    int64
	Records  uint64
	// AsOf is when the source says that its data was computed; zero when it does not say.
	AsOf time.Time
	// Partial says why the answer, although whole, does not cover all that was
	// asked for, because the source itself lacks data at the moment; "" when
	// nothing is known to be missing. Such an answer may be published.
	Partial string
	// Notes are sentences that an operator should read once, such as a fallback taken.
	Notes []string
}

// Source is one configured server.
type Source interface {
	// Live answers requests from the server itself, with its credentials,
	// retries and limits. Close its responses' bodies.
	Live() Getter

	// Pull asks for one slice through via (Live, or a recording of an earlier
	// pull) and hands every record to emit, in the source's order. The record
	// and all its bytes are only valid until emit returns. An error from emit
	// stops the pull and is returned as it is. Pull returns nil only when the
	// answer was complete; otherwise the error is an *Error and nothing that
	// was emitted may be published. Pull keeps no state and may run in parallel.
	Pull(ctx context.Context, via Getter, req Request, emit func(*Record) error) (Answer, error)

	// Check asks the server the cheapest thing that proves TLS, credentials
	// and the right to read. The findings are sentences for the operator.
	Check(ctx context.Context) ([]Finding, error)
}

// Gate is a Source that may know of a slice that it is not ready yet.
type Gate interface {
	// Ready is asked before a slice is pulled, with before "", and again behind the
	// pull, with the state that it returned then. It may send requests. The error
	// is nil when the slice may be pulled now, or what was pulled be published; an
	// *Error of class NotReady when its day is not finished at the source, of class
	// Interrupted when the source computed its data anew in between, and any other
	// *Error when that could not be learned. The notes are as those of an Answer.
	Ready(ctx context.Context, req Request, before string) (state string, notes []string, err error)
}

// Discoverer is a Source that can show what its server offers.
type Discoverer interface {
	// Discover writes the server's own description to out, as it came. The
	// findings say what to make of it, and warn of what does not fit the
	// configuration.
	Discover(ctx context.Context, out io.Writer) ([]Finding, error)
}

// Finding is one line of a check.
type Finding struct {
	What string // what was looked at: "TLS", "credentials", "version", "right to read"
	Says string // what was found
	Warn bool   // the operator should act on it
}

// Query is one GET request, without host and credentials.
type Query struct {
	Path   string     // relative to the source's URL: "api/sam/v2/license_usage_per_server"
	Values url.Values // brackets and all; order within one key is kept
	Accept string     // value of the Accept header
	// Doing says in words what the query is for, "asking for license usage of
	// 2026-11-20"; it opens the text of its errors. Empty: the path does.
	Doing string
}

// Response is the answer to a Query whose status was 2xx.
type Response struct {
	Status int
	Header http.Header
	// Attempts is how many requests it took, 1 when the first was answered, 0
	// when a recording was replayed and the server not asked.
	Attempts int
	// Body streams the decompressed body. A read error is an *Error: Interrupted
	// when the connection broke or stalled, BadAnswer when the size cap was hit.
	Body io.ReadCloser
}

// Getter answers queries. Implementations: the live server, a recorder around
// it, and the replay of a recording.
type Getter interface {
	// Get returns a Response with a 2xx status, or an *Error for anything else.
	Get(ctx context.Context, q Query) (*Response, error)
}
