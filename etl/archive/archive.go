package archive

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"slices"
	"time"

	"github.com/meterhouse/meterhouse/schema"
)

// Options say where the archive is.
type Options struct {
	// Dir is a folder, which is made when the first load is stored; "" for Bucket.
	Dir    string
	Bucket Bucket
	// KeepDays is how long after its pull a load is kept; 0 for ever.
	KeepDays int
}

// Archive is safe for parallel use.
type Archive struct {
	store    store
	close    func()
	where    string
	keepDays int
}

// objectTimeout bounds what is done with one object; a large one goes through a
// slow line in it.
const objectTimeout = 15 * time.Minute

var errObjectTimeout = fmt.Errorf("the archive did not take the object within %s", objectTimeout)

// ErrNotArchived is what there is no manifest for.
var ErrNotArchived = errors.New("not in the archive")

// Open checks the options; it neither makes the folder nor asks the bucket.
func Open(o Options) (*Archive, error) {
	if o.Dir != "" {
		dir, err := filepath.Abs(o.Dir)
		if err != nil {
			return nil, fmt.Errorf("opening the archive: %w", err)
		}
		return &Archive{store: &folder{dir}, close: func() {}, where: "file:" + filepath.ToSlash(dir), keepDays: o.KeepDays}, nil
	}
	b, err := newBucket(o.Bucket)
	if err != nil {
		return nil, fmt.Errorf("opening the archive: %w", err)
	}
	where := "s3://" + o.Bucket.Name
	if o.Bucket.Prefix != "" {
		where += "/" + o.Bucket.Prefix
	}
	return &Archive{store: b, close: b.transport.CloseIdleConnections, where: where, keepDays: o.KeepDays}, nil
}

// Close closes idle connections.
func (a *Archive) Close() { a.close() }

// Where is the archive's URL.
func (a *Archive) Where() string { return a.where }

// Probe writes a small object and removes it again.
func (a *Archive) Probe(ctx context.Context) error {
	key := fmt.Sprintf("probe-%d", schema.NewLoadID(time.Now()))
	if err := a.put(ctx, key, []byte("probe\n")); err != nil {
		return fmt.Errorf("writing to the archive: %w", err)
	}
	if err := a.remove(ctx, key); err != nil {
		return fmt.Errorf("removing from the archive: %w", err)
	}
	return nil
}

// Store archives what was recorded for a load, without answers that broke off:
// the answers first and the manifest, which it completes, last. After an error what was stored of the load
// is removed again as far as that is possible; what stays is incomplete and
// counts for nothing.
func (a *Archive) Store(ctx context.Context, m *Manifest, r *Recording) error {
	err := r.kept()
	if err == nil {
		m.Format, m.Exchanges = format, r.exchanges
		err = a.storeAll(ctx, m, r)
	}
	if err != nil {
		return fmt.Errorf("archiving load %d: %w", m.Load.LoadID, err)
	}
	return nil
}

func (a *Archive) storeAll(ctx context.Context, m *Manifest, r *Recording) (err error) {
	defer func() {
		if err != nil {
			a.discard(context.WithoutCancel(ctx), m)
		}
	}()
	for _, x := range m.Exchanges {
		if err := a.storeObject(ctx, m, r, x); err != nil {
			return fmt.Errorf("writing %s: %w", m.Key(x.Object), err)
		}
	}
	text, err := m.encode()
	if err != nil {
		return err
	}
	if err := a.put(ctx, m.Key(manifestName), text); err != nil {
		return fmt.Errorf("writing %s: %w", m.Key(manifestName), err)
	}
	return nil
}

func (a *Archive) storeObject(ctx context.Context, m *Manifest, r *Recording, x Exchange) error {
	f, err := r.open(x.Object)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read from
	limited, cancel := context.WithTimeoutCause(ctx, objectTimeout, errObjectTimeout)
	defer cancel()
	return because(limited, a.store.put(limited, m.Key(x.Object), f, x.ObjectBytes))
}

func (a *Archive) put(ctx context.Context, key string, text []byte) error {
	limited, cancel := context.WithTimeoutCause(ctx, objectTimeout, errObjectTimeout)
	defer cancel()
	return because(limited, a.store.put(limited, key, bytes.NewReader(text), int64(len(text))))
}

func (a *Archive) remove(ctx context.Context, key string) error {
	limited, cancel := context.WithTimeoutCause(ctx, objectTimeout, errObjectTimeout)
	defer cancel()
	return because(limited, a.store.remove(limited, key))
}

// because gives the reason why ctx ended, if that is what err is about.
func because(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// discard removes what there is of a load, the manifest first.
func (a *Archive) discard(ctx context.Context, m *Manifest) {
	const patience = 10 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_ = a.store.remove(ctx, m.Key(manifestName))
	for _, x := range m.Exchanges {
		_ = a.store.remove(ctx, m.Key(x.Object))
	}
}

// Replay is a Getter that gives the answers of an archived load again.
func (a *Archive) Replay(m *Manifest) *Replayer {
	return newReplayer(m.Exchanges, func(ctx context.Context, object string) (io.ReadCloser, error) {
		return a.store.get(ctx, m.Key(object))
	})
}

// Manifest reads the manifest of a load. Its error is an ErrNotArchived when
// there is none.
func (a *Archive) Manifest(ctx context.Context, s schema.Slice, loadID uint64) (*Manifest, error) {
	key := folderOf(s, loadID) + manifestName
	body, err := a.store.get(ctx, key)
	if errors.Is(err, errAbsent) {
		return nil, fmt.Errorf("load %d of %s %s, day %s: %w", loadID, s.Source, s.Feed, s.Day, ErrNotArchived)
	}
	var text []byte
	if err == nil {
		text, err = io.ReadAll(body)
		_ = body.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", key, err)
	}
	m, err := decode(text, s, loadID)
	if err != nil {
		return nil, &Fault{Key: key, What: err.Error()}
	}
	return m, nil
}

// Holds reports whether a load of the slice with this content is archived.
func (a *Archive) Holds(ctx context.Context, s schema.Slice, contentHash string) (bool, error) {
	loads, _, err := a.Loads(ctx, s) // one whose manifest is damaged holds nothing
	return slices.ContainsFunc(loads, func(m *Manifest) bool { return m.Load.ContentHash == contentHash }), err
}

// Loads reads the manifests of a slice's complete loads, oldest first. The
// faults are manifests that cannot be read.
func (a *Archive) Loads(ctx context.Context, s schema.Slice) (loads []*Manifest, faults []Fault, err error) {
	for e, err := range a.entries(ctx, daysOf(s.Source, s.Feed)+s.Day.String()+"/") {
		if err != nil {
			return nil, nil, err
		}
		if !e.Complete() {
			continue
		}
		m, err := a.Manifest(ctx, s, e.LoadID)
		var fault *Fault
		switch {
		case err == nil:
			loads = append(loads, m)
		case errors.As(err, &fault):
			faults = append(faults, *fault)
		default:
			return nil, nil, err
		}
	}
	slices.SortFunc(loads, func(x, y *Manifest) int { return cmp.Compare(x.Load.LoadID, y.Load.LoadID) })
	return loads, faults, nil
}

// Entry is what there is of one load.
type Entry struct {
	schema.Slice
	LoadID uint64
	// Bytes are the sizes of its objects, by name.
	Bytes map[string]int64
}

// Complete reports whether the manifest is there.
func (e *Entry) Complete() bool {
	_, there := e.Bytes[manifestName]
	return there
}

// Size is the sum over the objects.
func (e *Entry) Size() int64 {
	var n int64
	for _, size := range e.Bytes {
		n += size
	}
	return n
}

// Entries lists the loads of a feed, of all feeds of a source when feed is "",
// and of all sources when source is "", too. What is not ours is passed over.
func (a *Archive) Entries(ctx context.Context, source, feed string) iter.Seq2[Entry, error] {
	return a.entries(ctx, daysOf(source, feed))
}

func (a *Archive) entries(ctx context.Context, prefix string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		var e Entry
		for o, err := range a.store.list(ctx, prefix) {
			if err != nil {
				yield(Entry{}, fmt.Errorf("listing the archive: %w", because(ctx, err)))
				return
			}
			s, loadID, name, ours := parseKey(o.key)
			if !ours {
				continue
			}
			if e.Bytes != nil && (s != e.Slice || loadID != e.LoadID) {
				if !yield(e, nil) {
					return
				}
				e = Entry{}
			}
			if e.Bytes == nil {
				e = Entry{Slice: s, LoadID: loadID, Bytes: map[string]int64{}}
			}
			e.Bytes[name] = o.size
		}
		if e.Bytes != nil {
			yield(e, nil)
		}
	}
}
