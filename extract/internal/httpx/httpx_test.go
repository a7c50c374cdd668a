package httpx_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/extract/internal/httpx"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testBundle is a server that answers with a handler and a client for it.
type testBundle struct {
	client   *httpx.Client
	url      *url.URL
	requests *atomic.Int32
}

func setup(t *testing.T, handler http.HandlerFunc, change func(*httpx.Options)) testBundle {
	t.Helper()
	b := testBundle{requests: &atomic.Int32{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.requests.Add(1)
		handler(w, r)
	}))
	t.Cleanup(server.Close)
	var err error
	b.url, err = url.Parse(server.URL)
	require.NoError(t, err)
	o := httpx.Options{Name: "src", URL: b.url, MaxRetries: 2, RetryDelay: time.Millisecond}
	if change != nil {
		change(&o)
	}
	b.client, err = httpx.New(o)
	require.NoError(t, err)
	t.Cleanup(b.client.Close)
	return b
}

// get asks and reads the body to its end.
func (b testBundle) get(t *testing.T) (string, error) {
	t.Helper()
	response, err := b.client.Get(t.Context(), extract.Query{Path: "api/x"})
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}

func errorOf(t *testing.T, err error) *extract.Error {
	t.Helper()
	var e *extract.Error
	require.ErrorAs(t, err, &e)
	return e
}

func status(code int, says string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, says, code) }
}

func TestGetSendsTheQuery(t *testing.T) {
	t.Parallel()
	var got *http.Request
	b := setup(t, func(_ http.ResponseWriter, r *http.Request) { got = r }, func(o *httpx.Options) {
		o.URL = o.URL.JoinPath("prefix/")
		o.Header = http.Header{"Accept-Language": {"en-US"}}
		o.UserAgent = "meterhouse/1"
		o.Authorize = func(_ context.Context, r *http.Request) error {
			r.SetBasicAuth("me", "pw")
			r.URL.RawQuery += "&token=a+b"
			return nil
		}
	})
	response, err := b.client.Get(t.Context(), extract.Query{
		Path: "api/x", Values: url.Values{"path": {"b /1", "a&2+"}, "columns[]": {"server.name"}}, Accept: "application/json",
	})
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, 1, response.Attempts)
	require.Equal(t, "/prefix/api/x?columns%5B%5D=server.name&path=b%20%2F1&path=a%262%2B&token=a%20b", got.URL.String(), "spaces are %20")
	require.Equal(t, "application/json", got.Header.Get("Accept"))
	require.Equal(t, "en-US", got.Header.Get("Accept-Language"))
	require.Equal(t, "meterhouse/1", got.UserAgent())
	user, password, _ := got.BasicAuth()
	require.Equal(t, "me pw", user+" "+password)
}

func TestGetOfAStatus(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]struct {
		code       int
		retryAfter string
		class      extract.Class
		requests   int32
	}{
		"400":                    {400, "", extract.BadRequest, 1},
		"401":                    {401, "", extract.Credentials, 1},
		"403":                    {403, "", extract.Forbidden, 1},
		"404":                    {404, "", extract.BadRequest, 1},
		"412":                    {412, "", extract.BadRequest, 1},
		"301":                    {301, "", extract.BadAnswer, 1},
		"304":                    {304, "", extract.BadAnswer, 1},
		"408":                    {408, "", extract.Transient, 3},
		"429":                    {429, "", extract.Throttled, 3},
		"429, wait until 2006":   {429, "Mon, 02 Jan 2006 15:04:05 GMT", extract.Throttled, 3},
		"429, unreadable wait":   {429, "soon", extract.Throttled, 3},
		"429, too long":          {429, "301", extract.Throttled, 1},
		"500":                    {500, "", extract.Transient, 3},
		"500, too long":          {500, "86400", extract.Transient, 1},
		"501 will not pass":      {501, "", extract.Transient, 1},
		"502":                    {502, "", extract.Transient, 3},
		"503":                    {503, "", extract.Transient, 3},
		"503, too long":          {503, "86400", extract.Throttled, 1},
		"503, wait a century":    {503, "Wed, 02 Jan 2126 15:04:05 GMT", extract.Throttled, 1},
		"503, a wait below zero": {503, "-5", extract.Transient, 3},
		"504":                    {504, "", extract.Transient, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, func(w http.ResponseWriter, _ *http.Request) {
				if f.retryAfter != "" {
					w.Header().Set("Retry-After", f.retryAfter)
				}
				w.WriteHeader(f.code)
			}, nil)
			_, err := b.get(t)
			e := errorOf(t, err)
			require.Equal(t, f.class, e.Class)
			require.Equal(t, f.code, e.Status)
			require.Equal(t, f.requests, b.requests.Load())
			require.Equal(t, int(f.requests), e.Attempts)
			require.Equal(t, `asking "src" for api/x`, e.Doing)
			require.Equal(t, strings.Contains(name, "too long") || strings.Contains(name, "century"), e.RetryAfter > 5*time.Minute)
		})
	}
}

func TestExplainChangesTheMeaningAndWithItTheRetries(t *testing.T) {
	t.Parallel()
	b := setup(t, status(500, "Bad Request"), func(o *httpx.Options) {
		o.Explain = func(status int, says string) (extract.Class, string, bool) {
			return extract.Credentials, fmt.Sprintf("%d means %q", status, says), true
		}
	})
	_, err := b.get(t)
	require.Equal(t, extract.Credentials, errorOf(t, err).Class)
	require.ErrorContains(t, err, `500 means "Bad Request"`)
	require.Equal(t, int32(1), b.requests.Load())
}

func TestGetIsNeverTriedAgainOnceAnAnswerHasBegun(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 1<<16)
	for name, f := range map[string]struct {
		handler http.HandlerFunc
		change  func(*httpx.Options)
		class   extract.Class
		says    string
	}{
		"chunked and cut": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, long)
			panic(http.ErrAbortHandler)
		}, nil, extract.Interrupted, "broke off"},
		"shorter than announced": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100000")
			_, _ = io.WriteString(w, long)
		}, nil, extract.Interrupted, "broke off after 65536 bytes"},
		"gzip that ends early": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(zipped(long)[:40])
		}, nil, extract.Interrupted, "broke off"},
		"gzip that is none": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = io.WriteString(w, "hello, this is plain text")
		}, nil, extract.Interrupted, "broke off"},
		"longer than allowed": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, long)
		}, func(o *httpx.Options) { o.MaxBytes = 1<<16 - 1 }, extract.BadAnswer, "longer than the 65535 bytes"},
		"longer than allowed once unpacked": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(zipped(long))
		}, func(o *httpx.Options) { o.MaxBytes = 1 << 15 }, extract.BadAnswer, "longer than the 32768 bytes"},
		"silent": {func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, func(o *httpx.Options) { o.IdleTimeout = 10 * time.Millisecond }, extract.Interrupted, "no byte for 10ms"},
		"slow": {func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, func(o *httpx.Options) { o.RequestTimeout = 2 * time.Second }, extract.Interrupted, "request_timeout of 2s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, f.handler, f.change)
			_, err := b.get(t)
			e := errorOf(t, err)
			require.Equal(t, f.class, e.Class, "%s", e)
			require.ErrorContains(t, err, f.says)
			require.Equal(t, int32(1), b.requests.Load())
		})
	}
}

func zipped(s string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, s)
	_ = w.Close()
	return b.Bytes()
}

func TestGetUnpacksGzip(t *testing.T) {
	t.Parallel()
	b := setup(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "gzip" {
			http.Error(w, "gzip was not asked for", http.StatusNotAcceptable)
			return
		}
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(zipped("hello"))
	}, func(o *httpx.Options) { o.MaxBytes = 5 })
	body, err := b.get(t)
	require.NoError(t, err, "exactly as long as allowed")
	require.Equal(t, "hello", body)
}

func TestASlowReaderIsNotTakenForASilentServer(t *testing.T) {
	t.Parallel()
	b := setup(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/silent" {
			<-r.Context().Done()
			return
		}
		_, _ = io.WriteString(w, strings.Repeat("x", 100))
	}, func(o *httpx.Options) {
		o.Parallel, o.IdleTimeout, o.RequestTimeout = 2, 20*time.Millisecond, time.Minute
	})
	response, err := b.client.Get(t.Context(), extract.Query{Path: "api/x"})
	require.NoError(t, err)
	defer response.Body.Close()
	_, err = response.Body.Read(make([]byte, 1))
	require.NoError(t, err)

	// Nothing is read for as long as another request takes to time out.
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = b.client.Get(ctx, extract.Query{Path: "silent"})
	require.Error(t, err)

	rest, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Len(t, rest, 99)
}

func TestASlotIsHeldUntilTheBodyIsClosed(t *testing.T) {
	t.Parallel()
	b := setup(t, status(200, "ok"), func(o *httpx.Options) { o.Parallel = 1 })
	first, err := b.client.Get(t.Context(), extract.Query{Path: "api/x"})
	require.NoError(t, err)
	_, err = io.ReadAll(first.Body)
	require.NoError(t, err)

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = b.client.Get(ctx, extract.Query{Path: "api/x"})
	require.Equal(t, extract.Cancelled, errorOf(t, err).Class)
	require.Equal(t, int32(1), b.requests.Load(), "the second one did not leave")

	require.NoError(t, first.Body.Close())
	require.NoError(t, first.Body.Close(), "closing twice gives back one slot")
	for range 3 { // a slot that leaked would show here
		_, err = b.get(t)
		require.NoError(t, err)
	}
}

func TestASlotIsGivenBackAfterEveryFault(t *testing.T) {
	t.Parallel()
	b := setup(t, status(503, "busy"), func(o *httpx.Options) { o.Parallel = 1 })
	for range 3 {
		_, err := b.get(t)
		require.Equal(t, extract.Transient, errorOf(t, err).Class)
	}
	require.Equal(t, int32(9), b.requests.Load())
}

func TestReauthorizeIsAskedOnce(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]struct {
		again    bool
		err      error
		class    extract.Class
		requests int32
	}{
		"other credentials":    {true, nil, extract.Credentials, 2},
		"no other credentials": {false, nil, extract.Credentials, 1},
		"none to be had":       {false, &extract.Error{Class: extract.Transient, Doing: "logging in"}, extract.Transient, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked := 0
			b := setup(t, status(401, "no"), func(o *httpx.Options) {
				o.Reauthorize = func(_ context.Context, refused *http.Request) (bool, error) {
					asked++
					require.Equal(t, "/api/x", refused.URL.Path)
					return f.again, f.err
				}
			})
			_, err := b.get(t)
			require.Equal(t, f.class, errorOf(t, err).Class)
			require.Equal(t, 1, asked)
			require.Equal(t, f.requests, b.requests.Load())
		})
	}
}

func TestAuthorizeThatFailsSendsNothing(t *testing.T) {
	t.Parallel()
	b := setup(t, status(200, "ok"), func(o *httpx.Options) {
		o.Authorize = func(context.Context, *http.Request) error { return errors.New("the file with s3cret is gone") }
		o.Secrets = func() []string { return []string{"s3cret"} }
	})
	_, err := b.get(t)
	require.Equal(t, extract.Credentials, errorOf(t, err).Class)
	require.ErrorContains(t, err, "the file with *** is gone")
	require.Zero(t, b.requests.Load())
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	elsewhere := setup(t, status(200, "login"), nil)
	b := setup(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.url.String()+"/login?back=token-4711", http.StatusFound)
	}, nil)
	_, err := b.get(t)
	require.Equal(t, extract.BadAnswer, errorOf(t, err).Class)
	require.ErrorContains(t, err, elsewhere.url.Host+"/login,")
	require.NotContains(t, err.Error(), "token-4711")
	require.Zero(t, elsewhere.requests.Load())
}

func TestWhatTheServerSaysIsMadeFit(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]struct{ says, want string }{
		"text":                 {"no such column\n", "no such column"},
		"nothing":              {"", ""},
		"an HTML page":         {"<!DOCTYPE html>\n<HTML><Title lang=en>\n Log&amp;in </Title><p>token", "HTML page: Log&in"},
		"a page without title": {"<html><body>token</body></html>", "HTML page: untitled"},
		"half a title":         {"<html><title>tok", "HTML page: untitled"},
		"control characters":   {"a\x1b[31mb\x00\r\n\tc\u202ed", "a [31mb c d"},
		"not UTF-8":            {"caf\xe9", "caf?"},
		"secrets":              {`{"token":"s3/cret","as":"s3%2Fcret"}`, `{"token":"***","as":"***"}`},
		"long":                 {strings.Repeat("é", 400), strings.Repeat("é", 256) + "..."},
		"a secret at the cut":  {strings.Repeat("x", 508) + "s3/cret", strings.Repeat("x", 508) + "***"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusBadRequest)
				_, _ = io.WriteString(w, f.says)
			}, func(o *httpx.Options) { o.Secrets = func() []string { return []string{"", "s3/cret"} } })
			_, err := b.get(t)
			require.Equal(t, f.want, errorOf(t, err).Says)
		})
	}
}

func TestErrorsOfTheNetworkNameNoQuery(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())
	client, err := httpx.New(httpx.Options{
		Name: "src", URL: &url.URL{Scheme: "http", Host: address}, MaxRetries: 1, RetryDelay: time.Millisecond,
		Authorize: func(_ context.Context, r *http.Request) error {
			r.URL.RawQuery = "token=s3cret"
			return nil
		},
	})
	require.NoError(t, err)
	_, err = client.Get(t.Context(), extract.Query{Path: "api/x"})
	e := errorOf(t, err)
	require.Equal(t, extract.Transient, e.Class)
	require.Equal(t, 2, e.Attempts)
	require.ErrorContains(t, err, "connection refused")
	require.ErrorContains(t, err, address)
	require.NotContains(t, err.Error(), "s3cret")
	for cause := error(e); cause != nil; cause = errors.Unwrap(cause) {
		require.NotContains(t, cause.Error(), "s3cret")
	}
}

func TestGarbageInsteadOfHTTPIsBoundedAndRedacted(t *testing.T) {
	t.Parallel()
	b := setup(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_, _ = io.WriteString(conn, "220 s3cret "+strings.Repeat("x", 2000)+"\r\n\r\n")
			_ = conn.Close()
		}
	}, func(o *httpx.Options) { o.Secrets = func() []string { return []string{"s3cret"} } })
	_, err := b.get(t)
	require.Equal(t, extract.Transient, errorOf(t, err).Class)
	require.NotContains(t, err.Error(), "s3cret")
	require.Less(t, len(err.Error()), 1000)
}

func TestPostJSON(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]struct {
		handler http.HandlerFunc
		class   extract.Class // empty: it works
	}{
		"an answer": {func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			fmt.Fprintf(w, `{"token":%q}`, r.Method+r.Header.Get("Authorization")+string(body))
		}, ""},
		"not JSON": {status(200, "s3cret"), extract.BadAnswer},
		"refused":  {status(401, "no"), extract.Forbidden},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, f.handler, func(o *httpx.Options) {
				o.Authorize = func(_ context.Context, r *http.Request) error {
					r.Header.Set("Authorization", "must not be sent")
					return nil
				}
				o.Reauthorize = func(context.Context, *http.Request) (bool, error) { return true, nil }
			})
			var out struct{ Token string }
			err := b.client.PostJSON(t.Context(), "api/login", map[string]string{"user": "me"}, &out,
				func(int, string) (extract.Class, string, bool) { return extract.Forbidden, "", true })
			require.Equal(t, int32(1), b.requests.Load())
			if f.class == "" {
				require.NoError(t, err)
				require.Equal(t, `POST{"user":"me"}`, out.Token)
				return
			}
			require.Equal(t, f.class, errorOf(t, err).Class)
			require.NotContains(t, err.Error(), "s3cret")
		})
	}
}
