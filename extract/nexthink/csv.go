package nexthink

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/meterhouse/meterhouse/extract"
)

// csvReader reads one answer in CSV: a header line, then one line per device.
// CSV does not say where it ends: an answer that was cut behind a whole line
// looks complete, which JSON never does.
type csvReader struct {
	sink   *sink
	in     *input
	text   *recorder
	lines  *csv.Reader
	header []key
	arena  []byte // the bytes of the current row's fields
}

func readCSV(in *input, s *sink) error {
	comma, err := sniff(in)
	if err != nil {
		return in.explain(err)
	}
	text := &recorder{from: in}
	lines := csv.NewReader(text)
	lines.Comma, lines.FieldsPerRecord, lines.ReuseRecord = comma, -1, true
	r := &csvReader{sink: s, in: in, text: text, lines: lines}
	if err := r.readHeader(); err != nil {
		return in.explain(err)
	}
	for {
		if err := r.next(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return in.explain(err)
		}
	}
}

// sniff finds the separator: the one of comma, semicolon and tab that the
// header line has most of.
func sniff(in *input) (rune, error) {
	head, err := in.ahead.Peek(readSize)
	line, _, found := bytes.Cut(head, []byte("\n"))
	if !found && err == nil {
		return 0, badAnswer("the first line is longer than a header: %s", in.head)
	}
	counts := map[rune]int{}
	quoted := false
	for _, b := range line {
		if b == '"' {
			quoted = !quoted
		}
		if !quoted {
			counts[rune(b)]++
		}
	}
	best := ','
	for _, comma := range ";\t" {
		if counts[comma] > counts[best] {
			best = comma
		}
	}
	return best, nil
}

func (r *csvReader) readHeader() error {
	names, err := r.read()
	if errors.Is(err, io.EOF) {
		return badAnswer("the answer has no header line")
	}
	if errors.Is(err, csv.ErrBareQuote) {
		return badAnswer("the first line is not a header: %s", r.in.head)
	}
	if err != nil {
		return err
	}
	columns := map[int]bool{}
	for _, name := range names {
		if !utf8.ValidString(name) {
			name = string(appendWindows1252(nil, []byte(name)))
		}
		k := r.sink.keys.of([]byte(name))
		r.header = append(r.header, k)
		columns[k.column] = true
	}
	if !columns[extract.MeteringDevice] {
		return badAnswer("no column of the header stands for the device; its columns are %s", r.sink.listed(slices.Clone(names)))
	}
	delete(columns, unknown)
	if r.in.ended && len(columns) < extract.MeteringColumns {
		// Without a line end and without all columns: not an empty list but a cut one.
		return interrupted("the answer ends within its header line")
	}
	return nil
}

// next reads one row; io.EOF says that there was none.
func (r *csvReader) next() error {
	fields, err := r.read()
	var syntax *csv.ParseError
	malformed := errors.As(err, &syntax) || err == nil && len(fields) != len(r.header)
	switch {
	case malformed && r.in.failed != nil:
		return r.in.failed
	case malformed && r.in.ended: // the last line, without a line end: cut off rather than wrong
		return interrupted("the answer ends within row %d", r.sink.record.Ordinal+1)
	case malformed:
		r.sink.begin()
		return r.sink.sendOdd(r.text.row())
	case err != nil:
		return err
	}
	r.sink.openEnd = r.in.ended
	r.sink.begin()
	r.place(fields)
	return r.sink.send(r.text.row())
}

func (r *csvReader) read() ([]string, error) {
	r.in.allow(maxRecord)
	r.text.drop(r.lines.InputOffset())
	fields, err := r.lines.Read()
	r.text.end = r.lines.InputOffset()
	return fields, err
}

// place puts the fields into their columns. All have kind Text: CSV knows no other.
func (r *csvReader) place(fields []string) {
	foreign := r.sink.isForeign(r.text.row())
	r.arena = r.arena[:0]
	for i, field := range fields {
		start := len(r.arena)
		if foreign {
			r.arena = appendWindows1252(r.arena, []byte(field))
		} else {
			r.arena = append(r.arena, field...)
		}
		r.sink.place(r.header[i], extract.Value{Kind: extract.Text, Bytes: r.arena[start:len(r.arena):len(r.arena)]})
	}
}

// recorder keeps what the CSV reader has taken since the last drop, because
// that reader gives fields but not the text they came from.
type recorder struct {
	from  io.Reader
	kept  []byte
	start int64 // offset of kept in the input
	end   int64 // offset of the end of the current row
}

func (r *recorder) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	r.kept = append(r.kept, p[:n]...)
	return n, err
}

// drop forgets everything before offset.
func (r *recorder) drop(offset int64) {
	r.kept = r.kept[:copy(r.kept, r.kept[offset-r.start:])]
	r.start = offset
}

// row is the text of the current row without line ends. It is valid until the
// next drop.
func (r *recorder) row() []byte {
	return bytes.Trim(r.kept[:r.end-r.start], "\r\n")
}
