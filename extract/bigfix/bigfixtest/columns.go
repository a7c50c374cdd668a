package bigfixtest

import (
	"bytes"
	"cmp"
	"strconv"
	"unicode/utf8"
)

// cell is one value of a row: a number, a text, or null.
type cell struct {
	number int64
	text   string
	bytes  []byte // a text that is reused from row to row
	kind   cellKind
}

type cellKind uint8

const (
	isNumber cellKind = iota
	isText
	isBytes
	isNull
)

func number(v int64) cell { return cell{number: v} }

func text(s string) cell { return cell{text: s, kind: isText} }

// orNull is a text of a bundle, null for the rows that are in none.
func orNull(s string) cell {
	if s == "" {
		return cell{kind: isNull}
	}
	return text(s)
}

func (c cell) String() string {
	switch c.kind {
	case isNumber:
		return strconv.FormatInt(c.number, 10)
	case isText:
		return c.text
	case isBytes:
		return string(c.bytes)
	default:
		return ""
	}
}

func (c cell) compare(d cell) int {
	if c.kind == isNumber && d.kind == isNumber {
		return cmp.Compare(c.number, d.number)
	}
	return bytes.Compare([]byte(c.String()), []byte(d.String()))
}

// column is one that can be asked for.
type column struct {
	name string
	key  []byte // its name as a JSON key, with the colon
	of   func(*usage) cell
}

// usageColumns are the documented columns in the order of the example on HCL's
// page; byDefault says which ones that example has, which names no columns.
func usageColumns() (all []column, byDefault int) {
	all = []column{
		{name: "product_id", of: func(u *usage) cell { return number(u.line.id) }},
		{name: "metric_id", of: func(u *usage) cell { return number(int64(u.line.metric.id)) }},
		{name: "bundle_id", of: func(u *usage) cell { return number(u.line.bundle.id) }},
		{name: "server_id", of: func(u *usage) cell { return number(u.server.id) }},
		{name: "product_name", of: func(u *usage) cell { return text(u.line.name) }},
		{name: "metric_code_name", of: func(u *usage) cell { return text(u.line.metric.code) }},
		{name: "bundle_name", of: func(u *usage) cell { return orNull(u.line.bundle.name) }},
		{name: "hwm_quantity", of: func(u *usage) cell { return number(u.quantity) }},
		{name: "hwm_cores", of: func(u *usage) cell { return number(u.cores) }},
		{name: "product_family_guid", of: func(u *usage) cell { return text(u.line.family) }},
		{name: "bundle_guid", of: func(u *usage) cell { return orNull(u.line.bundle.guid) }},
	}
	return withKeys(all), 9
}

// serverColumns are the columns of the `server` association.
func serverColumns() []column {
	return withKeys([]column{
		{name: "id", of: func(u *usage) cell { return number(u.server.id) }},
		{name: "name", of: func(u *usage) cell { return cell{bytes: u.server.name, kind: isBytes} }},
		{name: "type", of: func(u *usage) cell { return number(u.server.kind) }},
		{name: "hardware_vendor", of: func(u *usage) cell { return text(u.server.vendor) }},
		{name: "hardware_model", of: func(u *usage) cell { return text(u.server.model) }},
		{name: "total_processors", of: func(u *usage) cell { return number(u.server.processors) }},
		{name: "hardware_serial_number", of: func(u *usage) cell { return cell{bytes: u.server.serial, kind: isBytes} }},
		{name: "cores", of: func(u *usage) cell { return number(u.server.cores) }},
		{name: "pvu_per_core", of: func(u *usage) cell { return number(u.server.perCPU) }},
		{name: "active_computers", of: func(u *usage) cell { return number(1) }},
	})
}

func withKeys(columns []column) []column {
	for i := range columns {
		columns[i].key = append(appendString(nil, columns[i].name), ':')
	}
	return columns
}

// appendRow appends one row as JSON.
func appendRow(b []byte, u *usage, own, ofServer []column) []byte {
	b = append(b, '{')
	b = appendFields(b, u, own)
	if len(ofServer) > 0 {
		if len(own) > 0 {
			b = append(b, ',')
		}
		b = append(b, `"server":{`...)
		b = append(appendFields(b, u, ofServer), '}')
	}
	return append(b, '}')
}

func appendFields(b []byte, u *usage, columns []column) []byte {
	for i := range columns {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, columns[i].key...)
		switch c := columns[i].of(u); c.kind {
		case isNumber:
			b = strconv.AppendInt(b, c.number, 10)
		case isText:
			b = appendString(b, c.text)
		case isBytes: // names of servers, which need no escapes
			b = append(append(append(b, '"'), c.bytes...), '"')
		default:
			b = append(b, "null"...)
		}
	}
	return b
}

// appendString appends a JSON string in ASCII, so that a reader meets escapes.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r >= ' ' && r < utf8.RuneSelf:
			b = append(b, byte(r))
		default:
			b = appendHex(append(b, `\u`...), uint64(r), 4) //nolint:gosec // the catalogue keeps to the basic plane
		}
	}
	return append(b, '"')
}
