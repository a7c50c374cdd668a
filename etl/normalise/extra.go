package normalise

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/meterhouse/meterhouse/extract"
)

// extraFields gathers what no column of a row holds.
type extraFields struct {
	fields []extract.Field
	text   bytes.Buffer
}

// reset begins a new row with the fields that its source had no column for.
func (e *extraFields) reset(unknown []extract.Field) {
	e.fields = append(e.fields[:0], unknown...)
}

func (e *extraFields) add(name string, v extract.Value) {
	e.fields = append(e.fields, extract.Field{Name: name, Value: v})
}

// object writes the fields as one JSON object with sorted keys; nothing when
// there are none. The text is valid until the next call.
func (e *extraFields) object() []byte {
	members := make(map[string]any, len(e.fields))
	for _, f := range e.fields {
		if f.Value.Kind != extract.Absent {
			members[freeKey(members, f.Name)] = member(f.Value)
		}
	}
	if len(members) == 0 {
		return nil
	}
	e.text.Reset()
	enc := json.NewEncoder(&e.text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(members); err != nil {
		panic("BUG: member of extra is no JSON: " + err.Error())
	}
	return bytes.TrimSuffix(e.text.Bytes(), []byte{'\n'})
}

// freeKey is name, or name#2, name#3 for the later of several fields with one
// name: two columns of a CSV may share theirs.
func freeKey(taken map[string]any, name string) string {
	key := name
	for n := 2; ; n++ {
		if _, used := taken[key]; !used {
			return key
		}
		key = name + "#" + strconv.Itoa(n)
	}
}

// member is a value for encoding/json: the JSON that the source wrote, or a
// string of it where that is no JSON.
func member(v extract.Value) any {
	switch {
	case v.Kind == extract.Null:
		return nil
	case v.Kind != extract.Text && json.Valid(v.Bytes):
		return json.RawMessage(v.Bytes)
	default:
		return string(v.Bytes)
	}
}
