package simfault

import (
	"io"
	"net/http"
	"strings"
	"time"
)

// limitedWriter drops what is beyond the limit. It hides the Content-Length,
// which would give EndAfter away.
type limitedWriter struct {
	http.ResponseWriter
	left int
}

// WriteHeader passes the header on without its length.
func (w *limitedWriter) WriteHeader(status int) {
	w.Header().Del("Content-Length")
	w.ResponseWriter.WriteHeader(status)
}

// Write passes on what lies before the limit.
func (w *limitedWriter) Write(p []byte) (int, error) {
	w.Header().Del("Content-Length") // too late, and harmless, behind the first byte
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

// headerWriter has the last word on one header.
type headerWriter struct {
	http.ResponseWriter
	name, value string
	sent        bool
}

// WriteHeader sets the header and sends all.
func (w *headerWriter) WriteHeader(status int) {
	w.sent = true
	w.Header().Set(w.name, w.value)
	w.ResponseWriter.WriteHeader(status)
}

// Write sends the header first, if nobody has.
func (w *headerWriter) Write(p []byte) (int, error) {
	if !w.sent {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController find the connection.
func (w *headerWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// drippingWriter sends single bytes from a place on.
type drippingWriter struct {
	http.ResponseWriter
	r             *http.Request
	before, count int
	every         time.Duration
}

// Write passes on what lies before the place and behind the drops.
func (w *drippingWriter) Write(p []byte) (int, error) {
	n := min(w.before, len(p))
	w.before -= n
	if _, err := w.ResponseWriter.Write(p[:n]); err != nil {
		return 0, err
	}
	if n < len(p) && w.count != 0 {
		_ = http.NewResponseController(w.ResponseWriter).Flush() // what was sent must arrive
	}
	for ; n < len(p) && w.count != 0; n++ {
		w.count--
		if err := w.drop(p[n : n+1]); err != nil {
			return n, err
		}
	}
	rest, err := w.ResponseWriter.Write(p[n:])
	return n + rest, err
}

func (w *drippingWriter) drop(b []byte) error {
	t := time.NewTimer(w.every)
	defer t.Stop()
	select {
	case <-t.C:
	case <-w.r.Context().Done():
		hangUp()
	}
	if _, err := w.ResponseWriter.Write(b); err != nil {
		return err
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// wholeWriter holds the answer back.
type wholeWriter struct {
	http.ResponseWriter
	status int
	body   strings.Builder
}

// WriteHeader remembers the status.
func (w *wholeWriter) WriteHeader(status int) { w.status = status }

// Write remembers the bytes.
func (w *wholeWriter) Write(p []byte) (int, error) { return w.body.Write(p) }
