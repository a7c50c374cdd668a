package nexthink

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"github.com/meterhouse/meterhouse/extract"
)

const (
	// namesInNote bounds how many keys one sentence lists.
	namesInNote = 20
	// fewRows is how many rows may share one device's name before that is odd.
	fewRows = 5
)

// sink puts the fields of a row into their columns, numbers the records, hands
// them on, and remembers what the operator should hear about them.
type sink struct {
	keys    *keys
	emit    func(*extract.Record) error
	secrets []string
	record  extract.Record
	// placed says per column which key filled it.
	placed [extract.MeteringColumns]key

	emitErr error // what emit returned: not a fault of the source
	extra   map[string]struct{}
	odd     tally // rows without the form of a record
	foreign tally // rows that were not UTF-8
	ignored []string
	openEnd bool // the last line has no line end
	devices sameness
}

// sameness finds out whether all rows name the same device, or none. Nexthink's
// page on profiles says that names may be hidden from an account.
type sameness struct {
	rows  uint64
	first []byte
	mixed bool
}

func (s *sameness) add(device extract.Value) {
	name := bytes.TrimSpace(device.Bytes)
	if s.rows == 0 {
		s.first = bytes.Clone(name)
	}
	s.rows++
	s.mixed = s.mixed || !bytes.Equal(s.first, name)
}

// note is what the operator should hear, "" for nothing.
func (s *sameness) note() string {
	switch {
	case s.mixed || s.rows <= fewRows:
		return ""
	case len(s.first) == 0:
		return fmt.Sprintf("none of the %d rows names its device: does the profile of the account hide the names?", s.rows)
	default:
		return fmt.Sprintf("all %d rows name the same device: does the profile of the account hide the names?", s.rows)
	}
}

// tally counts rows and keeps the place of the first.
type tally struct{ count, first uint64 }

func (t *tally) add(ordinal uint64) {
	if t.count == 0 {
		t.first = ordinal
	}
	t.count++
}

func newSink(keys *keys, emit func(*extract.Record) error, secrets []string) *sink {
	return &sink{
		keys:    keys,
		emit:    emit,
		secrets: secrets,
		record:  extract.Record{Values: make([]extract.Value, extract.MeteringColumns)},
		extra:   map[string]struct{}{},
	}
}

// begin starts the next record.
func (s *sink) begin() {
	s.record.Ordinal++
	s.clear()
}

func (s *sink) clear() {
	clear(s.record.Values)
	s.record.Extra = s.record.Extra[:0]
	s.placed = [extract.MeteringColumns]key{}
}

// place puts a field where its key belongs. Of several keys for one column the
// best alias wins, the others are kept as extra fields.
func (s *sink) place(k key, v extract.Value) {
	if k.column == unknown {
		s.addExtra(k.name, v)
		return
	}
	value, holder := &s.record.Values[k.column], &s.placed[k.column]
	switch {
	case value.Kind == extract.Absent:
		*value, *holder = v, k
	case k.rank < holder.rank:
		s.addExtra(holder.name, *value)
		*value, *holder = v, k
	default:
		s.addExtra(k.name, v)
	}
}

func (s *sink) addExtra(name string, v extract.Value) {
	s.record.Extra = append(s.record.Extra, extract.Field{Name: name, Value: v})
	if len(s.extra) < seenLimit {
		s.extra[name] = struct{}{}
	}
}

// send hands the record on. The first one must have named the device: an
// answer that never does is not the documented one.
func (s *sink) send(raw []byte) error {
	if s.record.Ordinal == 1 && s.record.Values[extract.MeteringDevice].Kind == extract.Absent {
		return badAnswer("no key of the first record stands for the device; its keys are %s", s.listed(s.recordKeys()))
	}
	s.devices.add(s.record.Values[extract.MeteringDevice])
	return s.handOn(raw)
}

// sendOdd hands on the row without its values because it does not have the form
// of a record: so it is rejected in the open, with its text, and not lost.
func (s *sink) sendOdd(raw []byte) error {
	s.odd.add(s.record.Ordinal)
	s.clear()
	return s.handOn(raw)
}

func (s *sink) handOn(raw []byte) error {
	s.record.Raw = raw
	s.emitErr = s.emit(&s.record)
	return s.emitErr
}

// isForeign tells whether the text of the current row is not UTF-8, and counts
// it. Such a row is read as Windows-1252, which older spreadsheets and Java
// services write; row by row, because a stream cannot be looked at to its end
// first.
func (s *sink) isForeign(row []byte) bool {
	if utf8.Valid(row) {
		return false
	}
	s.foreign.add(s.record.Ordinal)
	return true
}

// appendWindows1252 appends text to dst in UTF-8.
func appendWindows1252(dst, text []byte) []byte {
	for _, b := range text {
		dst = utf8.AppendRune(dst, charmap.Windows1252.DecodeByte(b))
	}
	return dst
}

func (s *sink) recordKeys() []string {
	var names []string
	for _, k := range s.placed {
		if k.name != "" {
			names = append(names, k.name)
		}
	}
	for _, f := range s.record.Extra {
		names = append(names, f.Name)
	}
	return names
}

// notes are the sentences about the answer as a whole.
func (s *sink) notes() []string {
	var notes []string
	if len(s.extra) > 0 {
		names := make([]string, 0, len(s.extra))
		for name := range s.extra {
			names = append(names, name)
		}
		notes = append(notes, "the answer has keys that no column was made for, kept in extra: "+s.listed(names))
	}
	if s.odd.count > 0 {
		notes = append(notes, fmt.Sprintf("rows that do not have the form of a record: %d, the first is row %d", s.odd.count, s.odd.first))
	}
	if s.foreign.count > 0 {
		notes = append(notes, fmt.Sprintf("rows that are not UTF-8 and were read as Windows-1252: %d, the first is row %d",
			s.foreign.count, s.foreign.first))
	}
	if note := s.devices.note(); note != "" {
		notes = append(notes, note)
	}
	if s.openEnd {
		notes = append(notes, "the last row has no line end: if other answers of this server have one, this answer was cut off")
	}
	if len(s.ignored) > 0 {
		notes = append(notes, "the answer holds further lists, which were not read: "+s.listed(s.ignored))
	}
	return notes
}

// listed writes names sorted and quoted, not more than a sentence can bear and
// nothing secret.
func (s *sink) listed(names []string) string {
	slices.Sort(names)
	rest := ""
	if len(names) > namesInNote {
		rest = fmt.Sprintf(" and %d more", len(names)-namesInNote)
		names = names[:namesInNote]
	}
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = fmt.Sprintf("%.60q", redact(name, s.secrets))
	}
	return strings.Join(quoted, ", ") + rest
}
