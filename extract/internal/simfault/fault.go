package simfault

import (
	"io"
	"net/http"
)

// Fault is what happens to one request in place of its proper answer. It gets
// the handler that would have answered.
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

// CutAfter breaks the connection after n bytes of the proper body: the client
// sees that something is missing.
func CutAfter(n int) Fault {
	return limited(n, func(*http.Request) { panic(http.ErrAbortHandler) })
}

// EndAfter ends the answer after n bytes of the proper body as if that were
// all: HTTP says nothing is missing, only the content can tell.
func EndAfter(n int) Fault {
	return limited(n, func(*http.Request) {})
}

// StallAfter falls silent after n bytes of the proper body and keeps the
// connection open until the client gives up.
func StallAfter(n int) Fault {
	return limited(n, func(r *http.Request) { <-r.Context().Done() })
}

// Silence takes the request and never answers: not even a status line.
func Silence() Fault {
	return func(http.Handler) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	}
}

// limited passes on the first n bytes of the proper body and then does what
// then says.
func limited(n int, then func(*http.Request)) Fault {
	return func(proper http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			lw := &limitedWriter{ResponseWriter: w, left: n}
			proper.ServeHTTP(lw, r)
			_ = http.NewResponseController(w).Flush()
			then(r)
		})
	}
}

// limitedWriter drops what is beyond the limit. It hides the Content-Length,
// which would give EndAfter away.
type limitedWriter struct {
	http.ResponseWriter
	left int
}

func (w *limitedWriter) WriteHeader(status int) {
	w.Header().Del("Content-Length")
	w.ResponseWriter.WriteHeader(status)
}

func (w *limitedWriter) Write(p []byte) (int, error) {
	keep := p[:min(w.left, len(p))]
	w.left -= len(keep)
	if _, err := w.ResponseWriter.Write(keep); err != nil {
		return 0, err
	}
	if len(keep) < len(p) {
		return len(keep), io.ErrShortWrite
	}
	return len(p), nil
}

// Unwrap lets http.ResponseController find the connection.
func (w *limitedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
