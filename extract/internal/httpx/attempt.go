package httpx

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/meterhouse/meterhouse/extract"
)

// errorTextLimit is how much of an answer that is an error is read.
const errorTextLimit = 64 << 10

var (
	errRequestTimeout = errors.New("request_timeout")
	errIdleTimeout    = errors.New("idle timeout")
)

// attempt sends the request once. It returns the request, or nil when the fault
// came before it was sent.
func (c *Client) attempt(parent context.Context, call call) (*extract.Response, *http.Request, *fault) {
	request, err := call.build(parent)
	if err != nil {
		return nil, nil, &fault{Error: &extract.Error{Class: extract.BadRequest, Doing: call.doing, Err: c.scrub(err)}}
	}
	if request.Body == nil {
		// An empty body that cannot be had again: net/http would send a request on
		// its own account when a kept connection breaks, uncounted and at once.
		request.Body = io.NopCloser(strings.NewReader(""))
	}
	for name, values := range c.o.Header {
		request.Header[name] = values
	}
	request.Header.Set("User-Agent", c.o.UserAgent)
	// Before a slot is taken: it may need one itself, to fetch a token.
	if call.authorize && c.o.Authorize != nil {
		if err := c.o.Authorize(parent, request); err != nil {
			return nil, nil, &fault{Error: c.asError(parent, call.doing, err, 0)}
		}
	}
	request.URL.RawQuery = plainSpaces(request.URL.RawQuery)
	select {
	case c.slots <- struct{}{}:
	case <-parent.Done():
		return nil, nil, &fault{Error: c.cancelled(parent, call.doing, 0)}
	}
	b := c.newBody(parent, call.doing)
	answer, err := c.http.Do(request.WithContext(b.ctx)) //nolint:bodyclose,contextcheck // b closes it; b.ctx is made from parent
	if err != nil {
		f := b.noAnswer(err)
		b.end()
		return nil, request, f
	}
	b.from(answer)
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		f := b.notOK(answer, call.explain)
		b.end()
		return nil, request, f
	}
	return &extract.Response{Status: answer.StatusCode, Header: answer.Header, Body: b}, request, nil
}

// plainSpaces writes the spaces of an encoded query as %20, the form that every
// server reads alike. What was a plus sign is escaped already, and the order of
// the values stays.
func plainSpaces(query string) string { return strings.ReplaceAll(query, "+", "%20") }

// noAnswer reads why no header arrived.
func (b *body) noAnswer(err error) *fault {
	// url.Error repeats the address with its query, which may hold a token.
	var inURL *url.Error
	if errors.As(err, &inURL) {
		err = inURL.Err
	}
	if e := b.stopped(extract.Transient); e != nil {
		return &fault{Error: e}
	}
	e := &extract.Error{Doing: b.doing, Err: b.c.scrub(err)}
	if hint, ok := tlsHint(err); ok {
		e.Class, e.Hint = extract.TLS, hint
		return &fault{Error: e}
	}
	e.Class = extract.Transient
	e.Hint = fmt.Sprintf("is %s right, and can it be reached from here?", b.c.o.URL.Host)
	return &fault{Error: e, again: true}
}

// notOK reads a status outside 2xx and the text that came with it.
func (b *body) notOK(answer *http.Response, explain Explain) *fault {
	text, _ := io.ReadAll(io.LimitReader(b, errorTextLimit)) // what there is of it; the status is the error
	e := &extract.Error{
		Doing: b.doing, Status: answer.StatusCode, Says: b.c.Text(text),
		RetryAfter: retryAfter(answer.Header.Get("Retry-After"), time.Now()),
	}
	e.Class = classOf(e.Status, e.RetryAfter)
	if e.Status >= 300 && e.Status < 400 {
		e.Hint = fmt.Sprintf("the server redirects to %s, as to a login page, which is never followed: check url and the credentials",
			b.c.redirectTarget(answer))
	}
	if explain != nil {
		if class, hint, ok := explain(e.Status, e.Says); ok {
			e.Class, e.Hint = class, hint
		}
	}
	if e.Status == http.StatusBadRequest && b.c.o.URL.Scheme == "http" {
		e.Hint = strings.TrimSuffix("url begins with http://, which a server that expects https:// refuses like this; else "+e.Hint, "; else ")
	}
	passing := e.Class == extract.Transient || e.Class == extract.Throttled
	return &fault{Error: e, again: passing && retryable(e.Status)}
}

// redirectTarget is the address that a redirect names, without its query.
func (c *Client) redirectTarget(answer *http.Response) string {
	to, err := answer.Location()
	if err != nil {
		return "nowhere"
	}
	return c.Text([]byte((&url.URL{Scheme: to.Scheme, Host: to.Host, Path: to.Path}).String()))
}
