package nexthink

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/extract/internal/httpx"
)

// The formats that can be asked for.
const (
	FormatJSON  = "json"
	FormatCSV   = "csv"
	FormatTable = "table" // an HTML page, for Portals whose other formats cannot be read
)

// The lists that can be asked for.
const (
	ListInstalled  = "installed"
	ListUnderusage = "underusage"
)

// The paths of the API, from Nexthink's page on the Software Metering API.
const (
	discoveryPath = "api/softwaremetering/v1"
	detailsPath   = "api/softwaremetering/v1/details"
)

// TLSOptions say whom to trust when connecting to the Portal.
type TLSOptions = httpx.TLSOptions

// Options configure a Source.
type Options struct {
	// Name is the source's name, for errors.
	Name string
	// URL is the Portal's address, http or https, without credentials.
	URL *url.URL
	TLS TLSOptions
	// Parallel is the most requests in flight, MaxRetries how often one is sent
	// again, RetryDelay the wait before the first time, which doubles;
	// RequestTimeout, IdleTimeout and MaxBytes bound each answer. Zero means the
	// client's default.
	Parallel       int
	MaxRetries     int
	RetryDelay     time.Duration
	RequestTimeout time.Duration
	IdleTimeout    time.Duration
	MaxBytes       int64
	// User is the account, best a local one made for this purpose; Password is
	// asked for with every request, so that a new one needs no restart.
	User     string
	Password func() string
	// Format is FormatJSON, FormatCSV or FormatTable. Only the last two name the
	// significant binaries that were not used; json is the safer choice for all
	// else.
	Format string
	// Aliases are further keys under which the Portal answers, per name of a
	// column as Columns has them. They go before those that are known already.
	Aliases map[string][]string
	Targets []Target
}

// Target is one metering target: what of the Portal to ask for, copied from the
// discovery tool that the Portal shows under api/softwaremetering/v1.
type Target struct {
	// Name is the operator's own, the first part of the names of its feeds.
	Name string
	// Metric and Program are UIDs; without a program the rows of all programs of
	// the metric come, and nothing in them tells which.
	Metric, Program string
	// Hierarchy is a name; "" is the Portal's first.
	Hierarchy string
	// Path are node names from the top down; empty is the highest node that the
	// user may see. They are sent exactly as they stand here.
	Path []string
	// Lists are ListInstalled, ListUnderusage or both: each is a feed.
	Lists []string
	// WindowDays is the metric's look-back window, which the API does not tell.
	// It is not sent.
	WindowDays int
}

// Feeds names the feeds of the targets in their order: "visio-lausanne/installed".
func Feeds(targets []Target) []string {
	var feeds []string
	for _, t := range targets {
		for _, list := range t.Lists {
			feeds = append(feeds, t.Name+"/"+list)
		}
	}
	return feeds
}

// Source is one Portal. It fulfils extract.Source.
type Source struct {
	o       Options
	client  *httpx.Client
	feeds   map[string]feed
	aliases [extract.MeteringColumns][]string
	engines *engineList
}

// feed is what one feed asks for.
type feed struct {
	name   string
	target Target
	list   string
}

// New checks the options and builds the client; it sends nothing.
func New(o Options) (*Source, error) {
	s := &Source{o: o, feeds: map[string]feed{}, engines: newEngineList()}
	if !slices.Contains([]string{FormatJSON, FormatCSV, FormatTable}, o.Format) {
		return nil, fmt.Errorf("source %q: format %q is none of %s, %s, %s", o.Name, o.Format, FormatJSON, FormatCSV, FormatTable)
	}
	if o.User == "" || o.Password == nil {
		return nil, fmt.Errorf("source %q: the Portal wants a user and a password", o.Name)
	}
	for _, t := range o.Targets {
		if err := s.addTarget(t); err != nil {
			return nil, fmt.Errorf("source %q: %w", o.Name, err)
		}
	}
	if len(s.feeds) == 0 {
		return nil, fmt.Errorf("source %q: there is no target to ask for", o.Name)
	}
	var err error
	if s.aliases, err = withOwn(o.Aliases); err != nil {
		return nil, fmt.Errorf("source %q: %w", o.Name, err)
	}
	s.client, err = httpx.New(httpx.Options{
		Name:           o.Name,
		URL:            o.URL,
		TLS:            o.TLS,
		Authorize:      s.authorize,
		Parallel:       o.Parallel,
		MaxRetries:     o.MaxRetries,
		RetryDelay:     o.RetryDelay,
		RequestTimeout: o.RequestTimeout,
		IdleTimeout:    o.IdleTimeout,
		MaxBytes:       o.MaxBytes,
		Explain:        s.explain,
		Secrets:        s.secrets,
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Source) addTarget(t Target) error {
	if t.Name == "" || t.Metric == "" {
		return fmt.Errorf("target %q needs a name and the UID of a metric", t.Name)
	}
	if len(t.Lists) == 0 {
		return fmt.Errorf("target %q has no list", t.Name)
	}
	for _, list := range t.Lists {
		if list != ListInstalled && list != ListUnderusage {
			return fmt.Errorf("target %q: list %q is neither %s nor %s", t.Name, list, ListInstalled, ListUnderusage)
		}
		name := t.Name + "/" + list
		if _, twice := s.feeds[name]; twice {
			return fmt.Errorf("there are two feeds called %q", name)
		}
		s.feeds[name] = feed{name: name, target: t, list: list}
	}
	return nil
}

// Live answers queries from the Portal itself.
func (s *Source) Live() extract.Getter { return s.client }

// Close closes the connections that are kept for the next request.
func (s *Source) Close() { s.client.Close() }

// Pull asks for one feed and hands on what the Portal says now. The request's
// day is not sent: the API has no parameter for it. After a complete answer it
// finds out whether the Portal was connected to all its engines, which makes
// one more request every few minutes.
func (s *Source) Pull(
	ctx context.Context, via extract.Getter, req extract.Request, emit func(*extract.Record) error,
) (extract.Answer, error) {
	f, ok := s.feeds[req.Feed]
	if !ok {
		return extract.Answer{}, &extract.Error{
			Class: extract.BadRequest, Doing: fmt.Sprintf("asking %q for metering details", s.o.Name),
			Err: fmt.Errorf("no target has the feed %q", req.Feed),
		}
	}
	answer, err := s.details(ctx, via, f, emit)
	if err == nil {
		s.askEngines(ctx, via, &answer)
	}
	return answer, err
}

// details asks for one feed. The body of the answer is closed when it returns,
// which makes room for the next request.
func (s *Source) details(ctx context.Context, via extract.Getter, f feed, emit func(*extract.Record) error) (extract.Answer, error) {
	doing := fmt.Sprintf("asking %q for metering details of %s", s.o.Name, f.name)
	resp, err := via.Get(ctx, s.query(f))
	if err != nil {
		e := s.asError(ctx, err, doing)
		return extract.Answer{Requests: e.Attempts}, e
	}
	defer resp.Body.Close()
	sink := newSink(newKeys(s.aliases), emit, s.secrets())
	in := newInput(resp.Body)
	err = s.decode(resp, in, sink)
	answer := extract.Answer{
		Requests: resp.Attempts, Bytes: in.read, Records: sink.record.Ordinal, Notes: sink.notes(),
	}
	if sink.emitErr != nil {
		return answer, sink.emitErr
	}
	if err != nil {
		e := s.asError(ctx, err, doing)
		e.Status, e.Attempts = resp.Status, resp.Attempts
		return answer, e
	}
	return answer, nil
}

func (s *Source) decode(resp *extract.Response, in *input, sink *sink) error {
	if resp.Status == http.StatusPartialContent {
		return badAnswer("the server says that the answer is a part only")
	}
	if err := in.open(sink.secrets, s.o.Format == FormatTable); err != nil {
		return err
	}
	switch s.o.Format {
	case FormatCSV:
		return readCSV(in, sink)
	case FormatTable:
		return readTable(in, sink)
	default:
		return readJSON(in, sink)
	}
}

// query is the request for a feed. Parameters without a value are left out, so
// that the Portal's own defaults apply; the nodes of the path are repeated in
// their order.
func (s *Source) query(f feed) extract.Query {
	values := url.Values{
		"metric": {f.target.Metric},
		"list":   {f.list},
		"format": {s.o.Format},
	}
	if f.target.Hierarchy != "" {
		values.Set("hierarchy", f.target.Hierarchy)
	}
	if f.target.Program != "" {
		values.Set("program", f.target.Program)
	}
	if len(f.target.Path) > 0 {
		values["path"] = slices.Clone(f.target.Path)
	}
	// The content types of the answers are not documented: anything will do.
	accept := map[string]string{FormatJSON: "application/json", FormatCSV: "text/csv", FormatTable: "text/html"}[s.o.Format]
	return extract.Query{Path: detailsPath, Values: values, Accept: accept + ", */*;q=0.5"}
}

// authorize adds the credentials.
func (s *Source) authorize(_ context.Context, r *http.Request) error {
	r.SetBasicAuth(s.o.User, s.o.Password())
	return nil
}

// asError completes an error of the client, the body or a decoder.
func (s *Source) asError(ctx context.Context, err error, doing string) *extract.Error {
	var inner *extract.Error
	if !errors.As(err, &inner) {
		inner = &extract.Error{Class: extract.Interrupted, Err: err}
		if ctx.Err() != nil {
			inner.Class = extract.Cancelled
		}
	}
	e := *inner
	e.Doing = doing
	if e.Class == extract.BadAnswer && e.Hint == "" {
		e.Hint = fmt.Sprintf("compare with what the Portal shows at %s", s.discoveryURL())
	}
	return &e
}
