package nexthink

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"unicode/utf8"

	"golang.org/x/net/html"

	"github.com/meterhouse/meterhouse/extract"
)

// tableReader reads one answer in HTML, which Nexthink's page calls the format
// table: of the first table of the page the first row, whose th are the header,
// then one row per device. How a Portal marks the table up is not documented,
// so only its elements count, and end tags that HTML lets be left out may be
// missing; but that of the table must be there: it tells a whole answer from a
// cut one.
type tableReader struct {
	sink *sink
	in   *input
	page *html.Tokenizer

	header []key
	depth  int  // 0 outside of tables, 2 in a table within a cell of the first
	done   bool // behind the first table
	more   bool // there is another table behind it
	row    tableRow
}

// tableRow is the row that is being read.
type tableRow struct {
	open    bool
	heads   bool // one of its cells is a th
	foreign bool // not all of it is UTF-8
	raw     []byte
	arena   []byte // the text of all cells
	ends    []int  // where each cell ends in the arena
	inCell  bool
	gap     byte // space or line break to write before further text of the cell
}

func readTable(in *input, s *sink) error {
	r := &tableReader{sink: s, in: in, page: html.NewTokenizer(in)}
	r.page.SetMaxBuf(maxRecord)
	for {
		kind := r.page.Next()
		if kind == html.ErrorToken {
			return r.end()
		}
		if err := r.token(kind); err != nil {
			return in.explain(err)
		}
	}
}

// end judges the page once there is no more of it.
func (r *tableReader) end() error {
	err := r.page.Err()
	switch {
	case errors.Is(err, html.ErrBufferExceeded):
		return badAnswer("a part of the page is longer than the %d bytes that are allowed", maxRecord)
	case !errors.Is(err, io.EOF) || r.in.failed != nil:
		return r.in.explain(err)
	case r.depth == 0 && !r.done:
		return badAnswer("the page has no table: %s", r.in.head)
	case !r.done:
		return interrupted("the answer ends within its table, in or after row %d", r.sink.record.Ordinal)
	case r.header == nil:
		return badAnswer("the first table of the page is empty: %s", r.in.head)
	}
	if r.more {
		r.sink.ignored = append(r.sink.ignored, "tables behind the first")
	}
	return nil
}

func (r *tableReader) token(kind html.TokenType) error {
	switch kind {
	case html.TextToken:
		r.row.keep(r.page.Raw())
		r.row.text(r.page.Raw())
		return nil
	case html.StartTagToken, html.SelfClosingTagToken:
		raw := slices.Clone(r.page.Raw()) // TagName changes it
		name, _ := r.page.TagName()
		err := r.startTag(string(name))
		r.row.keep(raw)
		return err
	case html.EndTagToken:
		r.row.keep(r.page.Raw())
		name, _ := r.page.TagName()
		return r.endTag(string(name))
	default:
		return nil
	}
}

func (r *tableReader) startTag(name string) error {
	switch {
	case name == "table" && r.done:
		r.more = true
	case name == "table":
		r.depth++
		r.row.breakLine()
	case r.depth == 0: // before or behind the table
	case r.depth > 1:
		r.row.breakLine()
	case name == "tr":
		err := r.closeRow()
		r.openRow()
		return err
	case isRowGroup(name):
		return r.closeRow()
	case name == "th" || name == "td":
		if !r.row.open {
			r.openRow()
		}
		r.row.heads = r.row.heads || name == "th"
		r.row.openCell()
	case isBlock(name):
		r.row.breakLine()
	}
	return nil
}

func (r *tableReader) endTag(name string) error {
	switch {
	case r.depth == 0:
	case name == "table":
		r.depth--
		r.row.breakLine()
		if r.depth == 0 {
			r.done = true
			r.in.allow(unbounded)
			return r.closeRow()
		}
	case r.depth > 1:
		r.row.breakLine()
	case name == "tr" || isRowGroup(name):
		return r.closeRow()
	case name == "th" || name == "td":
		r.row.closeCell()
	case isBlock(name):
		r.row.breakLine()
	}
	return nil
}

// isRowGroup tells the elements that group the rows of a table.
func isRowGroup(name string) bool { return name == "thead" || name == "tbody" || name == "tfoot" }

// isBlock tells the elements that begin a new line within a cell, as between
// the binaries of a device.
func isBlock(name string) bool {
	switch name {
	case "br", "p", "div", "ul", "ol", "li":
		return true
	}
	return false
}

func (r *tableReader) openRow() {
	r.in.allow(maxRecord)
	w := &r.row
	*w = tableRow{open: true, raw: w.raw[:0], arena: w.arena[:0], ends: w.ends[:0]}
}

// closeRow hands on the row that is open, if there is one with cells.
func (r *tableReader) closeRow() error {
	w := &r.row
	w.closeCell()
	if !w.open || len(w.ends) == 0 {
		w.open = false
		return nil
	}
	w.open = false
	if r.header == nil {
		return r.readHeader()
	}
	r.sink.begin()
	if w.foreign {
		r.sink.foreign.add(r.sink.record.Ordinal)
	}
	raw := bytes.TrimSpace(w.raw)
	if len(w.ends) != len(r.header) {
		return r.sink.sendOdd(raw)
	}
	for i, k := range r.header {
		r.sink.place(k, extract.Value{Kind: extract.Text, Bytes: w.cell(i)})
	}
	return r.sink.send(raw)
}

func (r *tableReader) readHeader() error {
	w := &r.row
	if !w.heads {
		return badAnswer("the first table of the page does not begin with a header: %s", r.in.head)
	}
	names := make([]string, len(w.ends))
	known := false
	for i := range w.ends {
		k := r.sink.keys.of(w.cell(i))
		r.header, names[i] = append(r.header, k), k.name
		known = known || k.column == extract.MeteringDevice
	}
	if !known {
		return badAnswer("no column of the table stands for the device; its columns are %s", r.sink.listed(names))
	}
	return nil
}

// keep adds to the row's own text.
func (w *tableRow) keep(raw []byte) {
	if w.open {
		w.raw = append(w.raw, raw...)
	}
}

func (w *tableRow) openCell() {
	w.closeCell()
	w.inCell, w.gap = true, 0
}

func (w *tableRow) closeCell() {
	if w.inCell {
		w.ends = append(w.ends, len(w.arena))
	}
	w.inCell = false
}

// cell is the text of a cell that was closed. What is blank to the eye, such as
// a cell with &nbsp; alone, is blank.
func (w *tableRow) cell(i int) []byte {
	start := 0
	if i > 0 {
		start = w.ends[i-1]
	}
	return bytes.TrimSpace(w.arena[start:w.ends[i]:w.ends[i]])
}

// text adds text to the open cell as a browser shows it: references such as
// &amp; are what they stand for, and white space is one space.
func (w *tableRow) text(raw []byte) {
	if !w.inCell {
		return
	}
	if !utf8.Valid(raw) {
		w.foreign = true
		raw = appendWindows1252(nil, raw)
	}
	for _, c := range []byte(html.UnescapeString(string(raw))) {
		switch c {
		case ' ', '\t', '\n', '\f', '\r':
			if w.gap == 0 {
				w.gap = ' '
			}
		default:
			w.fillGap()
			w.arena = append(w.arena, c)
		}
	}
}

// breakLine lets further text of the cell begin on a new line.
func (w *tableRow) breakLine() { w.gap = '\n' }

// fillGap writes the gap between two pieces of text of a cell.
func (w *tableRow) fillGap() {
	begun := 0
	if len(w.ends) > 0 {
		begun = w.ends[len(w.ends)-1]
	}
	if w.gap != 0 && len(w.arena) > begun {
		w.arena = append(w.arena, w.gap)
	}
	w.gap = 0
}
