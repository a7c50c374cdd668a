package run

import (
	"context"
	"fmt"

	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/schema"
)

// Stock is what deleting loads needs of the warehouse.
type Stock interface {
	// Stored lists what there is of loads, published or not, table by table.
	Stored(ctx context.Context) ([]schema.StoredTable, error)
	// AllLoads reads the whole ledger.
	AllLoads(ctx context.Context) ([]schema.Load, error)
	// MarkPruned writes down that the rows of the loads are about to be deleted.
	// Marking twice is harmless.
	MarkPruned(ctx context.Context, loads []schema.PrunedLoad) error
	// DeleteLoads deletes the rows of loads from a table and waits until they are gone.
	DeleteLoads(ctx context.Context, table string, loadIDs []uint64) error
}

// PruneReport is what a prune deletes.
type PruneReport struct {
	Loads  []plan.Prunable `json:"loads"` // their rows in all tables together
	Tables []PrunedTable   `json:"tables"`

	stock []schema.StoredTable // what it was chosen from
}

// PrunedTable is what a prune deletes from one table.
type PrunedTable struct {
	Name  string `json:"table"`
	Loads int    `json:"loads"`
	Rows  uint64 `json:"rows"`
	// Bytes on the server's disk, estimated from the table's average row.
	Bytes uint64 `json:"bytes"`

	ids []uint64
}

// PlanPrune chooses what a prune would delete, and changes nothing.
func PlanPrune(ctx context.Context, w Stock, r plan.Retention) (PruneReport, error) {
	// The tables are read first: what a load brings in meanwhile is not among
	// them, and its ledger row is known if it is.
	tables, err := w.Stored(ctx)
	if err != nil {
		return PruneReport{}, err //nolint:wrapcheck // says what was asked
	}
	ledger, err := w.AllLoads(ctx)
	if err != nil {
		return PruneReport{}, err //nolint:wrapcheck // says what was asked
	}
	return report(tables, plan.Prune(inAllTables(tables), ledger, r)), nil
}

// Prune deletes what PlanPrune chose, except what was published meanwhile, and
// reports what it deleted. Killed at any moment, it leaves marked loads behind
// whose rows the next prune deletes. mark holds the time, host and version that
// are written down.
func Prune(ctx context.Context, w Stock, r plan.Retention, chosen PruneReport, mark schema.PrunedLoad) (PruneReport, error) {
	if len(chosen.Loads) == 0 {
		return chosen, nil
	}
	marks := make([]schema.PrunedLoad, len(chosen.Loads))
	for i, l := range chosen.Loads {
		marks[i] = mark
		marks[i].StoredLoad, marks[i].Reason = l.StoredLoad, l.Why
	}
	if err := w.MarkPruned(ctx, marks); err != nil {
		return PruneReport{}, err //nolint:wrapcheck // says what was done
	}
	// Whoever publishes one of them after this sees its mark; who did so before is
	// seen here.
	ledger, err := w.AllLoads(ctx)
	if err != nil {
		return PruneReport{}, err //nolint:wrapcheck // says what was asked
	}
	chosen = chosen.only(ledger, r)
	for _, t := range chosen.Tables {
		if err := w.DeleteLoads(ctx, t.Name, t.ids); err != nil {
			return PruneReport{}, fmt.Errorf("%w; the same command goes on from there", err)
		}
	}
	return chosen, nil
}

// only leaves out the loads that must be kept by now.
func (p PruneReport) only(ledger []schema.Load, r plan.Retention) PruneReport {
	stored := make([]schema.StoredLoad, len(p.Loads))
	for i, l := range p.Loads {
		stored[i] = l.StoredLoad
	}
	return report(p.stock, plan.Prune(stored, ledger, r))
}

// report counts what the chosen loads have in the tables, without those in which
// they have nothing.
func report(tables []schema.StoredTable, loads []plan.Prunable) PruneReport {
	chosen := map[uint64]bool{}
	for _, l := range loads {
		chosen[l.LoadID] = true
	}
	p := PruneReport{Loads: append([]plan.Prunable{}, loads...), Tables: []PrunedTable{}, stock: tables}
	for _, table := range tables {
		t := PrunedTable{Name: table.Name}
		var all uint64
		for _, l := range table.Loads {
			all += l.Rows
			if chosen[l.LoadID] {
				t.Loads++
				t.Rows += l.Rows
				t.ids = append(t.ids, l.LoadID)
			}
		}
		if t.Loads > 0 {
			t.Bytes = uint64(float64(table.Bytes) * float64(t.Rows) / float64(all))
			p.Tables = append(p.Tables, t)
		}
	}
	return p
}

// inAllTables adds up what each load has in the tables.
func inAllTables(tables []schema.StoredTable) []schema.StoredLoad {
	var loads []schema.StoredLoad
	at := map[uint64]int{}
	for _, t := range tables {
		for _, l := range t.Loads {
			i, known := at[l.LoadID]
			if !known {
				i = len(loads)
				at[l.LoadID] = i
				loads = append(loads, schema.StoredLoad{LoadID: l.LoadID, Slice: l.Slice})
			}
			loads[i].Rows += l.Rows
		}
	}
	return loads
}
