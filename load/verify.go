package load

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/meterhouse/meterhouse/schema"
)

// Difference is one figure of a load that is not what was sent.
type Difference struct {
	What       string // "rows", "rejects", "sum(hwm_quantity)"
	Sent, Held int64
}

// VerifyError says in what a load differs in the warehouse from what was sent.
type VerifyError struct {
	LoadID      uint64
	Table       string
	Differences []Difference
	// Duplicates counts the rows that share their natural key with an earlier
	// one; Example is one such key: "product_id 24, metric_id 3, ...".
	Duplicates uint64
	Example    string
}

// Error names every difference.
func (e *VerifyError) Error() string {
	var parts []string
	for _, d := range e.Differences {
		parts = append(parts, fmt.Sprintf("%s: sent %d, stored %d", d.What, d.Sent, d.Held))
	}
	if e.Duplicates > 0 {
		parts = append(parts, fmt.Sprintf("%d rows repeat a natural key, for example %s", e.Duplicates, e.Example))
	}
	return fmt.Sprintf("verifying load %d in %s: %s", e.LoadID, e.Table, strings.Join(parts, "; "))
}

// Mismatch marks the error as one of the data, not of the server.
func (e *VerifyError) Mismatch() {}

// Temporary tells whether another load of the same rows may turn out right: the
// warehouse holds something else than what was sent. Rows that repeat a key, and
// nothing else, came that way from the source.
func (e *VerifyError) Temporary() bool { return len(e.Differences) > 0 }

// Verify compares what the warehouse holds of a load with what was sent of it,
// in one query per table over the load's rows. Every row must have a natural key
// of its own. A load that differs gives a *VerifyError, a server that does not
// answer an *Error.
func (w *Warehouse) Verify(ctx context.Context, kind string, loadID uint64, want schema.Totals) error {
	table, ok := schema.FactTable(kind)
	if !ok {
		return &Error{Class: Invalid, Doing: fmt.Sprintf("verifying load %d", loadID), Err: fmt.Errorf("no kind of source %q", kind)}
	}
	if err := w.verify(ctx, table, loadID, want); err != nil || want.LicenseTotals.Rows == 0 {
		return err
	}
	totals := schema.Totals{Rows: want.LicenseTotals.Rows, Rejects: want.Rejects, Controls: want.LicenseTotals.Controls}
	return w.verify(ctx, schema.LicenseTotalsTable(), loadID, totals)
}

// verify does so for one table.
func (w *Warehouse) verify(ctx context.Context, table schema.Table, loadID uint64, want schema.Totals) error {
	doing := fmt.Sprintf("verifying load %d", loadID)
	var keys uint64
	var held schema.Totals
	err := w.again(ctx, w.readTimeout, doing, func(ctx context.Context) error {
		return w.conn.QueryRow(ctx, verifySQL(table, loadID)).
			Scan(&held.Rows, &keys, &held.Rejects, &held.Controls[0], &held.Controls[1])
	})
	if err != nil {
		return err
	}
	e := &VerifyError{LoadID: loadID, Table: table.Name, Differences: differences(table, want, held)}
	if held.Rows > keys {
		e.Duplicates = held.Rows - keys
		var times uint64
		err := w.again(ctx, w.readTimeout, doing, func(ctx context.Context) error {
			return w.conn.QueryRow(ctx, duplicateSQL(table, loadID)).Scan(&times, &e.Example)
		})
		if err != nil {
			return err
		}
	}
	if len(e.Differences) == 0 && e.Duplicates == 0 {
		return nil
	}
	return e
}

func differences(t schema.Table, sent, held schema.Totals) []Difference {
	all := []Difference{
		{"rows", int64(sent.Rows), int64(held.Rows)},          //nolint:gosec // counts of rows
		{"rejects", int64(sent.Rejects), int64(held.Rejects)}, //nolint:gosec // counts of rows
	}
	for i, control := range t.Controls {
		all = append(all, Difference{control, sent.Controls[i], held.Controls[i]})
	}
	return slices.DeleteFunc(all, func(d Difference) bool { return d.Sent == d.Held })
}
