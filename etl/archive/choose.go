package archive

import (
	"fmt"
	"slices"

	"github.com/meterhouse/meterhouse/schema"
)

// Seen is the version of a slice that readers see.
type Seen struct {
	// LoadID is the load whose answers it was made of.
	LoadID      uint64
	ContentHash string
}

// Choose picks of a slice's archived loads, oldest first, the one to load the
// slice from again. Where readers see a version, it is that one, even if a newer
// answer is archived: it was refused, or rolled back, or its load failed. Without
// a version (seen is nil) it is the newest that could be read, else the newest
// refused one, else the newest.
func Choose(loads []*Manifest, seen *Seen) (*Manifest, error) {
	if len(loads) == 0 {
		return nil, ErrNotArchived
	}
	newestFirst := slices.Clone(loads)
	slices.Reverse(newestFirst)
	find := func(match func(m *Manifest) bool) *Manifest {
		if i := slices.IndexFunc(newestFirst, match); i >= 0 {
			return newestFirst[i]
		}
		return nil
	}
	if seen != nil {
		m := find(func(m *Manifest) bool { return m.Load.LoadID == seen.LoadID })
		if m == nil {
			m = find(func(m *Manifest) bool {
				return m.Load.Status != schema.Failed && m.Load.ContentHash == seen.ContentHash
			})
		}
		if m == nil {
			newest := newestFirst[0].Load
			return nil, fmt.Errorf("load %d, which readers see, is %w; the newest that is there is load %d of %s, %s: name it with --load if it shall take its place",
				seen.LoadID, ErrNotArchived, newest.LoadID, newest.StartedAt.Format("2006-01-02 15:04:05"), newest.Status)
		}
		return m, nil
	}
	m := find(func(m *Manifest) bool { return m.Load.Status == schema.Published || m.Load.Status == schema.Unchanged })
	if m == nil {
		m = find(func(m *Manifest) bool { return m.Load.Status == schema.Refused })
	}
	if m == nil {
		m = newestFirst[0]
	}
	return m, nil
}
