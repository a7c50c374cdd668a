package run

import (
	"cmp"
	"fmt"
	"slices"
	"sync"

	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/schema"
)

// Guards are the limits beyond which a load is stored but not published,
// because it is more likely that the source is wrong than that the estate
// changed so much. An operator can look and accept it.
type Guards struct {
	// MinRows refuses loads with fewer rows.
	MinRows uint64
	// MaxShrink is the share of rows, 0 to 1, that may vanish against the
	// version published now or, for a new day, the median of the feed's last
	// seven published days.
	MaxShrink float64
	// MaxRejects is the share, 0 to 1, of source rows that may be rejected.
	MaxRejects float64
	// AllowEmpty lets a day without rows be published although the feed has had rows.
	AllowEmpty bool
}

// Refusal is why a guard stopped a load.
type Refusal struct{ Reason string }

// Error gives the reason and the ways out.
func (r *Refusal) Error() string {
	return r.Reason + "; it is stored, and readers do not see it. If the source is right, `meterhouse accept` publishes it"
}

// Check gives the reason to refuse a load of the item with these totals, nil when there is none.
func (g Guards) Check(item plan.Item, got schema.Totals) *Refusal {
	if total := got.Rows + got.Rejects; total > 0 && float64(got.Rejects)/float64(total) > g.MaxRejects {
		return &Refusal{fmt.Sprintf("%d of %d rows of the source could not be read, more than guards.max_rejects allows (%.4g)",
			got.Rejects, total, g.MaxRejects)}
	}
	if got.Rows < g.MinRows {
		return &Refusal{fmt.Sprintf("%d rows, fewer than guards.min_rows (%d)", got.Rows, g.MinRows)}
	}
	if got.Rows == 0 && g.AllowEmpty {
		return nil
	}
	if got.Rows == 0 && item.EverRows {
		return &Refusal{"no rows, although this feed has had rows before (guards.allow_empty is false)"}
	}
	before, what := expected(item)
	if floor := float64(before) * (1 - g.MaxShrink); float64(got.Rows) < floor {
		return &Refusal{fmt.Sprintf("%d rows against %d of %s, a larger loss than guards.max_shrink allows (%.4g)",
			got.Rows, before, what, g.MaxShrink)}
	}
	return nil
}

// recentDays is how many published days the guards compare a new day with.
const recentDays = 7

// history knows the rows that this run has verified, by feed and day. The
// plan was made before them; without it a backfill of an empty warehouse would
// have nothing to compare its days with.
type history struct {
	mu   sync.Mutex
	rows map[string]map[schema.Day]uint64
}

func (h *history) add(item plan.Item, rows uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.rows == nil {
		h.rows = map[string]map[schema.Day]uint64{}
	}
	if h.rows[item.Feed] == nil {
		h.rows[item.Feed] = map[schema.Day]uint64{}
	}
	h.rows[item.Feed][item.Day] = rows
}

// extend gives the item with what the run has learned about earlier days.
func (h *history) extend(item plan.Item) plan.Item {
	h.mu.Lock()
	defer h.mu.Unlock()
	learned := h.rows[item.Feed]
	recent := slices.DeleteFunc(slices.Clone(item.Recent), func(d plan.DayRows) bool {
		_, again := learned[d.Day]
		return again
	})
	for day, rows := range learned {
		item.EverRows = item.EverRows || rows > 0
		if day < item.Day {
			recent = append(recent, plan.DayRows{Day: day, Rows: rows})
		}
	}
	slices.SortFunc(recent, func(a, b plan.DayRows) int { return cmp.Compare(a.Day, b.Day) })
	item.Recent = recent[max(0, len(recent)-recentDays):]
	return item
}

// expected is the number of rows to compare with, and where it comes from.
func expected(item plan.Item) (uint64, string) {
	if item.Published != nil {
		return item.Published.Rows, "the version published now"
	}
	if len(item.Recent) == 0 {
		return 0, ""
	}
	recent := make([]uint64, len(item.Recent))
	for i, day := range item.Recent {
		recent[i] = day.Rows
	}
	slices.Sort(recent)
	return recent[len(recent)/2], "the median of the last published days"
}
