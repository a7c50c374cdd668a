package load

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/meterhouse/meterhouse/schema"
)

const dictionarySQL = "SELECT table, name, type, comment FROM system.columns WHERE database = currentDatabase()"

type dictionaryColumn struct{ name, typ, comment string }

// Dictionary writes the data dictionary of a migrated database as Markdown: its
// tables and views with what they are for, and their columns as the server has
// them. A view's column is explained by the column of the same name in a table;
// the views' own columns are explained in their description.
func (w *Warehouse) Dictionary(ctx context.Context, out io.Writer) error {
	columns, err := w.dictionaryColumns(ctx)
	if err != nil {
		return fail(err, "reading the columns of the warehouse")
	}
	comments := map[string]string{} // of all tables, by column
	for _, m := range schema.Migrations() {
		for _, c := range columns[m.Object()] {
			if c.comment != "" {
				comments[c.name] = c.comment
			}
		}
	}
	var text strings.Builder
	text.WriteString("# Data dictionary\n")
	for _, m := range schema.Migrations() {
		fmt.Fprintf(&text, "\n## %s\n\n%s\n\n| column | type | meaning |\n|---|---|---|\n", m.Object(), m.Description)
		for _, c := range columns[m.Object()] {
			if c.comment == "" {
				c.comment = comments[c.name]
			}
			fmt.Fprintf(&text, "| %s | %s | %s |\n", c.name, c.typ, c.comment)
		}
	}
	if _, err := io.WriteString(out, text.String()); err != nil {
		return fmt.Errorf("writing the data dictionary: %w", err)
	}
	return nil
}

// dictionaryColumns gives the columns of every table and view, in their order.
func (w *Warehouse) dictionaryColumns(ctx context.Context) (map[string][]dictionaryColumn, error) {
	rows, err := w.conn.Query(ctx, dictionarySQL)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns := map[string][]dictionaryColumn{}
	for rows.Next() {
		var table string
		var c dictionaryColumn
		if err := rows.Scan(&table, &c.name, &c.typ, &c.comment); err != nil {
			return nil, err
		}
		columns[table] = append(columns[table], c)
	}
	return columns, rows.Err()
}
