package archive

import (
	"context"
	"errors"
	"io"
	"time"
)

// Fault is something wrong in the archive.
type Fault struct {
	Key  string `json:"key"`
	What string `json:"what"`
}

// Error is the fault in a sentence.
func (f *Fault) Error() string { return f.Key + ": " + f.What }

// writing is how long a load without manifest may be one that is being stored.
const writing = time.Hour

// Verify reads every object of a load and holds it against its hash. The
// faults are what is wrong with the load; the error says that it could not be
// looked at. Of a load that may be being stored in this moment nothing is wrong.
func (a *Archive) Verify(ctx context.Context, e Entry, now time.Time) ([]Fault, error) {
	folder := folderOf(e.Slice, e.LoadID)
	if !e.Complete() {
		if e.young(now, writing) {
			return nil, nil
		}
		return []Fault{{folder, "it is incomplete: it has no manifest, and was given up while it was stored"}}, nil
	}
	m, err := a.Manifest(ctx, e.Slice, e.LoadID)
	var fault *Fault
	switch {
	case errors.As(err, &fault):
		return []Fault{*fault}, nil
	case errors.Is(err, ErrNotArchived): // pruned meanwhile
		return nil, nil
	case err != nil:
		return nil, err
	}
	var faults []Fault
	for _, x := range m.Exchanges {
		f, err := a.VerifyObject(ctx, m, x)
		if err != nil {
			return faults, err
		}
		if f != nil {
			faults = append(faults, *f)
		}
	}
	return faults, nil
}

// VerifyObject reads one object and says what is wrong with it, nil for nothing.
func (a *Archive) VerifyObject(ctx context.Context, m *Manifest, x Exchange) (*Fault, error) {
	key := m.Key(x.Object)
	object, err := a.store.get(ctx, key)
	if errors.Is(err, errAbsent) {
		return &Fault{key, "it is missing"}, nil
	}
	if err != nil {
		return nil, &readError{key, err}
	}
	body, err := newVerified(x, object)
	if err != nil {
		return nil, &readError{key, err}
	}
	defer body.Close() //nolint:errcheck // only read from
	_, err = io.Copy(io.Discard, body)
	switch {
	case errors.Is(err, errCorrupt):
		return &Fault{key, err.Error()}, nil
	case err != nil:
		return nil, &readError{key, because(ctx, err)}
	}
	return nil, nil
}

type readError struct {
	key string
	err error
}

func (e *readError) Error() string { return "reading " + e.key + ": " + e.err.Error() }
func (e *readError) Unwrap() error { return e.err }
