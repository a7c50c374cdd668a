package archive

import (
	"context"
	"fmt"
	"time"

	"github.com/meterhouse/meterhouse/schema"
)

// Pruned sums up what was removed, or would be.
type Pruned struct {
	Loads int   `json:"loads"`
	Bytes int64 `json:"bytes"`
}

// leftover is how long a load without manifest is left alone.
const leftover = 24 * time.Hour

// Prune removes the loads that were pulled more than KeepDays days ago, and
// what was given up while it was stored. It tells each one to removing first;
// with dryRun it does no more than that.
func (a *Archive) Prune(ctx context.Context, now time.Time, dryRun bool, removing func(Entry)) (Pruned, error) {
	var p Pruned
	for e, err := range a.entries(ctx, "") {
		if err != nil {
			return p, err
		}
		if !a.due(e, now) {
			continue
		}
		removing(e)
		if !dryRun {
			if err := a.removeLoad(ctx, e); err != nil {
				return p, err
			}
		}
		p.Loads++
		p.Bytes += e.Size()
	}
	return p, nil
}

func (a *Archive) due(e Entry, now time.Time) bool {
	if !e.Complete() {
		return !e.young(now, leftover)
	}
	return a.keepDays > 0 && !e.young(now, time.Duration(a.keepDays)*24*time.Hour)
}

// removeLoad removes the manifest first: if it gets no further, the rest is a
// leftover and not a load with objects missing.
func (a *Archive) removeLoad(ctx context.Context, e Entry) error {
	folder := folderOf(e.Slice, e.LoadID)
	names := []string{manifestName}
	for name := range e.Bytes {
		if name != manifestName {
			names = append(names, name)
		}
	}
	for _, name := range names {
		if err := a.remove(ctx, folder+name); err != nil {
			return fmt.Errorf("removing %s: %w", folder+name, err)
		}
	}
	return nil
}

// young reports whether the load began less than age ago.
func (e *Entry) young(now time.Time, age time.Duration) bool {
	return now.Sub(schema.LoadTime(e.LoadID)) < age
}
