package nexthinktest

import (
	"bufio"
	"encoding/csv"
	"html"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/go-faster/jx"
)

// format writes an answer row by row.
type format interface {
	contentType() string
	begin()
	row(*detail) error
	end()
}

// writer is the format for a value of the format parameter.
func (p *Portal) writer(w io.Writer, name string) (format, bool) {
	switch name {
	case "json":
		return &jsonFormat{w: bufio.NewWriterSize(w, 32<<10), root: p.o.Root, keys: p.o.Keys.names()}, true
	case "csv":
		return &csvFormat{w: csv.NewWriter(w), keys: p.o.Keys.names()}, true
	case "", "table":
		return &tableFormat{w: bufio.NewWriterSize(w, 32<<10)}, true
	}
	return nil, false
}

// names are the seven fields that Nexthink's page lists, in its order.
func (k KeyStyle) names() []string {
	switch k {
	case CamelCase:
		return []string{
			"device", "entity", "averageUsagePerDay", "averageExecutionsPerDay", "firstDateWithPackage", "lastActivity", "binaries",
		}
	case PascalCase:
		return []string{
			"Device", "Entity", "AverageUsagePerDay", "AverageExecutionsPerDay", "FirstDateWithPackage", "LastActivity", "Binaries",
		}
	default:
		return []string{
			"Device", "Entity", "Average usage per day (seconds)", "Average executions per day",
			"First date with package", "Last activity", "Binaries",
		}
	}
}

// hundredths writes 1234 as 12.34.
func hundredths(n uint64) string { return strconv.FormatFloat(float64(n)/100, 'f', 2, 64) }

// lastActivity is empty for a device that never ran the program.
func (d *detail) lastActivity() string {
	if d.lastDay == 0 {
		return ""
	}
	return date(d.lastDay, d.lastTime).Format("2006-01-02T15:04:05")
}

func (d *detail) firstDate() string { return date(d.firstDay, 0).Format(time.DateOnly) }

// binaries lists the significant binaries, each with yes or no, as csv and
// table have it.
func (d *detail) binaries() string {
	var list []string
	for i, name := range d.program.binaries {
		if d.used[i] {
			list = append(list, name+" yes")
		} else {
			list = append(list, name+" no")
		}
	}
	return strings.Join(list, ", ")
}

// cells are the values as text, in the order of KeyStyle.names.
func (d *detail) cells() []string {
	return []string{
		d.device, d.entity, hundredths(d.usage), hundredths(d.executions), d.firstDate(), d.lastActivity(), d.binaries(),
	}
}

type jsonFormat struct {
	w    *bufio.Writer
	root JSONRoot
	keys []string
	e    jx.Encoder
	rows int
}

func (*jsonFormat) contentType() string { return "application/json;charset=UTF-8" }

func (f *jsonFormat) begin() {
	switch f.root {
	case ArrayOfObjects:
		f.e.RawStr("[")
	case ObjectWithList:
		f.e.RawStr(`{"generated":true,"details":[`)
	case HeadersAndValues:
		f.e.RawStr(`{"headers":`)
		f.e.ArrStart()
		for _, key := range f.keys {
			f.e.Str(key)
		}
		f.e.ArrEnd()
		f.e.RawStr(`,"rows":[`)
	}
}

func (f *jsonFormat) row(d *detail) error {
	if f.rows++; f.rows > 1 {
		f.e.RawStr(",\n")
	}
	values := []func(){
		func() { f.e.Str(d.device) },
		func() { f.e.Str(d.entity) },
		func() { f.e.RawStr(hundredths(d.usage)) },
		func() { f.e.RawStr(hundredths(d.executions)) },
		func() { f.e.Str(d.firstDate()) },
		func() { f.lastActivity(d) },
		func() { f.usedBinaries(d) },
	}
	if f.root == HeadersAndValues {
		f.e.ArrStart()
		for _, value := range values {
			value()
		}
		f.e.ArrEnd()
	} else {
		f.e.ObjStart()
		for i, value := range values {
			f.e.FieldStart(f.keys[i])
			value()
		}
		f.e.ObjEnd()
	}
	return f.flush()
}

func (f *jsonFormat) lastActivity(d *detail) {
	if d.lastDay == 0 {
		f.e.Null()
		return
	}
	f.e.Str(d.lastActivity())
}

// usedBinaries is what json has in place of the list of all significant ones.
func (f *jsonFormat) usedBinaries(d *detail) {
	f.e.ArrStart()
	for i, name := range d.program.binaries {
		if d.used[i] {
			f.e.Str(name)
		}
	}
	f.e.ArrEnd()
}

func (f *jsonFormat) end() {
	if f.root == ArrayOfObjects {
		f.e.RawStr("]")
	} else {
		f.e.RawStr("]}")
	}
	_ = f.flush()
	_ = f.w.Flush()
}

func (f *jsonFormat) flush() error {
	_, err := f.w.Write(f.e.Bytes())
	f.e.Reset()
	return err
}

type csvFormat struct {
	w    *csv.Writer
	keys []string
}

func (*csvFormat) contentType() string { return "text/csv;charset=UTF-8" }

func (f *csvFormat) begin() { _ = f.w.Write(f.keys) }

func (f *csvFormat) row(d *detail) error { return f.w.Write(d.cells()) }

func (f *csvFormat) end() { f.w.Flush() }

type tableFormat struct{ w *bufio.Writer }

func (*tableFormat) contentType() string { return "text/html;charset=UTF-8" }

func (f *tableFormat) begin() {
	_ = f.line("th", Labels.names(), "<html><body><table>\n")
}

func (f *tableFormat) row(d *detail) error { return f.line("td", d.cells(), "") }

func (f *tableFormat) line(element string, cells []string, before string) error {
	var b strings.Builder
	b.WriteString(before + "<tr>")
	for _, cell := range cells {
		b.WriteString("<" + element + ">" + html.EscapeString(cell) + "</" + element + ">")
	}
	b.WriteString("</tr>\n")
	_, err := f.w.WriteString(b.String())
	return err
}

func (f *tableFormat) end() {
	_, _ = f.w.WriteString("</table></body></html>\n")
	_ = f.w.Flush()
}
