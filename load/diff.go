package load

import (
	"context"
	"fmt"
	"slices"

	"github.com/meterhouse/meterhouse/schema"
)

// Change is what became of a row from one load of a slice to another.
type Change string

// The changes.
const (
	RowAdded   Change = "added"   // only in the later load
	RowRemoved Change = "removed" // only in the earlier load
	RowChanged Change = "changed" // in both, with other values
)

// DiffCounts says in how many rows two loads differ, and in how many not.
type DiffCounts struct {
	Added     uint64 `json:"added"`
	Removed   uint64 `json:"removed"`
	Changed   uint64 `json:"changed"`
	Unchanged uint64 `json:"unchanged"`
}

// DiffRow is one row that is not the same in two loads, its values as ClickHouse
// writes them and in the order of the schema.Comparison; nil is NULL.
type DiffRow struct {
	Change Change
	Key    []string
	// Old and New are the values in the earlier and the later load, nil as a
	// whole where the row is not in it.
	Old, New []*string
}

// Diff compares two loads of one slice.
type Diff struct {
	Kind  string
	Slice schema.Slice
	// From and To are the ids of the earlier and the later load.
	From, To uint64
}

// comparison also refuses servers that cannot compare.
func (w *Warehouse) comparison(d Diff) (schema.Comparison, error) {
	c, ok := schema.CompareBy(d.Kind)
	switch {
	case !ok:
		return c, &Error{Class: Invalid, Doing: "comparing loads", Err: fmt.Errorf("no kind of source %q", d.Kind)}
	case c.Numbered && !w.atLeast(21, 3):
		return c, &Error{
			Class: Unsupported, Doing: "comparing loads",
			Err:  fmt.Errorf("a server of version %s has no window functions", w.server.Version),
			Hint: "use ClickHouse 21.3 or newer",
		}
	}
	return c, nil
}

// DiffCounts counts in what two loads differ.
func (w *Warehouse) DiffCounts(ctx context.Context, d Diff) (DiffCounts, error) {
	var n DiffCounts
	c, err := w.comparison(d)
	if err != nil {
		return n, err
	}
	err = w.conn.QueryRow(ctx, diffCountsSQL(c, d.Slice, d.From, d.To)).Scan(&n.Added, &n.Removed, &n.Changed, &n.Unchanged)
	return n, fail(err, "comparing loads")
}

// DiffRows hands every row that is not the same in both loads to take, in the
// order of the key and as they come from the server. It ends with the first
// error of take, which it returns as it is.
func (w *Warehouse) DiffRows(ctx context.Context, d Diff, take func(DiffRow) error) error {
	const doing = "comparing loads"
	c, err := w.comparison(d)
	if err != nil {
		return err
	}
	rows, err := w.conn.Query(ctx, diffRowsSQL(c, d.Slice, d.From, d.To))
	if err != nil {
		return fail(err, doing)
	}
	defer rows.Close()
	pairs := pairing{take: take}
	for rows.Next() {
		var isTo uint8
		var key, values []*string
		if err := rows.Scan(&isTo, &key, &values); err != nil {
			return fail(err, doing)
		}
		if err := pairs.add(isTo == 1, texts(key), values); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fail(err, doing)
	}
	return pairs.end()
}

// pairing makes changes of rows that come in the order of their keys, the earlier
// version of a row right before the later one.
type pairing struct {
	take func(DiffRow) error
	// earlier is a row of the earlier load whose later version may come next.
	earlier *DiffRow
}

func (p *pairing) add(later bool, key []string, values []*string) error {
	if later && p.earlier != nil && slices.Equal(p.earlier.Key, key) {
		row := DiffRow{Change: RowChanged, Key: key, Old: p.earlier.Old, New: values}
		p.earlier = nil
		return p.take(row)
	}
	if err := p.end(); err != nil {
		return err
	}
	if later {
		return p.take(DiffRow{Change: RowAdded, Key: key, New: values})
	}
	p.earlier = &DiffRow{Change: RowRemoved, Key: key, Old: values}
	return nil
}

// end hands out a row that has no later version.
func (p *pairing) end() error {
	if p.earlier == nil {
		return nil
	}
	row := *p.earlier
	p.earlier = nil
	return p.take(row)
}

// texts are texts none of which is NULL.
func texts(list []*string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = *s
	}
	return out
}
