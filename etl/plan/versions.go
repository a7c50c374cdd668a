package plan

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/meterhouse/meterhouse/schema"
)

// Publication is a request of an operator to publish a load that exists.
type Publication struct {
	Slice schema.Slice
	// LoadID names the load; 0 leaves the choice to the ledger.
	LoadID uint64
	// Force publishes a refused load although later loads came to something else.
	Force bool
	// Note is why, in the operator's words.
	Note string
	Now  time.Time
}

// Version is the ledger row that publishes a load again, ready to be recorded
// but for the run, the host and the version of the program.
type Version struct {
	Row schema.Load
	// Before is what readers see until then, nil for nothing.
	Before *schema.Load
}

// Undo is the row that takes the publication back, as if an operator had rolled
// it back; false when readers saw nothing before it.
func (v Version) Undo(note string, now time.Time) (schema.Load, bool) {
	if v.Before == nil {
		return schema.Load{}, false
	}
	undo := Publication{Note: note, Now: now}.version(v.Before, &v.Row, &v.Row, schema.RolledBack).Row
	undo.RunID, undo.Host, undo.Version = v.Row.RunID, v.Row.Host, v.Row.Version
	return undo, true
}

// Accept finds the refused load to publish: the slice's latest one, or the one
// that is named. It gives an error when there is none, and, unless forced, when a
// later load of the slice was published or found unchanged: what was refused is
// then not the source's last word.
func Accept(ledger []schema.Load, p Publication) (Version, error) {
	rows := ofSlice(ledger, p.Slice)
	var refused *schema.Load
	for _, row := range rows {
		if row.Status == schema.Refused && (p.LoadID == 0 || row.LoadID == p.LoadID) && (refused == nil || later(row, refused)) {
			refused = row
		}
	}
	if refused == nil {
		return Version{}, noRefusal(rows, p.LoadID)
	}
	before := current(rows)
	if before != nil && before.LoadID == refused.LoadID {
		return Version{}, fmt.Errorf("load %d is what readers see already", refused.LoadID)
	}
	if word := lastWord(rows); word != nil && later(word, refused) && !p.Force {
		return Version{}, fmt.Errorf("load %d was refused at %s, and load %d came later (%s at %s): what was refused is not the last word; "+
			"--force publishes it all the same", refused.LoadID, at(refused), word.LoadID, word.Status, at(word))
	}
	return p.version(refused, before, lastOf(rows), schema.Accepted), nil
}

// lastWord is the latest row that published a version or found it unchanged, nil
// for none.
func lastWord(rows []*schema.Load) *schema.Load {
	var word *schema.Load
	for _, row := range rows {
		if (row.PublishedSeq > 0 || row.Status == schema.Unchanged) && (word == nil || later(row, word)) {
			word = row
		}
	}
	return word
}

// lastOf is the row that was written last, nil for none.
func lastOf(rows []*schema.Load) *schema.Load {
	var last *schema.Load
	for _, row := range rows {
		last = latest(row, last)
	}
	return last
}

func noRefusal(rows []*schema.Load, loadID uint64) error {
	switch row := find(rows, loadID); {
	case loadID == 0:
		return errors.New("no load of this day was ever refused")
	case row == nil:
		return fmt.Errorf("this day has no load %d", loadID)
	default:
		return fmt.Errorf("load %d was not refused, it is %s", loadID, row.Status)
	}
}

// Rollback finds the version to publish again: the one that readers saw before
// the current one, so that a second rollback takes the first one back; or the
// load that is named, which must have been published or refused: of other loads
// nobody knows that they are whole.
func Rollback(ledger []schema.Load, p Publication) (Version, error) {
	rows := ofSlice(ledger, p.Slice)
	before := current(rows)
	if before == nil {
		return Version{}, errors.New("nothing of this day was ever published")
	}
	target, err := Previous(ledger, p.Slice), error(nil)
	if p.LoadID != 0 {
		target, err = whole(rows, p.LoadID)
	}
	switch {
	case err != nil:
		return Version{}, err
	case target == nil:
		return Version{}, fmt.Errorf("load %d is the only version of this day that was ever published", before.LoadID)
	case target.LoadID == before.LoadID:
		return Version{}, fmt.Errorf("load %d is what readers see already", target.LoadID)
	}
	return p.version(target, before, lastOf(rows), schema.RolledBack), nil
}

// Current is the version of a slice that readers see, nil for none.
func Current(ledger []schema.Load, s schema.Slice) *schema.Load {
	return current(ofSlice(ledger, s))
}

// Previous is the version of a slice that readers saw before the current one,
// nil for none.
func Previous(ledger []schema.Load, s schema.Slice) *schema.Load {
	published := publications(ofSlice(ledger, s))
	for _, row := range slices.Backward(published) {
		if row.LoadID != published[len(published)-1].LoadID {
			return row
		}
	}
	return nil
}

// LastRefused is the refused load of a slice that came last, nil for none.
func LastRefused(ledger []schema.Load, s schema.Slice) *schema.Load {
	var last *schema.Load
	for _, row := range ofSlice(ledger, s) {
		if row.Status == schema.Refused && (last == nil || later(row, last)) {
			last = row
		}
	}
	return last
}

// Whole finds a load of a slice that was published or refused, and so is known
// to have been stored whole.
func Whole(ledger []schema.Load, s schema.Slice, loadID uint64) (*schema.Load, error) {
	return whole(ofSlice(ledger, s), loadID)
}

func whole(rows []*schema.Load, loadID uint64) (*schema.Load, error) {
	row := find(rows, loadID)
	switch {
	case row == nil:
		return nil, fmt.Errorf("this day has no load %d", loadID)
	case row.Status == schema.Unchanged:
		return nil, fmt.Errorf("load %d found the same as load %d, and has no rows of its own", loadID, row.PreviousLoadID)
	case row.Status == schema.Failed:
		return nil, fmt.Errorf("load %d failed: what is stored of it may be incomplete", loadID)
	}
	return row, nil
}

// version is the row that publishes target. It carries over what target says of
// its data; the source was not asked, and the moment is the operator's. before is
// what readers see, last the slice's latest row.
func (p Publication) version(target, before, last *schema.Load, status schema.Status) Version {
	row := *target
	row.Status, row.Reason = status, p.Note
	row.Requests, row.Bytes = 0, 0
	now := Moment(last, p.Now).UTC().Truncate(time.Second) // as the ledger keeps it
	row.StartedAt, row.FinishedAt = now, now
	row.PublishedSeq, row.PreviousLoadID = 0, 0
	if before != nil {
		row.PreviousLoadID = before.LoadID
	}
	return Version{Row: row, Before: before}
}

// rolledBackFrom lists the versions that an operator rolled back from and did
// not publish again since.
func rolledBackFrom(published []*schema.Load) []*schema.Load {
	var away []*schema.Load
	for _, row := range publications(published) {
		// What readers saw is not always the publication before: a load that was in
		// hand at that moment comes there too.
		if row.Status == schema.RolledBack {
			if from := find(published, row.PreviousLoadID); from != nil {
				away = append(away, from)
			}
		}
		if row.Status != schema.Published {
			away = slices.DeleteFunc(away, func(l *schema.Load) bool { return l.LoadID == row.LoadID })
		}
	}
	return away
}

// ofSlice are the rows of one slice.
func ofSlice(ledger []schema.Load, s schema.Slice) []*schema.Load {
	var rows []*schema.Load
	for i := range ledger {
		if ledger[i].Slice == s {
			rows = append(rows, &ledger[i])
		}
	}
	return rows
}

// publications are the rows that published a version, in the order in which they
// replaced each other.
func publications(rows []*schema.Load) []*schema.Load {
	var published []*schema.Load
	for _, row := range rows {
		if row.PublishedSeq > 0 {
			published = append(published, row)
		}
	}
	slices.SortFunc(published, func(a, b *schema.Load) int {
		return cmp.Or(cmp.Compare(a.PublishedSeq, b.PublishedSeq), cmp.Compare(a.LoadID, b.LoadID))
	})
	return published
}

// current is the version that readers see, nil for none.
func current(rows []*schema.Load) *schema.Load {
	published := publications(rows)
	if len(published) == 0 {
		return nil
	}
	return published[len(published)-1]
}

// find is the row of a load that says most of it: one that published it, else
// the latest one; nil when the slice has no such load.
func find(rows []*schema.Load, loadID uint64) *schema.Load {
	var found *schema.Load
	for _, row := range rows {
		if row.LoadID != loadID {
			continue
		}
		if found == nil || row.PublishedSeq > found.PublishedSeq || found.PublishedSeq == 0 && later(row, found) {
			found = row
		}
	}
	return found
}

// at is when a ledger row was written, for people.
func at(row *schema.Load) string { return row.FinishedAt.UTC().Format(time.DateTime) + " UTC" }
