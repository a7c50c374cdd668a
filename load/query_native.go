package load

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// prettyRows is how many rows PrettyCompact shows, as ClickHouse itself does.
const prettyRows = 10_000

// rowWriter writes the rows of an answer in one format.
type rowWriter interface {
	head(names []string) error
	row(cells []cell) error
	end() error
}

// cell is one value of an answer: a Go value, and ClickHouse's type of it.
type cell struct {
	name  string
	typ   string
	value any
}

func nativeFormat(format string, out io.Writer) (rowWriter, error) {
	switch format {
	case "TSV", "TabSeparated":
		return &tsvWriter{out: bufio.NewWriter(out)}, nil
	case "TSVWithNames", "TabSeparatedWithNames":
		return &tsvWriter{out: bufio.NewWriter(out), names: true}, nil
	case "JSONEachRow":
		return &jsonWriter{out: bufio.NewWriter(out)}, nil
	case "PrettyCompact":
		return &prettyWriter{out: out}, nil
	}
	return nil, &Error{
		Class: Unsupported, Doing: "querying the warehouse",
		Err:  fmt.Errorf("format %q is not available over the native protocol", format),
		Hint: "use TSV, TSVWithNames, JSONEachRow or PrettyCompact, or an http:// address in warehouse.url",
	}
}

func (w *Warehouse) queryNative(ctx context.Context, sql, format string, out io.Writer) error {
	sink := &sink{out: out}
	to, err := nativeFormat(format, sink)
	if err != nil {
		return err
	}
	rows, err := w.conn.Query(ctx, sql)
	if err != nil {
		return fail(err, "querying the warehouse")
	}
	err = errors.Join(writeRows(rows, to), rows.Close())
	if sink.err != nil {
		return fmt.Errorf("writing the answer: %w", sink.err)
	}
	return fail(err, "querying the warehouse")
}

func writeRows(rows driver.Rows, to rowWriter) error {
	types := rows.ColumnTypes()
	cells := make([]cell, len(types))
	dest := make([]any, len(types))
	if err := to.head(rows.Columns()); err != nil {
		return err
	}
	for rows.Next() {
		for i, t := range types {
			dest[i] = reflect.New(t.ScanType()).Interface()
		}
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		for i, t := range types {
			cells[i] = cell{t.Name(), t.DatabaseTypeName(), reflect.ValueOf(dest[i]).Elem().Interface()}
		}
		if err := to.row(cells); err != nil {
			return err
		}
	}
	return errors.Join(rows.Err(), to.end())
}

// plain makes of a value what JSON and text can show: nil, string, bool, number
// or a slice of such.
func (c cell) plain() any { return plainValue(reflect.ValueOf(c.value), c.typ) }

func plainValue(v reflect.Value, typ string) any {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	if t, ok := v.Interface().(time.Time); ok {
		if strings.Contains(typ, "Date") && !strings.Contains(typ, "DateTime") {
			return t.Format(time.DateOnly)
		}
		return t.Format(time.DateTime)
	}
	if s, ok := v.Interface().(fmt.Stringer); ok { // UUID, addresses, decimals
		return s.String()
	}
	if v.Kind() != reflect.Slice {
		return v.Interface()
	}
	all := make([]any, v.Len())
	for i := range all {
		all[i] = plainValue(v.Index(i), typ)
	}
	return all
}

// display writes a value as ClickHouse's text formats do.
func display(v any, null string) string {
	switch v := v.(type) {
	case nil:
		return null
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			if s, ok := e.(string); ok {
				parts[i] = "'" + escapeTSV(s) + "'"
				continue
			}
			parts[i] = display(e, "NULL")
		}
		return "[" + strings.Join(parts, ",") + "]"
	}
	return fmt.Sprint(v)
}

type tsvWriter struct {
	out   *bufio.Writer
	names bool
}

func (w *tsvWriter) head(names []string) error {
	if !w.names {
		return nil
	}
	return w.line(names)
}

func (w *tsvWriter) row(cells []cell) error {
	fields := make([]string, len(cells))
	for i, c := range cells {
		v := c.plain()
		if s, ok := v.(string); ok {
			v = escapeTSV(s)
		}
		fields[i] = display(v, `\N`)
	}
	return w.line(fields)
}

// escapeTSV escapes as ClickHouse does, quotes included.
func escapeTSV(s string) string {
	return strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\t", `\t`, "\n", `\n`, "\r", `\r`).Replace(s)
}

func (w *tsvWriter) line(fields []string) error {
	_, err := w.out.WriteString(strings.Join(fields, "\t") + "\n")
	return err
}

func (w *tsvWriter) end() error { return w.out.Flush() }

type jsonWriter struct{ out *bufio.Writer }

func (w *jsonWriter) head([]string) error { return nil }

func (w *jsonWriter) row(cells []cell) error {
	fields := make([]string, len(cells))
	for i, c := range cells {
		name, err := json.Marshal(c.name)
		if err != nil {
			return err
		}
		value, err := json.Marshal(c.plain())
		if err != nil {
			return err
		}
		fields[i] = string(name) + ":" + string(value)
	}
	_, err := w.out.WriteString("{" + strings.Join(fields, ",") + "}\n")
	return err
}

func (w *jsonWriter) end() error { return w.out.Flush() }

type prettyWriter struct {
	out  io.Writer
	t    table.Writer
	rows int
}

func (w *prettyWriter) head(names []string) error {
	w.t = table.NewWriter()
	w.t.SetStyle(table.StyleLight)
	w.t.Style().Format.Header = text.FormatDefault
	header := make(table.Row, len(names))
	for i, n := range names {
		header[i] = n
	}
	w.t.AppendHeader(header)
	return nil
}

func (w *prettyWriter) row(cells []cell) error {
	if w.rows++; w.rows > prettyRows {
		return nil
	}
	row := make(table.Row, len(cells))
	for i, c := range cells {
		if v := c.plain(); v == nil || reflect.TypeOf(v).Kind() == reflect.Slice {
			row[i] = display(v, "NULL")
		} else {
			row[i] = v // numbers stay numbers, so that they are aligned to the right
		}
	}
	w.t.AppendRow(row)
	return nil
}

func (w *prettyWriter) end() error {
	note := ""
	if w.rows > prettyRows {
		note = fmt.Sprintf("showed the first %d of %d rows\n", prettyRows, w.rows)
	}
	_, err := io.WriteString(w.out, w.t.Render()+"\n"+note)
	return err
}
