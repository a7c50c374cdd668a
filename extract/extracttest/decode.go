package extracttest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"hash/fnv"
	"io"
	"net/http"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/extract"
)

// What decoding a body may allocate in all, garbage included: buffers, and a
// multiple of the body.
const (
	allocBase    = 4 << 20
	allocPerByte = 200
	// readsBehindEnd is how often a decoder may ask for more when there is none.
	readsBehindEnd = 100
)

// RequireDecodes holds a source to what must be true of every body whatever,
// for fuzz tests: reading it ends, its memory and its records are bounded by its
// length, it does not matter in which pieces it arrives, every error says that
// the answer broke off or is a bad one, and no beginning of valid JSON passes
// for an answer. Of the beginnings it tries the one of cut bytes. It measures
// the memory of the process, so nothing else may run beside it. It tells whether
// the body was a complete answer.
func RequireDecodes(t *testing.T, s extract.Source, req extract.Request, body []byte, piece uint8, cut uint16) (complete bool) {
	t.Helper()
	whole := decode(t, s, req, body, len(body))
	require.Equal(t, whole, decode(t, s, req, body, int(piece)+1), "it depends on the pieces in which the body arrives")

	trimmed := bytes.TrimRight(body, " \t\r\n")
	if len(trimmed) == 0 || !json.Valid(body) {
		return whole.class == ""
	}
	n := int(cut) % len(trimmed)
	part := decode(t, s, req, trimmed[:n], n)
	require.NotEmpty(t, part.class, "%q passes for an answer, and is only the beginning of one", trimmed[:n])
	return whole.class == ""
}

// decoded is what a body came to.
type decoded struct {
	class   extract.Class // "" for a complete answer
	records uint64
	digest  uint64 // of all that was emitted
}

func decode(t *testing.T, s extract.Source, req extract.Request, body []byte, piece int) decoded {
	t.Helper()
	digest := fnv.New64a()
	var d decoded
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	answer, err := s.Pull(t.Context(), &recording{body: body, size: max(piece, 1)}, req, func(r *extract.Record) error {
		d.records++
		write(digest, r)
		return nil
	})
	runtime.ReadMemStats(&after)

	require.LessOrEqual(t, after.TotalAlloc-before.TotalAlloc, uint64(allocBase+allocPerByte*len(body)), "memory")
	require.LessOrEqual(t, d.records, uint64(len(body)), "records")
	require.LessOrEqual(t, answer.Bytes, int64(len(body)))
	d.digest = digest.Sum64()
	if err == nil {
		require.Equal(t, d.records, answer.Records)
		return d
	}
	var e *extract.Error
	require.ErrorAs(t, err, &e)
	require.Contains(t, []extract.Class{extract.Interrupted, extract.BadAnswer}, e.Class, "the error is %s", e)
	require.Less(t, len(e.Error()), 10_000)
	d.class = e.Class
	return d
}

// write adds all of a record to a digest.
func write(h hash.Hash, r *extract.Record) {
	fmt.Fprintf(h, "%d %q", r.Ordinal, r.Raw)
	for _, v := range r.Values {
		fmt.Fprintf(h, " %d %q", v.Kind, v.Bytes)
	}
	for _, f := range r.Extra {
		fmt.Fprintf(h, " %q %d %q", f.Name, f.Value.Kind, f.Value.Bytes)
	}
}

// recording answers the first query with a body, in pieces of a size, and has
// no answer to another.
type recording struct {
	body   []byte
	size   int
	played bool
}

// replay is a recording of one answer, as the spool gives it.
func replay(body []byte) *recording { return &recording{body: body, size: max(len(body), 1)} }

// Get asks nobody.
func (r *recording) Get(context.Context, extract.Query) (*extract.Response, error) {
	if r.played {
		return nil, &extract.Error{Class: extract.BadRequest, Doing: "replaying", Err: errors.New("nothing more was recorded")}
	}
	r.played = true
	return &extract.Response{Status: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(&pieces{left: r.body, size: r.size})}, nil
}

// pieces is a body that arrives bit by bit.
type pieces struct {
	left []byte
	size int
	over int // reads behind the end
}

// Read gives the next piece.
func (p *pieces) Read(b []byte) (int, error) {
	if len(p.left) == 0 {
		if p.over++; p.over > readsBehindEnd {
			panic("BUG: the decoder does not take the end for an answer")
		}
		return 0, io.EOF
	}
	n := copy(b, p.left[:min(p.size, len(p.left))])
	p.left = p.left[n:]
	return n, nil
}
