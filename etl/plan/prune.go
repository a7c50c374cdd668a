package plan

import (
	"cmp"
	"slices"
	"time"

	"github.com/meterhouse/meterhouse/schema"
)

// Retention says how long the rows of loads are kept that no reader sees now.
type Retention struct {
	// Superseded is for versions that were published, from the moment at which
	// readers stopped seeing them.
	Superseded time.Duration
	// Unpublished is for loads that were refused or failed, from their end.
	Unpublished time.Duration
	Now         time.Time
}

// Prunable is a load whose rows may be deleted, and why: superseded, refused,
// failed or orphan.
type Prunable struct {
	schema.StoredLoad
	Why string `json:"why"`
}

// Why a load may be deleted, beside the status of one that was never published.
const (
	whySuperseded = "superseded"
	whyOrphan     = "orphan" // of a process that ended before it wrote its ledger row
)

// orphanAge is how old a load without a ledger row must be: a younger one may
// still be running.
const orphanAge = 48 * time.Hour

// Prune chooses the loads whose rows may be deleted: nobody sees them now, and
// nobody who asks for a moment within the retention, as license_usage_as_of does,
// would have seen them.
func Prune(stored []schema.StoredLoad, ledger []schema.Load, r Retention) []Prunable {
	kept := seenSince(ledger, r.Now.Add(-r.Superseded))
	rows := map[uint64][]*schema.Load{}
	for i := range ledger {
		rows[ledger[i].LoadID] = append(rows[ledger[i].LoadID], &ledger[i])
	}
	var out []Prunable
	for _, s := range stored {
		if kept[s.LoadID] {
			continue
		}
		if why := r.reason(s, rows[s.LoadID]); why != "" {
			out = append(out, Prunable{s, why})
		}
	}
	return out
}

// reason is why a load that nobody has seen for long enough may be deleted, ""
// when it may not.
func (r Retention) reason(s schema.StoredLoad, rows []*schema.Load) string {
	if len(rows) == 0 {
		if r.Now.Sub(schema.LoadTime(s.LoadID)) > orphanAge {
			return whyOrphan
		}
		return ""
	}
	last := rows[0]
	for _, row := range rows {
		if row.PublishedSeq > 0 {
			return whySuperseded
		}
		if later(row, last) {
			last = row
		}
	}
	if r.Now.Sub(last.FinishedAt) > r.Unpublished {
		return string(last.Status)
	}
	return ""
}

// seenSince are the loads that readers see now, or saw at any moment since. As
// in license_usage_as_of, the version of a moment is the highest publication
// among those written by then: what clocks that disagreed have done to their
// order does not matter.
func seenSince(ledger []schema.Load, since time.Time) map[uint64]bool {
	bySlice := map[schema.Slice][]*schema.Load{}
	for i := range ledger {
		if row := &ledger[i]; row.PublishedSeq > 0 {
			bySlice[row.Slice] = append(bySlice[row.Slice], row)
		}
	}
	seen := map[uint64]bool{}
	for _, published := range bySlice {
		slices.SortStableFunc(published, func(a, b *schema.Load) int {
			return cmp.Or(a.FinishedAt.Compare(b.FinishedAt), cmp.Compare(a.PublishedSeq, b.PublishedSeq), cmp.Compare(a.LoadID, b.LoadID))
		})
		top := published[0]
		for i, row := range published {
			if supersedes(row, top) {
				top = row
			}
			if i+1 == len(published) || published[i+1].FinishedAt.After(since) {
				seen[top.LoadID] = true
			}
		}
	}
	return seen
}
