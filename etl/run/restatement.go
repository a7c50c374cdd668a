package run

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"go.uber.org/zap"

	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/schema"
)

// NoAlert is a Source.AlertAbove that no change is beyond.
const NoAlert = 1

// Restatement is what publishing other content changed of a slice that readers
// saw before.
type Restatement struct {
	// Beyond are the figures that changed by more than the source's AlertAbove:
	// the rows first, then the largest changes.
	Beyond []Change
	// Err is why the totals could not be compared, nil when they were. The load
	// is published all the same.
	Err error
}

// Change is one figure of a slice before and after a restatement.
type Change struct {
	What           string // "rows", "product 24 (IBM DB2), PVU_SUB_CAP"
	Earlier, Later int64
}

// String writes "rows: 1200 -> 900 (-25 %)".
func (c Change) String() string {
	how := "new"
	switch {
	case c.Later == 0:
		how = "gone"
	case c.Earlier != 0:
		how = fmt.Sprintf("%+.3g %%", 100*float64(c.Later-c.Earlier)/float64(max(c.Earlier, -c.Earlier)))
	}
	return fmt.Sprintf("%s: %d -> %d (%s)", c.What, c.Earlier, c.Later, how)
}

// beyond reports whether the figure changed by more than the share above of what
// it was. Whatever came from nothing did.
func (c Change) beyond(above float64) bool {
	return above < NoAlert && float64(c.size()) > above*float64(max(c.Earlier, -c.Earlier))
}

func (c Change) size() int64 { return max(c.Later-c.Earlier, c.Earlier-c.Later) }

// beyondThreshold picks the changes to tell an operator of.
func beyondThreshold(above float64, rows Change, shifts []schema.Shift) []Change {
	changes := make([]Change, 0, len(shifts))
	for _, x := range shifts {
		metric := x.MetricCodeName
		if metric == "" {
			metric = fmt.Sprintf("metric %d", x.MetricID)
		}
		c := Change{What: fmt.Sprintf("product %d (%s), %s", x.ProductID, x.ProductName, metric), Earlier: x.Earlier, Later: x.Later}
		if c.beyond(above) {
			changes = append(changes, c)
		}
	}
	slices.SortStableFunc(changes, func(a, b Change) int { return cmp.Compare(b.size(), a.size()) })
	if rows.beyond(above) {
		changes = slices.Insert(changes, 0, rows)
	}
	return changes
}

// restatement compares a load that is about to be published with the version
// that it replaces; nil when it replaces none, or one of the same content.
func (s *sourceRun) restatement(ctx context.Context, item plan.Item, load schema.Load) *Restatement {
	before := item.Published
	if load.Status != schema.Published || before == nil || before.ContentHash == load.ContentHash {
		return nil
	}
	r := &Restatement{}
	if s.src.AlertAbove >= NoAlert {
		return r
	}
	var shifts []schema.Shift
	if item.Kind == schema.KindBigFix {
		shifts, r.Err = s.runner.o.Warehouse.Shifts(ctx, item.Slice, before.LoadID, load.LoadID)
	}
	rows := Change{What: "rows", Earlier: int64(before.Rows), Later: int64(load.Rows)} //nolint:gosec // counts of rows
	r.Beyond = beyondThreshold(s.src.AlertAbove, rows, shifts)
	return r
}

// changesLogged is how many of the changes a line of the log names.
const changesLogged = 5

// log tells of a restatement that an operator should look at.
func (r *Restatement) log(log *zap.Logger, load schema.Load) {
	fields := []zap.Field{zap.Uint64("load_id", load.LoadID), zap.Uint64("earlier_load_id", load.PreviousLoadID)}
	if r.Err != nil {
		log.Warn("restatement not compared", append(fields, zap.Error(r.Err))...)
	}
	if n := len(r.Beyond); n > 0 {
		log.Warn("restatement beyond the threshold", append(fields,
			zap.Int("changes", n), zap.Stringers("largest", r.Beyond[:min(n, changesLogged)]))...)
	}
}
