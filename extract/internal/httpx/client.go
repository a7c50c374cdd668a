package httpx

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/meterhouse/meterhouse/extract"
)

// The limits that apply where Options leave them zero.
const (
	DefaultRequestTimeout = 10 * time.Minute
	DefaultIdleTimeout    = time.Minute
	DefaultMaxBytes       = 8 << 30
	DefaultRetryDelay     = time.Second
)

const (
	connectTimeout = 30 * time.Second
	// postLimit bounds the answer to PostJSON: a token, not data.
	postLimit = 1 << 20
)

// Explain says what a status means at this source: its class and what the
// operator should do. With ok false the client's own reading of the status
// stands. says is the server's text, bounded and redacted.
type Explain func(status int, says string) (class extract.Class, hint string, ok bool)

// Options configure a Client.
type Options struct {
	// Name is the source's name, for errors.
	Name string
	// URL is where the paths of queries start; http or https, without credentials.
	URL *url.URL
	// Header is sent with every request.
	Header http.Header
	// Authorize adds the credentials to a request; it is called for each
	// attempt of Get and may itself use PostJSON. nil adds none.
	Authorize func(ctx context.Context, r *http.Request) error
	// Reauthorize is called once after a 401 with the request that was refused;
	// true means that other credentials are at hand and one more attempt is
	// worth it. With nil a 401 is final.
	Reauthorize func(ctx context.Context, refused *http.Request) (bool, error)
	TLS         TLSOptions
	// Parallel is the most requests in flight, counted until the body is
	// closed; 0 means 1.
	Parallel int
	// MaxRetries is how many times a request is sent again after a fault that
	// may pass by itself; 0 means never.
	MaxRetries int
	// RetryDelay is the wait before the first retry; it doubles up to a minute,
	// with jitter, and is added to what the server asks for.
	RetryDelay time.Duration
	// Wait waits between two attempts, or less when ctx ends, and then returns an
	// error; nil waits by the clock.
	Wait func(ctx context.Context, d time.Duration) error
	// RequestTimeout bounds one request from sending it to the last byte of the
	// answer. A request that ran into it is not sent again.
	RequestTimeout time.Duration
	// IdleTimeout bounds the wait for the next byte once the answer has begun.
	// Before that only RequestTimeout counts: a large query may take its time.
	IdleTimeout time.Duration
	// MaxBytes bounds one decompressed body.
	MaxBytes  int64
	UserAgent string
	// Explain gives statuses their meaning at this source; nil keeps the usual one.
	Explain Explain
	// Secrets are what must never be seen in an error, even if the server says it.
	Secrets func() []string
}

// Client sends requests to one server. It is an extract.Getter and safe for
// parallel use.
type Client struct {
	o    Options
	http *http.Client
	// slots holds one token per request in flight.
	slots chan struct{}
	peer  atomic.Pointer[x509.Certificate]
}

// New checks the options and reads the CA file; it sends nothing.
func New(o Options) (*Client, error) {
	if o.URL == nil || o.URL.Host == "" || (o.URL.Scheme != "http" && o.URL.Scheme != "https") {
		return nil, fmt.Errorf("source %q: url must be an http or https address", o.Name)
	}
	if o.URL.User != nil {
		return nil, fmt.Errorf("source %q: url must not hold credentials; configure user and password_file", o.Name)
	}
	c := &Client{o: withDefaults(o)}
	cfg, err := c.o.TLS.config()
	if err != nil {
		return nil, fmt.Errorf("source %q: %w", o.Name, err)
	}
	cfg.VerifyConnection = func(s tls.ConnectionState) error {
		c.peer.Store(s.PeerCertificates[0])
		return nil
	}
	c.slots = make(chan struct{}, c.o.Parallel)
	c.http = &http.Client{
		Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: connectTimeout}).DialContext,
			TLSClientConfig:     cfg,
			TLSHandshakeTimeout: connectTimeout,
			MaxIdleConnsPerHost: c.o.Parallel,
			IdleConnTimeout:     time.Minute,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c, nil
}

func withDefaults(o Options) Options {
	o.Parallel = max(o.Parallel, 1)
	o.MaxRetries = max(o.MaxRetries, 0)
	if o.RetryDelay <= 0 {
		o.RetryDelay = DefaultRetryDelay
	}
	if o.Wait == nil {
		o.Wait = wait
	}
	if o.RequestTimeout <= 0 {
		o.RequestTimeout = DefaultRequestTimeout
	}
	if o.IdleTimeout <= 0 {
		o.IdleTimeout = DefaultIdleTimeout
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.UserAgent == "" {
		o.UserAgent = "meterhouse"
	}
	return o
}

// Get sends the query with the source's credentials. Faults that may pass by
// themselves are tried again, but only until a 2xx header has arrived: what
// breaks after that is the caller's to judge, because it has seen rows. Every
// error, also of the body, is an *extract.Error.
func (c *Client) Get(ctx context.Context, q extract.Query) (*extract.Response, error) {
	doing := q.Doing
	if doing == "" {
		doing = c.doing(q.Path)
	}
	return c.retry(ctx, call{
		doing:     doing,
		explain:   c.o.Explain,
		authorize: true,
		build: func(ctx context.Context) (*http.Request, error) {
			u := c.o.URL.JoinPath(q.Path)
			u.RawQuery = q.Values.Encode()
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
			if err == nil && q.Accept != "" {
				r.Header.Set("Accept", q.Accept)
			}
			return r, err
		},
	})
}

// PostJSON sends in as JSON, without the source's credentials, and decodes the
// answer into out. It is for exchanging a user and a password for a token;
// explain replaces Options.Explain for this request.
func (c *Client) PostJSON(ctx context.Context, path string, in, out any, explain Explain) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("encoding the request to %q: %w", path, err)
	}
	doing := c.doing(path)
	resp, err := c.retry(ctx, call{
		doing:   doing,
		explain: explain,
		build: func(ctx context.Context) (*http.Request, error) {
			r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.o.URL.JoinPath(path).String(), bytes.NewReader(body))
			if err == nil {
				r.Header.Set("Content-Type", "application/json")
				r.Header.Set("Accept", "application/json")
			}
			return r, err
		},
	})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, postLimit))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(answer, out); err != nil {
		// Not the answer's text: it may hold what was asked for.
		return &extract.Error{
			Class: extract.BadAnswer, Doing: doing, Status: resp.Status, Attempts: resp.Attempts,
			Err: errors.New("the answer is not the JSON object that is documented"),
		}
	}
	return nil
}

// Certificate is the one that the server last identified itself with; nil
// before the first connection and without TLS.
func (c *Client) Certificate() *x509.Certificate { return c.peer.Load() }

// Close closes the connections that are kept for the next request.
func (c *Client) Close() { c.http.CloseIdleConnections() }

func (c *Client) doing(path string) string {
	return fmt.Sprintf("asking %q for %s", c.o.Name, path)
}
