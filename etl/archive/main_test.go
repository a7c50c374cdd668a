package archive_test

import (
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/meterhouse/meterhouse/etl/archive"
	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/schema"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The keys of the bucket. No byte of the archive may hold them.
const (
	accessKey = "AKIAMETERHOUSETEST"
	secretKey = "bucket-secret-4711"
)

// place is where an archive is in a test, with what a fault needs to get at it.
type place struct {
	archive *archive.Archive
	server  *s3Server // nil for a folder
	dir     string    // "" for a bucket
}

// inBothPlaces runs the test with an archive in a folder and with one in a bucket.
func inBothPlaces(t *testing.T, keepDays int, test func(t *testing.T, p *place)) {
	t.Helper()
	t.Run("folder", func(t *testing.T) {
		t.Parallel()
		test(t, inFolder(t, keepDays))
	})
	t.Run("bucket", func(t *testing.T) {
		t.Parallel()
		test(t, inBucket(t, keepDays))
	})
}

func inFolder(t *testing.T, keepDays int) *place {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "not", "there", "yet")
	a, err := archive.Open(archive.Options{Dir: dir, KeepDays: keepDays})
	require.NoError(t, err)
	return &place{archive: a, dir: dir}
}

func inBucket(t *testing.T, keepDays int) *place {
	t.Helper()
	s := startS3(t)
	a, err := archive.Open(archive.Options{KeepDays: keepDays, Bucket: archive.Bucket{
		Endpoint: s.host, CAFile: s.caFile, Region: "us-east-1", Name: "licenses", Prefix: "raw/prod",
		AccessKey:    func() string { return accessKey },
		SecretKey:    func() string { return secretKey },
		SessionToken: func() string { return "" },
	}})
	require.NoError(t, err)
	t.Cleanup(a.Close)
	return &place{archive: a, server: s}
}

// s3Server is an S3 server on loopback, in memory, with one bucket. It is a TLS
// server, because without TLS the client sends the parts of a large object in a
// coding that the server does not undo.
type s3Server struct {
	host    string
	caFile  string
	backend *s3mem.Backend

	mu sync.Mutex
	// refuse says which requests are answered with status 403; nil for none.
	refuse func(r *http.Request) bool
}

func startS3(t *testing.T) *s3Server {
	t.Helper()
	s := &s3Server{backend: s3mem.New()}
	require.NoError(t, s.backend.CreateBucket("licenses"))
	handler := gofakes3.New(s.backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		refused := s.refuse != nil && s.refuse(r)
		s.mu.Unlock()
		if refused {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	s.host = strings.TrimPrefix(server.URL, "https://")
	s.caFile = filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(s.caFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600))
	return s
}

// noon is when the loads of the tests began.
func noon() time.Time { return time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC) }

func day(t *testing.T, s string) schema.Day {
	t.Helper()
	d, err := schema.ParseDay(s)
	require.NoError(t, err)
	return d
}

// visio is a slice whose feed has a slash.
func visio(t *testing.T) schema.Slice {
	t.Helper()
	return schema.Slice{Source: "portal", Feed: "visio/installed", Day: day(t, "2026-11-20")}
}

// source answers requests as a server does, and counts them.
type source struct {
	bodies map[string][]string // by path, in the order of the requests
	header http.Header
	asked  int
	cut    map[string]bool // paths whose bodies break off in the middle
}

func (s *source) Get(_ context.Context, q extract.Query) (*extract.Response, error) {
	bodies := s.bodies[q.Path]
	if len(bodies) == 0 {
		return nil, &extract.Error{Class: extract.Forbidden, Status: http.StatusForbidden}
	}
	s.asked++
	s.bodies[q.Path] = bodies[1:]
	body := io.Reader(strings.NewReader(bodies[0]))
	if s.cut[q.Path] {
		body = io.MultiReader(strings.NewReader(bodies[0][:len(bodies[0])/2]), brokenOff{})
	}
	return &extract.Response{Status: http.StatusOK, Header: s.header, Attempts: 2, Body: io.NopCloser(body)}, nil
}

type brokenOff struct{}

func (brokenOff) Read([]byte) (int, error) {
	return 0, &extract.Error{Class: extract.Interrupted, Doing: "reading", Err: io.ErrUnexpectedEOF}
}

// ask pulls paths through via and gives the bodies, each read to its end.
func ask(t *testing.T, via extract.Getter, paths ...string) []string {
	t.Helper()
	var got []string
	for _, path := range paths {
		resp, err := via.Get(t.Context(), extract.Query{Path: path, Doing: "asking for " + path, Values: url.Values{
			"columns[]": {"b", "a"}, "token": {"t0ps3cret"},
		}})
		require.NoError(t, err)
		text, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		got = append(got, string(text))
	}
	return got
}

func newRecording(t *testing.T, o archive.RecordingOptions) *archive.Recording {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	r, err := archive.NewRecording(o)
	require.NoError(t, err)
	t.Cleanup(r.Remove)
	return r
}

// keep records answers to the given bodies, one path each, and archives them.
func (p *place) keep(t *testing.T, load schema.Load, bodies ...string) *archive.Manifest {
	t.Helper()
	m, err := p.tryToKeep(t, load, bodies...)
	require.NoError(t, err)
	return m
}

func (p *place) tryToKeep(t *testing.T, load schema.Load, bodies ...string) (*archive.Manifest, error) {
	t.Helper()
	s := &source{bodies: map[string][]string{}, header: http.Header{
		"Content-Type": {"application/json"}, "Set-Cookie": {"session=c00kie"}, "Authorization": {"Basic auth0rization"},
		"X-Api-Key": {"ap1key"}, "Date": {"Fri, 20 Nov 2026 12:00:00 GMT"},
	}}
	var paths []string
	for i, body := range bodies {
		path := fmt.Sprintf("api/%d", i)
		paths = append(paths, path)
		s.bodies[path] = []string{body}
	}
	r := newRecording(t, archive.RecordingOptions{})
	ask(t, r.Record(s), paths...)
	m := &archive.Manifest{Load: load, Target: &schema.Target{Metric: "m", Path: []string{"Europe", "Zürich"}, List: "installed"}}
	return m, p.archive.Store(t.Context(), m, r)
}

// loadOf is a load of the slice that began at that time.
func loadOf(s schema.Slice, began time.Time) schema.Load {
	return schema.Load{
		LoadID: schema.NewLoadID(began), Slice: s, Kind: schema.KindNexthink, Status: schema.Published,
		Rows: 3, ContentHash: schema.NoContent, StartedAt: began, FinishedAt: began.Add(time.Second),
	}
}

// keys lists all that the archive's place holds.
func (p *place) keys(t *testing.T) []string {
	t.Helper()
	var keys []string
	for e, err := range p.archive.Entries(t.Context(), "", "") {
		require.NoError(t, err)
		for name := range e.Bytes {
			keys = append(keys, fmt.Sprintf("%d/%s", e.LoadID, name))
		}
	}
	return keys
}
