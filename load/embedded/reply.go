package embedded

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/ClickHouse/ch-go/compress"
)

// reply is the answer to one request. Its first bytes are held back: an error
// that comes early still becomes an HTTP status, as on a server.
type reply struct {
	w       http.ResponseWriter
	held    bytes.Buffer
	started bool
	tag     string // marks an error in the body, told in a header: data cannot pass for it
}

// heldBytes is how much of an answer is held back.
const heldBytes = 1 << 20

// summary is the header X-ClickHouse-Summary.
type summary struct {
	ReadRows    uint64 `json:"read_rows,string"`
	ReadBytes   uint64 `json:"read_bytes,string"`
	WrittenRows uint64 `json:"written_rows,string"`
}

func newReply(w http.ResponseWriter, queryID string) *reply {
	r := &reply{w: w, tag: rand.Text()[:16]}
	w.Header().Set("X-ClickHouse-Query-Id", queryID)
	w.Header().Set("X-ClickHouse-Exception-Tag", r.tag)
	w.Header().Set("X-ClickHouse-Timezone", "UTC")
	return r
}

func (r *reply) format(f formatInfo) {
	r.w.Header().Set("Content-Type", f.contentType)
	r.w.Header().Set("X-ClickHouse-Format", f.name)
}

func (r *reply) Write(data []byte) (int, error) {
	if r.started {
		return r.w.Write(data)
	}
	if r.held.Len()+len(data) <= heldBytes {
		return r.held.Write(data)
	}
	r.started = true
	if _, err := r.w.Write(r.held.Bytes()); err != nil {
		return 0, err
	}
	r.held = bytes.Buffer{}
	return r.w.Write(data)
}

// finish ends an answer that is complete.
func (r *reply) finish(s summary) {
	if r.started {
		return
	}
	text, err := json.Marshal(s)
	if err != nil {
		panic("BUG: a summary is always JSON: " + err.Error())
	}
	r.w.Header().Set("X-ClickHouse-Summary", string(text))
	r.w.Header().Set("Content-Length", strconv.Itoa(r.held.Len()))
	_, _ = r.w.Write(r.held.Bytes()) // the client is gone: nobody to tell
}

// fail ends an answer with an error: by status and headers while nothing was
// sent, else by ClickHouse's mark at the end of a body that is then cut off.
func (r *reply) fail(err error) {
	e := asException(err)
	if r.started {
		message := e.text + "\n"
		_, _ = fmt.Fprintf(r.w, "\r\n__exception__\r\n%s\r\n%s%d %s\r\n__exception__\r\n", r.tag, message, len(message), r.tag)
		_ = http.NewResponseController(r.w).Flush()
		panic(http.ErrAbortHandler)
	}
	h := r.w.Header()
	h.Del("Content-Encoding")
	h.Del("X-ClickHouse-Format")
	h.Set("Content-Type", "text/plain; charset=UTF-8")
	h.Set("X-ClickHouse-Exception-Code", strconv.Itoa(e.code))
	if e.status() == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Basic realm="ClickHouse server HTTP API"`)
	}
	r.w.WriteHeader(e.status())
	_, _ = io.WriteString(r.w, e.text+"\n")
}

// asException gives an error that did not come from the engine a code too.
func asException(err error) *exception {
	if e, ok := errors.AsType[*exception](err); ok {
		return e
	}
	return errorf(codeUnknown, "UNKNOWN_EXCEPTION", "%v", err)
}

// encoder returns what the answer is written to, compressed as the client asked
// for, and the function that completes it.
func (r *reply) encoder(q *request) (w io.Writer, closeAll func() error) {
	switch {
	case q.framed == "ZSTD":
		return &frames{w: r, c: compress.NewWriter(compress.LevelZero, compress.ZSTD)}, noClose
	case q.framed != "":
		return &frames{w: r, c: compress.NewWriter(compress.LevelZero, compress.LZ4)}, noClose
	case q.gzip:
		r.w.Header().Set("Content-Encoding", "gzip")
		zipped := gzip.NewWriter(r)
		return zipped, zipped.Close
	}
	return r, noClose
}

func noClose() error { return nil }

// frames writes ClickHouse's compressed frames, one for each Write.
type frames struct {
	w io.Writer
	c *compress.Writer
}

func (f *frames) Write(data []byte) (int, error) {
	if err := f.c.Compress(data); err != nil {
		return 0, fmt.Errorf("compressing the answer: %w", err)
	}
	if _, err := f.w.Write(f.c.Data); err != nil {
		return 0, err
	}
	return len(data), nil
}
