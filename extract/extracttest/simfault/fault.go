package simfault

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Fault is what happens to one request in place of its proper answer. It gets
// the handler that would have answered. Faults that wait end when the client or
// the server closes the connection.
type Fault func(proper http.Handler) http.Handler

// Status answers with a status, a body and header pairs (name, value, ...).
func Status(status int, body string, header ...string) Fault {
	return func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		})
	}
}

// Body answers with status 200 and a body that is not the documented one.
func Body(contentType, body string) Fault {
	return Status(http.StatusOK, body, "Content-Type", contentType)
}

// LoginPage answers with status 200 and a page in HTML, as single sign-on does.
func LoginPage() Fault {
	return Body("text/html; charset=utf-8",
		"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><form></form></body></html>")
}

// Redirect sends the client to an address.
func Redirect(to string) Fault { return Status(http.StatusFound, "", "Location", to) }

// Reset closes the connection before any answer.
func Reset() Fault {
	return func(http.Handler) http.Handler {
		return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hangUp() })
	}
}

// Silence takes the request and never answers: not even a status line.
func Silence() Fault {
	return func(http.Handler) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { hang(r) })
	}
}

// CutAfter breaks the connection after n bytes of the proper body: the client
// sees that something is missing, because the last chunk never comes.
func CutAfter(n int) Fault {
	return After(n, func(http.ResponseWriter, *http.Request) { hangUp() })
}

// CutLengthAfter is CutAfter for a body whose length was announced.
func CutLengthAfter(n int) Fault {
	cut := CutAfter(n)
	return func(proper http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			cut(proper).ServeHTTP(&headerWriter{ResponseWriter: w, name: "Content-Length", value: strconv.Itoa(n + 1)}, r)
		})
	}
}

// EndAfter ends the answer after n bytes of the proper body as if that were
// all: HTTP says nothing is missing, only the content can tell.
func EndAfter(n int) Fault { return After(n, func(http.ResponseWriter, *http.Request) {}) }

// StallAfter falls silent after n bytes of the proper body and keeps the
// connection open until the client gives up.
func StallAfter(n int) Fault {
	return After(n, func(_ http.ResponseWriter, r *http.Request) { hang(r) })
}

// FloodAfter goes on with white space, which no format minds, after n bytes of
// the proper body, for as long as the client takes it.
func FloodAfter(n int) Fault {
	return After(n, func(w http.ResponseWriter, _ *http.Request) {
		blank := strings.Repeat(" ", 64<<10)
		for {
			if _, err := io.WriteString(w, blank); err != nil {
				return
			}
		}
	})
}

// Drip sends the proper body whole, but from byte n on only one byte every
// so often, count of them; count < 0 means to the end.
func Drip(n, count int, every time.Duration) Fault {
	return func(proper http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			proper.ServeHTTP(&drippingWriter{ResponseWriter: w, r: r, before: n, count: count, every: every}, r)
		})
	}
}

// Together holds requests back until n of them are in flight, and then lets them
// pass: it proves that a client does send so many at once. It is for n requests.
func Together(n int) Fault {
	var arrived atomic.Int32
	all := make(chan struct{})
	return func(proper http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if int(arrived.Add(1)) == n {
				close(all)
			}
			select {
			case <-all:
				proper.ServeHTTP(w, r)
			case <-r.Context().Done():
				hangUp()
			}
		})
	}
}

// ContentType gives the proper answer under another type.
func ContentType(as string) Fault {
	return func(proper http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			proper.ServeHTTP(&headerWriter{ResponseWriter: w, name: "Content-Type", value: as}, r)
		})
	}
}

// Rewrite answers with what change makes of the whole proper body.
func Rewrite(change func(body string) string) Fault {
	return func(proper http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			whole := &wholeWriter{ResponseWriter: w, status: http.StatusOK}
			proper.ServeHTTP(whole, r)
			w.Header().Del("Content-Length")
			w.WriteHeader(whole.status)
			_, _ = io.WriteString(w, change(whole.body.String()))
		})
	}
}

// After passes on the first n bytes of the proper body and then does what then
// says, before the answer is ended.
func After(n int, then func(http.ResponseWriter, *http.Request)) Fault {
	return func(proper http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			proper.ServeHTTP(&limitedWriter{ResponseWriter: w, left: n}, r)
			_ = http.NewResponseController(w).Flush() // what was sent must arrive
			then(w, r)
		})
	}
}

// hang waits until the connection is closed, and then breaks it from here too:
// returning would end the answer in good order.
func hang(r *http.Request) {
	<-r.Context().Done()
	hangUp()
}

// hangUp closes the connection in net/http's way.
func hangUp() { panic(http.ErrAbortHandler) }
