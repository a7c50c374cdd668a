package nexthink

import (
	"bytes"
	"errors"
	"io"

	"github.com/go-faster/jx"

	"github.com/meterhouse/meterhouse/extract"
)

// jsonReader reads one answer in JSON. Three roots are accepted: an array of
// objects; an object that holds one; and an object with the keys in one array
// and the rows as an array of arrays.
type jsonReader struct {
	in   *input
	sink *sink
	// whole reads the answer, row the text of one row of it.
	whole *jx.Decoder
	row   *jx.Decoder
}

func readJSON(in *input, s *sink) error {
	r := &jsonReader{in: in, sink: s, whole: jx.Decode(in, readSize), row: jx.DecodeBytes(nil)}
	var err error
	switch r.whole.Next() {
	case jx.Array:
		err = r.list()
	case jx.Object:
		err = readMembers(r)
	default:
		err = badAnswer("the answer is not an array or object of JSON: %s", in.head)
	}
	if err != nil {
		return in.explain(err)
	}
	in.allow(unbounded)
	if err := r.whole.Skip(); !errors.Is(err, io.EOF) {
		if in.failed != nil {
			return in.failed
		}
		return badAnswer("the answer goes on behind the end of its JSON")
	}
	return nil
}

// list reads a root that is an array.
func (r *jsonReader) list() error {
	list, err := r.whole.ArrIter()
	if err != nil {
		return err
	}
	for first := true; list.Next(); first = false {
		if kind := r.whole.Next(); first && kind != jx.Object && kind != jx.Invalid {
			return badAnswer("the answer is a list but not one of objects: %s", r.in.head)
		}
		raw, err := r.nextRow()
		if err != nil {
			return err
		}
		if err := r.object(raw); err != nil {
			return err
		}
	}
	return list.Err()
}

// nextRow takes the text of the next element of a list. It is valid until more
// is read.
func (r *jsonReader) nextRow() ([]byte, error) {
	r.in.allow(maxRecord)
	raw, err := r.whole.Raw()
	r.in.allow(unbounded)
	return bytes.TrimSpace(raw), err
}

// object reads a row that is an object. Anything else is handed on as text, to
// be rejected.
func (r *jsonReader) object(raw []byte) error {
	r.begin(raw)
	if r.row.Next() != jx.Object {
		return r.sink.sendOdd(raw)
	}
	fields, err := r.row.ObjIter()
	if err != nil {
		return err
	}
	for fields.Next() {
		k := r.sink.keys.of(fields.Key())
		v, err := r.value()
		if err != nil {
			return err
		}
		r.sink.place(k, v)
	}
	if err := fields.Err(); err != nil {
		return err
	}
	return r.sink.send(raw)
}

// array reads a row that is an array, whose values belong to the given keys in
// order. Anything else is handed on as text, to be rejected.
func (r *jsonReader) array(header []key, raw []byte) error {
	r.begin(raw)
	if r.row.Next() != jx.Array {
		return r.sink.sendOdd(raw)
	}
	values, err := r.row.ArrIter()
	if err != nil {
		return err
	}
	n := 0
	for ; values.Next(); n++ {
		v, err := r.value()
		if err != nil {
			return err
		}
		if n < len(header) {
			r.sink.place(header[n], v)
		}
	}
	if err := values.Err(); err != nil {
		return err
	}
	if n != len(header) {
		return r.sink.sendOdd(raw)
	}
	return r.sink.send(raw)
}

// begin starts a record and points the row decoder at its text.
func (r *jsonReader) begin(raw []byte) {
	r.sink.begin()
	if r.sink.isForeign(raw) {
		raw = appendWindows1252(nil, raw)
	}
	r.row.ResetBytes(raw)
}

// value takes the next value of the row as it is written; strings are unescaped.
func (r *jsonReader) value() (extract.Value, error) {
	kind := r.row.Next()
	if kind == jx.String {
		text, err := r.row.StrBytes()
		return extract.Value{Kind: extract.Text, Bytes: text}, err
	}
	raw, err := r.row.Raw()
	switch kind {
	case jx.Null:
		return extract.Value{Kind: extract.Null}, err
	case jx.Number:
		return extract.Value{Kind: extract.Number, Bytes: raw}, err
	case jx.Bool:
		return extract.Value{Kind: extract.Bool, Bytes: raw}, err
	default:
		return extract.Value{Kind: extract.JSON, Bytes: raw}, err
	}
}
