package load

import (
	"context"
	"fmt"
	"strings"

	"github.com/meterhouse/meterhouse/schema"
)

// Seen is what readers see of a slice.
type Seen struct {
	View string `json:"view"`
	Rows uint64 `json:"rows"`
	// LoadIDs are the loads that the rows are of: one, or none when there are no
	// rows.
	LoadIDs []uint64 `json:"-"`
	// Controls are the sums that a load is verified by, as the view gives them.
	Controls map[string]int64 `json:"controls"`
}

// Seen asks the view that readers use for a slice.
func (w *Warehouse) Seen(ctx context.Context, kind string, s schema.Slice) (Seen, error) {
	doing := fmt.Sprintf("reading what is published of %s %s, day %s", s.Source, s.Feed, s.Day)
	table, ok := schema.FactTable(kind)
	if !ok {
		return Seen{}, &Error{Class: Invalid, Doing: doing, Err: fmt.Errorf("no kind of source %q", kind)}
	}
	seen := Seen{View: viewOf(table), Controls: map[string]int64{}}
	var sums [2]int64
	err := w.conn.QueryRow(ctx, seenSQL(table, s)).Scan(&seen.Rows, &seen.LoadIDs, &sums[0], &sums[1])
	for i, c := range table.Controls {
		seen.Controls[c] = sums[i]
	}
	return seen, fail(err, doing)
}

// viewOf is the view that keeps the published rows of a fact table.
func viewOf(t schema.Table) string { return strings.TrimSuffix(t.Name, "_versions") }

// seenSQL sums up a slice as its view has it.
func seenSQL(t schema.Table, s schema.Slice) string {
	sums := make([]string, len(t.Controls))
	for i, c := range t.Controls {
		sums[i] = "toInt64(" + c + ")"
	}
	return fmt.Sprintf("SELECT count(), groupUniqArray(load_id), %s\nFROM %s\nWHERE source = %s AND feed = %s AND %s = toDate(%s)",
		strings.Join(sums, ", "), quoteName(viewOf(t)), quoteText(s.Source), quoteText(s.Feed), quoteName(t.Day), quoteText(s.Day.String()))
}
