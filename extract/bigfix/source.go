package bigfix

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/extract/internal/httpx"
)

// Where the token goes.
const (
	TokenInHeader = "header" // IBM's page on authenticating API requests recommends it
	TokenInQuery  = "query"  // the only form on HCL's pages; a server setting can forbid it
)

// TLSOptions say whom to trust.
type TLSOptions = httpx.TLSOptions

// Options configure a Source. Zero limits mean the defaults of the HTTP client.
type Options struct {
	// Name is the source's name, for errors.
	Name string
	// URL is the server's address, without api/sam and without credentials.
	URL *url.URL
	TLS TLSOptions
	// Token gives the user's static token; it is called for every request, so
	// that a replaced secret takes effect. nil or "" means User and Password are
	// exchanged for one.
	Token    func() string
	User     string
	Password func() string
	// TokenIn is TokenInHeader (also when empty) or TokenInQuery.
	TokenIn string
	// Groups are the computer groups that Check looks at, as in Feeds.
	Groups []int64
	// ServerColumns are the columns of the `server` association to ask for.
	// Where the server refuses them, only the name is asked for from then on.
	ServerColumns []string
	// PageSize is how many rows to ask for at a time; 0 asks for all at once.
	PageSize int
	// Criteria is a filter in the API's own JSON form for the rows per server,
	// passed through; "" for none.
	Criteria string
	// ProductTotals has the products' own totals pulled with every slice.
	ProductTotals bool
	// WaitForImport makes Ready ask whether the server has finished a day.
	WaitForImport bool
	// Location is the server's time zone, which says when a day ends; nil is UTC.
	Location *time.Location
	// Parallel is the most requests in flight to this server.
	Parallel       int
	MaxRetries     int
	RetryDelay     time.Duration // wait before the first retry; doubles
	RequestTimeout time.Duration
	IdleTimeout    time.Duration
	MaxBytes       int64 // of one decompressed answer
	UserAgent      string
}

// Source is one BigFix Inventory or License Metric Tool server. It fulfils
// extract.Source and is safe for parallel use.
type Source struct {
	o      Options
	client *httpx.Client
	tokens *tokens
	// nameOnly is set once the server has refused the configured server columns.
	nameOnly atomic.Bool
	// noGate is set once the server has refused to tell about its imports.
	noGate atomic.Bool
}

// New checks the options and reads the CA file; it sends nothing.
func New(o Options) (*Source, error) {
	switch o.TokenIn {
	case "":
		o.TokenIn = TokenInHeader
	case TokenInHeader, TokenInQuery:
	default:
		return nil, fmt.Errorf("source %q: token_in is %q, not header or query", o.Name, o.TokenIn)
	}
	if o.Location == nil {
		o.Location = time.UTC
	}
	if len(o.ServerColumns) == 0 {
		o.ServerColumns = []string{"name"}
	}
	s := &Source{o: o}
	s.tokens = &tokens{static: o.Token, fetch: s.fetchToken, lock: make(chan struct{}, 1)}
	if s.tokens.fromConfig() == "" && (o.User == "" || o.Password == nil) {
		return nil, fmt.Errorf("source %q: neither a token nor a user with a password is configured", o.Name)
	}
	var err error
	s.client, err = httpx.New(httpx.Options{
		Name: o.Name, URL: o.URL, TLS: o.TLS,
		// HCL's page on license_usage_per_server: only English is supported, and
		// without the header the text comes in the server's language.
		Header:    http.Header{"Accept-Language": {"en-US"}},
		Authorize: s.authorize, Reauthorize: s.reauthorize,
		Parallel: o.Parallel, MaxRetries: o.MaxRetries, RetryDelay: o.RetryDelay,
		RequestTimeout: o.RequestTimeout, IdleTimeout: o.IdleTimeout, MaxBytes: o.MaxBytes,
		UserAgent: o.UserAgent, Explain: s.explain, Secrets: s.secrets,
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Live answers queries from the server itself.
func (s *Source) Live() extract.Getter { return s.client }

// Close closes idle connections.
func (s *Source) Close() { s.client.Close() }

// Pull asks for the license usage of one day and one computer group, and then
// for the products' totals where they are configured. See extract.Source for
// what it promises.
func (s *Source) Pull(ctx context.Context, via extract.Getter, req extract.Request, emit func(*extract.Record) error) (extract.Answer, error) {
	group, err := groupOf(req.Feed)
	if err != nil {
		return extract.Answer{}, &extract.Error{
			Class: extract.BadRequest, Doing: s.doing(usageList(), req.Day, 0), Err: err,
		}
	}
	p := s.newPull(via, req.Day, group, max(s.o.PageSize, 0), emit)
	err = p.all(ctx)
	return p.answer, err
}
