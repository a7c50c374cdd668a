package load

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/meterhouse/meterhouse/schema"
)

// VerifyStored compares what the warehouse holds of a load with the rows and
// rejects that its ledger row names: whether it is still there, whole. A load
// that is not gives a *VerifyError, a server that does not answer an *Error.
func (w *Warehouse) VerifyStored(ctx context.Context, l schema.Load) error {
	doing := fmt.Sprintf("verifying load %d", l.LoadID)
	table, ok := schema.FactTable(l.Kind)
	if !ok {
		return &Error{Class: Invalid, Doing: doing, Err: fmt.Errorf("no kind of source %q", l.Kind)}
	}
	var keys uint64
	var held schema.Totals
	err := w.conn.QueryRow(ctx, verifySQL(table, l.LoadID)).
		Scan(&held.Rows, &keys, &held.Rejects, &held.Controls[0], &held.Controls[1])
	if err != nil {
		return fail(err, doing)
	}
	// The ledger does not keep the controls.
	sent := schema.Totals{Rows: l.Rows, Rejects: l.Rejects, Controls: held.Controls}
	if d := differences(table, sent, held); len(d) > 0 {
		return &VerifyError{LoadID: l.LoadID, Table: table.Name, Differences: d}
	}
	return nil
}

// Stored lists what there is of loads, published or not, in the order of
// schema.StoredTables.
func (w *Warehouse) Stored(ctx context.Context) ([]schema.StoredTable, error) {
	var tables []schema.StoredTable
	for _, t := range schema.StoredTables() {
		stored, err := w.storedTable(ctx, t)
		if err != nil {
			return nil, fail(err, "listing the loads in "+t.Name)
		}
		tables = append(tables, stored)
	}
	return tables, nil
}

func (w *Warehouse) storedTable(ctx context.Context, t schema.Table) (schema.StoredTable, error) {
	stored := schema.StoredTable{Name: t.Name}
	var err error
	if stored.Bytes, err = w.tableBytes(ctx, t.Name); err != nil {
		return stored, err
	}
	rows, err := w.conn.Query(ctx, storedLoadsSQL(t))
	if err != nil {
		return stored, err
	}
	defer rows.Close()
	for rows.Next() {
		var l schema.StoredLoad
		var day time.Time
		if err := rows.Scan(&l.LoadID, &l.Source, &l.Feed, &day, &l.Rows); err != nil {
			return stored, err
		}
		l.Day = schema.DayOf(day, time.UTC)
		stored.Loads = append(stored.Loads, l)
	}
	return stored, rows.Err()
}

// tableBytes is what a table takes on all servers that answer together.
func (w *Warehouse) tableBytes(ctx context.Context, table string) (uint64, error) {
	var bytes uint64
	if w.cluster == nil {
		err := w.conn.QueryRow(ctx, tableBytesSQL(table)).Scan(&bytes)
		return bytes, err
	}
	var sum atomic.Uint64
	_ = w.cluster.onEach(func(n *node) error { // a server that is down has no say in an estimate
		return w.within(ctx, nodeTimeout, func(ctx context.Context) error {
			var own uint64
			err := n.conn.QueryRow(ctx, tableBytesSQL(table+localSuffix)).Scan(&own)
			sum.Add(own)
			return err
		})
	})
	return sum.Load(), nil
}
