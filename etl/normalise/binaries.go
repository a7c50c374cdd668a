package normalise

import (
	"bytes"
	"database/sql"
	"slices"

	"github.com/go-faster/jx"

	"github.com/meterhouse/meterhouse/extract"
)

// binaryReader reads the Binaries of one device, two lists of equal length:
// names, and whether each was used.
//
// The portal's page says that JSON is a collection of the binaries used, and
// that CSV and HTML list the significant binaries, each followed by yes (used)
// or no. How either is written it does not say, so these are read:
//
//   - JSON array of names: used, unless yes or no follows the name;
//   - JSON array of objects with a name (name, binary, binaryname, executable)
//     and perhaps a flag (used): used unless the flag says otherwise;
//   - JSON object of that kind alone, or one that maps names to flags;
//   - text: names parted by comma, semicolon, bar, line or <br>, each followed
//     by yes or no; without, nobody can tell whether it was used: NULL.
type binaryReader struct {
	strings *interner
	names   []string
	used    []sql.Null[bool]
	puzzled bool // something of the value was not understood
}

// read takes the value in and reports whether all of it was understood.
func (r *binaryReader) read(v extract.Value) bool {
	switch {
	case notAvailable(v):
		return true
	case v.Kind == extract.Text:
		r.text(v.Bytes)
	case v.Kind == extract.JSON:
		r.json(v.Bytes)
	default:
		r.puzzled = true
	}
	return !r.puzzled
}

func (r *binaryReader) add(name []byte, used sql.Null[bool]) {
	r.names = append(r.names, r.strings.get(name))
	r.used = append(r.used, used)
}

// listed takes a name that yes or no may follow; without, used is assumed.
func (r *binaryReader) listed(text []byte, assumed sql.Null[bool]) {
	text = bytes.TrimSpace(text)
	if name, used, ok := cutFlag(text); ok {
		r.add(name, known(used))
	} else if len(text) > 0 {
		r.add(text, assumed)
	}
}

func (r *binaryReader) text(b []byte) {
	for len(b) > 0 {
		var piece []byte
		piece, b = cutBinary(b)
		r.listed(piece, sql.Null[bool]{})
	}
}

func (r *binaryReader) json(b []byte) {
	d := jx.DecodeBytes(b)
	var err error
	switch d.Next() {
	case jx.Array:
		err = d.Arr(r.element)
	case jx.Object:
		var found bool
		if found, err = r.described(d); !found && err == nil {
			r.puzzled = false
			err = jx.DecodeBytes(b).ObjBytes(r.mapped)
		}
	default:
		r.puzzled = true
	}
	if err != nil { // no JSON after all
		r.puzzled = true
	}
}

// element takes one element of an array.
func (r *binaryReader) element(d *jx.Decoder) error {
	switch d.Next() {
	case jx.String:
		b, err := d.StrBytes()
		if err == nil {
			r.listed(b, known(true))
		}
		return err
	case jx.Object:
		found, err := r.described(d)
		r.puzzled = r.puzzled || !found
		return err
	case jx.Null:
		return d.Null()
	default:
		r.puzzled = true
		return d.Skip()
	}
}

// described takes an object that describes one binary; found is false, and
// nothing is taken, when it has no name.
func (r *binaryReader) described(d *jx.Decoder) (found bool, err error) {
	var name string
	used := known(true)
	err = d.ObjBytes(func(d *jx.Decoder, key []byte) error {
		switch k := normalKey(key); {
		case slices.Contains([]string{"name", "binary", "binaryname", "executable"}, k) && name == "" && d.Next() == jx.String:
			b, err := d.StrBytes()
			if _, isFlag := parseFlag(b); !isFlag {
				name = r.strings.get(bytes.TrimSpace(b))
			}
			return err
		case k == "used":
			used, err = r.flag(d)
			return err
		default:
			r.puzzled = true
			return d.Skip()
		}
	})
	if err != nil || name == "" {
		return false, err
	}
	r.names, r.used = append(r.names, name), append(r.used, used)
	return true, nil
}

// mapped takes one member of an object that maps names to flags.
func (r *binaryReader) mapped(d *jx.Decoder, key []byte) error {
	name := r.strings.get(key)
	used, err := r.flag(d)
	r.names, r.used = append(r.names, name), append(r.used, used)
	return err
}

// flag reads whether a binary was used, from any JSON value.
func (r *binaryReader) flag(d *jx.Decoder) (sql.Null[bool], error) {
	t := d.Next()
	raw, err := d.Raw()
	if err != nil || t == jx.Null {
		return sql.Null[bool]{}, err
	}
	if used, ok := parseFlag(bytes.Trim(raw, `"`)); ok && t != jx.Object && t != jx.Array {
		return known(used), nil
	}
	r.puzzled = true
	return sql.Null[bool]{}, nil
}

func known(used bool) sql.Null[bool] { return sql.Null[bool]{V: used, Valid: true} }

// parseFlag reads yes or no in the forms that JSON writers use.
func parseFlag(b []byte) (used, ok bool) {
	switch string(bytes.ToLower(b)) {
	case "yes", "true", "1":
		return true, true
	case "no", "false", "0":
		return false, true
	default:
		return false, false
	}
}

// cutBinary cuts the first of several binaries off a text.
func cutBinary(text []byte) (piece, rest []byte) {
	for i, c := range text {
		switch c {
		case ',', ';', '|', '\n', '\r':
			return text[:i], text[i+1:]
		case '<':
			if n := lineBreak(text[i:]); n > 0 {
				return text[:i], text[i+n:]
			}
		}
	}
	return text, nil
}

// lineBreak is the length of the <br>, <br/> or <br /> that b begins with, or 0.
func lineBreak(b []byte) int {
	end := bytes.IndexByte(b, '>')
	if end < 0 {
		return 0
	}
	tag := bytes.TrimRight(b[1:end], " /")
	if !bytes.EqualFold(tag, []byte("br")) {
		return 0
	}
	return end + 1
}

// cutFlag cuts yes or no off the end of "visio.exe yes", "visio.exe: no" or
// "visio.exe (yes)". Looking from the right lets names hold blanks and dots.
func cutFlag(text []byte) (name []byte, used, ok bool) {
	text = bytes.TrimSuffix(text, []byte{')'})
	for _, flag := range [...]string{"yes", "no"} {
		head := text[:max(0, len(text)-len(flag))]
		if !bytes.EqualFold(text[len(head):], []byte(flag)) {
			continue
		}
		name = bytes.TrimRight(head, " \t:=(")
		return name, flag == "yes", len(name) > 0 && len(name) < len(head)
	}
	return nil, false, false
}

// normalKey drops all but letters and digits and makes the letters small, so
// that "Binary name" and "binaryName" are the same key.
func normalKey(key []byte) string {
	kept := make([]byte, 0, len(key))
	for _, c := range bytes.ToLower(key) {
		if c >= 'a' && c <= 'z' || isDigit(c) {
			kept = append(kept, c)
		}
	}
	return string(kept)
}
