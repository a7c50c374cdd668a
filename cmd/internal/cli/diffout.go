package cli

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/meterhouse/meterhouse/load"
	"github.com/meterhouse/meterhouse/schema"
)

// changedValues lists the columns of a row that changed: of an added or removed
// row those that say anything.
func changedValues(c schema.Comparison, r load.DiffRow) []int {
	var changed []int
	for i := range c.Values {
		before, after := valueAt(r.Old, i), valueAt(r.New, i)
		said := shown(before) != "" || shown(after) != ""
		same := r.Change == load.RowChanged && (before == nil) == (after == nil) && shown(before) == shown(after)
		if !same && (said || r.Change == load.RowChanged) {
			changed = append(changed, i)
		}
	}
	return changed
}

func valueAt(values []*string, i int) *string {
	if values == nil {
		return nil
	}
	return values[i]
}

// shown is a value for people and for CSV, "" for NULL.
func shown(v *string) string {
	if v == nil {
		return ""
	}
	return *v
}

// diffTable is for people. It needs all its lines for their width, so it ends
// after diffShown rows.
type diffTable struct {
	out      io.Writer
	columns  schema.Comparison
	from, to *schema.Load
	total    uint64
	rows     uint64
	lines    []table.Row
}

func (t *diffTable) begin(n load.DiffCounts) error {
	t.total = n.Added + n.Removed + n.Changed
	for _, x := range []struct {
		word string
		l    *schema.Load
	}{{"from", t.from}, {"to", t.to}} {
		fmt.Fprintf(t.out, "%-4s load %d, %s %s UTC, %s\n", x.word, x.l.LoadID, x.l.Status,
			x.l.FinishedAt.UTC().Format(time.DateTime), plural(int(x.l.Rows), "row")) //nolint:gosec // a count
	}
	fmt.Fprintf(t.out, "%s added, %s removed, %s changed, %s the same\n",
		count(n.Added), count(n.Removed), count(n.Changed), count(n.Unchanged))
	if t.total == 0 && t.from.ContentHash != t.to.ContentHash {
		fmt.Fprintln(t.out, "The loads differ in what is not compared here: the product totals (license_totals).")
	}
	return nil
}

func (t *diffTable) row(r load.DiffRow) error {
	if t.rows == diffShown {
		return errEnough
	}
	t.rows++
	var changes []string
	if r.Change == load.RowChanged {
		for _, i := range changedValues(t.columns, r) {
			changes = append(changes, fmt.Sprintf("%s %s -> %s", t.columns.Values[i].Name, forTable(r.Old[i]), forTable(r.New[i])))
		}
	}
	t.lines = append(t.lines, table.Row{r.Change, strings.Join(changes, ", "), rowName(t.columns, r)})
	return nil
}

// forTable tells NULL from nothing.
func forTable(v *string) string {
	switch {
	case v == nil:
		return "NULL"
	case *v == "":
		return `""`
	default:
		return *v
	}
}

func (t *diffTable) end() error {
	if len(t.lines) > 0 {
		fmt.Fprintln(t.out)
		printTable(t.out, table.Row{"", "before -> after", "row"}, t.lines)
	}
	if t.total > t.rows {
		fmt.Fprintf(t.out, "... and %s more; --csv and --json show all.\n", plural(int(t.total-t.rows), "row")) //nolint:gosec // a count
	}
	return nil
}

// rowName names a row as a person would.
func rowName(c schema.Comparison, r load.DiffRow) string {
	values := r.New
	if values == nil {
		values = r.Old
	}
	if c.Numbered {
		text := r.Key[0]
		if entity := r.Key[1]; entity != "" {
			text += ", " + entity
		}
		if n := r.Key[2]; n != "1" {
			text += " #" + n
		}
		return text
	}
	named := map[string]string{}
	for i, column := range c.Values {
		named[column.Name] = shown(values[i])
	}
	text := named["product_name"] + ", " + named["metric_code_name"]
	if bundle := named["bundle_name"]; bundle != "" {
		text += ", in " + bundle
	}
	text += ", on " + named["server_name"]
	if quantity := named["hwm_quantity"]; r.Change != load.RowChanged {
		text += ": " + quantity
	}
	return text
}

// diffCSV writes a line per value that changed.
type diffCSV struct {
	csv     *csv.Writer
	columns schema.Comparison
}

func newDiffCSV(out io.Writer, columns schema.Comparison) *diffCSV {
	return &diffCSV{csv: csv.NewWriter(out), columns: columns}
}

func (c *diffCSV) begin(load.DiffCounts) error {
	head := []string{"change"}
	for _, k := range c.columns.Key {
		head = append(head, k.Name)
	}
	return c.csv.Write(append(head, "column", "old", "new"))
}

func (c *diffCSV) row(r load.DiffRow) error {
	for _, i := range changedValues(c.columns, r) {
		line := append([]string{string(r.Change)}, r.Key...)
		if err := c.csv.Write(append(line, c.columns.Values[i].Name, shown(valueAt(r.Old, i)), shown(valueAt(r.New, i)))); err != nil {
			return err
		}
	}
	return nil
}

func (c *diffCSV) end() error {
	c.csv.Flush()
	return c.csv.Error()
}

// diffJSON writes one object whose rows come as they are read.
type diffJSON struct {
	out      io.Writer
	columns  schema.Comparison
	from, to *schema.Load
	started  bool
}

// diffRowJSON is one row of `diff --json`.
type diffRowJSON struct {
	Change  load.Change          `json:"change"`
	Key     map[string]any       `json:"key"`
	Columns map[string]changeOne `json:"columns"`
}

type changeOne struct {
	Old any `json:"old"`
	New any `json:"new"`
}

func (j *diffJSON) begin(n load.DiffCounts) error {
	head, err := json.Marshal(struct {
		From *schema.Load `json:"from"`
		To   *schema.Load `json:"to"`
		load.DiffCounts
	}{j.from, j.to, n})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(j.out, "%s,\"rows\":[", strings.TrimSuffix(string(head), "}"))
	return err
}

func (j *diffJSON) row(r load.DiffRow) error {
	row := diffRowJSON{Change: r.Change, Key: map[string]any{}, Columns: map[string]changeOne{}}
	for i, k := range j.columns.Key {
		row.Key[k.Name] = jsonValue(k, &r.Key[i])
	}
	for _, i := range changedValues(j.columns, r) {
		column := j.columns.Values[i]
		row.Columns[column.Name] = changeOne{jsonValue(column, valueAt(r.Old, i)), jsonValue(column, valueAt(r.New, i))}
	}
	text, err := json.Marshal(row)
	if err != nil {
		return err
	}
	separator := "\n"
	if j.started {
		separator = ",\n"
	}
	j.started = true
	_, err = fmt.Fprint(j.out, separator, string(text))
	return err
}

func (j *diffJSON) end() error {
	_, err := fmt.Fprint(j.out, "\n]}\n")
	return err
}

// jsonValue is a value as its column's type wants it: digits stay digits.
func jsonValue(c schema.Column, v *string) any {
	switch {
	case v == nil:
		return nil
	case c.Type == schema.Number && json.Valid([]byte(*v)):
		return json.Number(*v)
	default:
		return *v
	}
}
