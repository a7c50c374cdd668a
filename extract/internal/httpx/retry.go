package httpx

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/meterhouse/meterhouse/extract"
)

const (
	// longestWait is the longest Retry-After that is waited for; a server that
	// asks for more is left alone until the next pass.
	longestWait = 5 * time.Minute
	// longestBackoff bounds the waits that the server did not ask for.
	longestBackoff = time.Minute
)

// call is one request as it is built anew for every attempt.
type call struct {
	doing     string
	explain   Explain
	authorize bool
	build     func(ctx context.Context) (*http.Request, error)
}

// retry makes attempts until one is answered with a 2xx, one fails for good, or
// the retries are used up.
func (c *Client) retry(ctx context.Context, call call) (*extract.Response, error) {
	waits := &backoff.ExponentialBackOff{
		InitialInterval: c.o.RetryDelay, Multiplier: 2, RandomizationFactor: 0.5, MaxInterval: longestBackoff,
	}
	reauthorized := false
	retries := 0
	for attempt := 1; ; attempt++ {
		resp, request, f := c.attempt(ctx, call)
		if f == nil {
			resp.Attempts = attempt
			return resp, nil
		}
		if request == nil { // not sent: the fault is one of getting credentials, with its own count
			return nil, f.Error
		}
		f.Attempts = attempt
		if f.Status == http.StatusUnauthorized && c.o.Reauthorize != nil && call.authorize && !reauthorized {
			reauthorized = true
			again, err := c.o.Reauthorize(ctx, request)
			if err != nil {
				return nil, c.asError(ctx, call.doing, err, attempt)
			}
			if again {
				continue
			}
		}
		if !f.again || retries == c.o.MaxRetries || f.RetryAfter > longestWait {
			return nil, f.Error
		}
		retries++
		if err := c.o.Wait(ctx, f.RetryAfter+waits.NextBackOff()); err != nil {
			return nil, c.cancelled(ctx, call.doing, attempt)
		}
	}
}

// fault is why an attempt failed, and whether the same request may work again.
type fault struct {
	*extract.Error
	again bool
}

func (c *Client) cancelled(ctx context.Context, doing string, attempts int) *extract.Error {
	return &extract.Error{Class: extract.Cancelled, Doing: doing, Attempts: attempts, Err: context.Cause(ctx)}
}

// asError gives an error of Authorize or Reauthorize the form that Get
// promises; most have it already, because they come from PostJSON.
func (c *Client) asError(ctx context.Context, doing string, err error, attempts int) *extract.Error {
	var e *extract.Error
	switch {
	case errors.As(err, &e):
		return e
	case ctx.Err() != nil:
		return c.cancelled(ctx, doing, attempts)
	default:
		return &extract.Error{Class: extract.Credentials, Doing: doing, Attempts: attempts, Err: c.scrub(err)}
	}
}

// retryable are the statuses that may pass by themselves.
func retryable(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// classOf is the usual meaning of a status.
func classOf(status int, retryAfter time.Duration) extract.Class {
	switch {
	case status == http.StatusUnauthorized:
		return extract.Credentials
	case status == http.StatusForbidden:
		return extract.Forbidden
	case status == http.StatusTooManyRequests:
		return extract.Throttled
	case status == http.StatusServiceUnavailable && retryAfter > 0:
		return extract.Throttled
	case status == http.StatusRequestTimeout, status >= 500:
		return extract.Transient
	case status >= 400:
		return extract.BadRequest
	default:
		return extract.BadAnswer
	}
}

// retryAfter reads the header of that name: seconds or a date. 0 when there is
// none or it cannot be read.
func retryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if seconds, err := strconv.ParseInt(value, 10, 32); err == nil {
		return time.Duration(max(seconds, 0)) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}

// wait blocks for d, or until ctx is done and then returns its error.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
