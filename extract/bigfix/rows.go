package bigfix

import (
	"fmt"

	"github.com/go-faster/jx"

	"github.com/meterhouse/meterhouse/extract"
)

// rememberedNames bounds how many names of unknown keys are kept between rows.
const rememberedNames = 64

// rows turns the text of one row after another into a record, without
// allocating for a row whose keys are known.
type rows struct {
	json     jx.Decoder
	columnOf func(key []byte) int
	record   extract.Record
	text     []byte // the unescaped strings of the current row
	names    map[string]string
}

func newRows(l list) *rows {
	return &rows{
		columnOf: l.columnOf,
		record:   extract.Record{Stream: l.stream, Values: make([]extract.Value, l.width)},
		names:    map[string]string{},
	}
}

// decode reads the next row. A row that is not an object becomes a record
// without values, which cannot be normalised and is kept as a reject.
func (r *rows) decode(raw []byte) (*extract.Record, error) {
	r.record.Ordinal++
	r.record.Raw = raw
	clear(r.record.Values)
	r.record.Extra = r.record.Extra[:0]
	r.text = r.text[:0]
	r.json.ResetBytes(raw)
	var err error
	if r.json.Next() == jx.Object {
		err = r.object("", r.columnOf)
	} else {
		err = r.json.Validate()
	}
	if err != nil {
		return nil, fmt.Errorf("row %d is not valid JSON: %w", r.record.Ordinal, err)
	}
	return &r.record, nil
}

// object reads the keys of a row or of its `server`; prefix goes before the
// names of those that no column was made for.
func (r *rows) object(prefix string, columnOf func([]byte) int) error {
	keys, err := r.json.ObjIter()
	if err != nil {
		return err
	}
	for keys.Next() {
		key := keys.Key()
		if prefix == "" && r.record.Stream == extract.Facts && string(key) == "server" && r.json.Next() == jx.Object {
			if err := r.object("server.", serverColumn); err != nil {
				return err
			}
			continue
		}
		column := columnOf(key)
		name := ""
		if column < 0 {
			name = r.name(prefix, key)
		}
		v, err := r.value()
		if err != nil {
			return err
		}
		if column < 0 {
			r.record.Extra = append(r.record.Extra, extract.Field{Name: name, Value: v})
		} else {
			r.record.Values[column] = v
		}
	}
	return keys.Err()
}

// value reads one value. Its bytes lie in the row's own text or in r.text.
func (r *rows) value() (v extract.Value, err error) {
	switch r.json.Next() {
	case jx.String:
		start := len(r.text)
		r.text, err = r.json.StrAppend(r.text)
		return extract.Value{Kind: extract.Text, Bytes: r.text[start:]}, err
	case jx.Number:
		v.Kind = extract.Number
	case jx.Null:
		return extract.Value{Kind: extract.Null}, r.json.Null()
	case jx.Bool:
		v.Kind = extract.Bool
	default:
		v.Kind = extract.JSON
	}
	v.Bytes, err = r.json.Raw()
	return v, err
}

// name is the name of an unknown key, made into a string once for all rows.
func (r *rows) name(prefix string, key []byte) string {
	if prefix == "" {
		if name, ok := r.names[string(key)]; ok {
			return name
		}
	}
	name := prefix + string(key)
	if prefix == "" && len(r.names) < rememberedNames {
		r.names[name] = name
	}
	return name
}
