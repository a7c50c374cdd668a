package archive

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/schema"
)

// format is the version of the manifest's form. A reader refuses later ones.
const format = 1

// Manifest says what a load asked for and what it was answered. It holds no
// secret: they are added to requests behind what is recorded here.
type Manifest struct {
	Format int `json:"format"`
	// Load is the ledger row that was about to be written. The archive comes
	// first, so only the ledger knows whether it was published.
	Load schema.Load `json:"load"`
	// SourceAsOf is when the source says that its data was computed, nil where it
	// does not.
	SourceAsOf *time.Time `json:"source_as_of,omitempty"`
	// ComputerGroup (bigfix) and Target (nexthink) are what was asked for, as the
	// rows carry it: the configuration may say something else by now.
	ComputerGroup int64          `json:"computer_group,omitempty"`
	Target        *schema.Target `json:"target,omitempty"`
	// Exchanges are the requests in the order they were made.
	Exchanges []Exchange `json:"exchanges"`
}

// Exchange is one request and its answer.
type Exchange struct {
	// Object is the name of the object in the load's folder: the answer's body,
	// decompressed as HTTP had it, compressed with zstd.
	Object string     `json:"object"`
	Doing  string     `json:"doing,omitempty"` // what the request was for, in words
	Path   string     `json:"path"`            // below the source's URL
	Query  url.Values `json:"query,omitempty"`
	Accept string     `json:"accept,omitempty"`
	// AnsweredAt is when the answer began, UTC.
	AnsweredAt time.Time   `json:"answered_at"`
	Status     int         `json:"status"`
	Header     http.Header `json:"header,omitempty"` // those of keptHeaders
	Attempts   int         `json:"attempts"`
	// Bytes and SHA256 are of the body, the other two of the object.
	Bytes        int64  `json:"bytes"`
	SHA256       string `json:"sha256"`
	ObjectBytes  int64  `json:"object_bytes"`
	ObjectSHA256 string `json:"object_sha256"`
}

// LoadID is the load that the answers were pulled for.
func (m *Manifest) LoadID() uint64 { return m.Load.LoadID }

// Header is what the rows of these answers share. loadID is the load that they
// are to be inserted under.
func (m *Manifest) Header(loadID uint64) schema.LoadHeader {
	h := schema.LoadHeader{
		LoadID: loadID, Slice: m.Load.Slice, Kind: m.Load.Kind,
		ComputerGroup: m.ComputerGroup, RetrievedAt: m.Load.StartedAt,
	}
	if m.Target != nil {
		h.Target = *m.Target
	}
	return h
}

// Key is where in the archive an object of the load lies.
func (m *Manifest) Key(object string) string { return folderOf(m.Load.Slice, m.Load.LoadID) + object }

// keptHeaders are the headers of an answer that say something about its body.
// All others, cookies first of all, are left out.
func keptHeaders() []string {
	return []string{"Content-Type", "Content-Language", "Date", "Last-Modified", "Etag", "Startdate", "Enddate"}
}

func keepHeaders(all http.Header) http.Header {
	kept := http.Header{}
	for _, name := range keptHeaders() {
		if values := all.Values(name); len(values) > 0 {
			kept[name] = slices.Clone(values)
		}
	}
	return kept
}

// keepQuery leaves out what a name calls a secret. No source puts one there; it
// would be no reason to store it.
func keepQuery(all url.Values) url.Values {
	kept := maps.Clone(all)
	maps.DeleteFunc(kept, func(name string, _ []string) bool {
		name = strings.ToLower(name)
		return slices.ContainsFunc([]string{"token", "password", "secret", "apikey", "api_key"}, func(word string) bool {
			return strings.Contains(name, word)
		})
	})
	return kept
}

// exchange begins the entry of a request whose answer has just begun.
func exchange(n int, q extract.Query, resp *extract.Response) Exchange {
	return Exchange{
		Object: objectName(n), Doing: q.Doing, Path: q.Path, Query: keepQuery(q.Values), Accept: q.Accept,
		AnsweredAt: time.Now().UTC(), Status: resp.Status, Header: keepHeaders(resp.Header), Attempts: resp.Attempts,
	}
}

func (m *Manifest) encode() ([]byte, error) {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encoding the manifest: %w", err)
	}
	return append(text, '\n'), nil
}

// decode reads a manifest and holds it against the place where it was found.
func decode(text []byte, s schema.Slice, loadID uint64) (*Manifest, error) {
	m := &Manifest{}
	if err := json.Unmarshal(text, m); err != nil {
		return nil, fmt.Errorf("it cannot be read: %w", err)
	}
	if m.Format > format {
		return nil, fmt.Errorf("it is of format %d, and this program knows %d: a newer one wrote it", m.Format, format)
	}
	if m.Load.Slice != s || m.Load.LoadID != loadID {
		return nil, fmt.Errorf("it is of load %d of %s %s, day %s", m.Load.LoadID, m.Load.Source, m.Load.Feed, m.Load.Day)
	}
	for _, x := range m.Exchanges {
		if strings.Contains(x.Object, "/") || !strings.HasSuffix(x.Object, objectSuffix) {
			return nil, fmt.Errorf("it names the object %q", x.Object)
		}
	}
	return m, nil
}
