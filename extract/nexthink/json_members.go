package nexthink

import (
	"slices"
	"unicode/utf8"

	"github.com/go-faster/jx"

	"github.com/meterhouse/meterhouse/extract"
)

const (
	// heldObjects is how much of a list with a name of its own is kept back in
	// case a list with a usual name follows. A longer one is the devices' list.
	heldObjects = 1 << 20
	// heldRows is how much of a table is kept back when its rows come before
	// their header; it is room for some 200,000 devices.
	heldRows = 64 << 20
)

// members reads a root that is an object: the list of devices is in one of its
// members, the others are passed over.
type members struct {
	*jsonReader
	names  []string // all members, for errors
	header []key    // the keys of a table, once they have been seen
	empty  bool     // there is an empty list with a usual name

	found   bool   // the list of devices has been found
	sure    bool   // by its name or header, not for want of another
	taken   string // its name
	held    []heldList
	holding bool // the elements being read belong to the last of held
}

// heldList is a list that was met before it was clear that it is the one.
type heldList struct {
	name string
	kind jx.Type // of its elements
	rows [][]byte
	size int
}

func readMembers(r *jsonReader) error {
	m := &members{jsonReader: r}
	root, err := r.whole.ObjIter()
	if err != nil {
		return err
	}
	for root.Next() {
		if err := m.member(string(root.Key())); err != nil {
			return err
		}
	}
	if err := root.Err(); err != nil {
		return err
	}
	return m.finish()
}

func (m *members) member(name string) error {
	if len(m.names) < seenLimit {
		m.names = append(m.names, name)
	}
	switch {
	case m.whole.Next() != jx.Array:
		return m.whole.Skip()
	case isHeader(name):
		return m.readHeader()
	default:
		return m.readList(name)
	}
}

// readHeader reads the keys of a table. An array of anything but strings is
// none, and passed over.
func (m *members) readHeader() error {
	raw, err := m.nextRow()
	if err != nil {
		return err
	}
	if !utf8.Valid(raw) {
		raw = appendWindows1252(nil, raw)
	}
	m.row.ResetBytes(raw)
	cells, err := m.row.ArrIter()
	if err != nil {
		return err
	}
	var header []key
	for cells.Next() {
		if m.row.Next() != jx.String {
			return nil
		}
		name, err := m.row.StrBytes()
		if err != nil {
			return err
		}
		header = append(header, m.sink.keys.of(name))
	}
	m.header = header
	return cells.Err()
}

// readList reads one list, or keeps it back, or passes over it.
func (m *members) readList(name string) error {
	list, err := m.whole.ArrIter()
	if err != nil {
		return err
	}
	if !list.Next() {
		m.empty = m.empty || isUsual(name)
		return list.Err()
	}
	kind := m.whole.Next()
	if kind != jx.Object && kind != jx.Array {
		return m.skipList(&list)
	}
	known := kind == jx.Object && isUsual(name) || kind == jx.Array && m.header != nil
	switch {
	case m.found && (known || kind == jx.Object && !m.sure):
		return badAnswer("the answer has two lists that could be the devices: %s", m.sink.listed([]string{m.taken, name}))
	case m.found:
		m.sink.ignored = append(m.sink.ignored, name)
		return m.skipList(&list)
	case known:
		m.found, m.sure, m.taken, m.holding = true, true, name, false
	default:
		m.held, m.holding = append(m.held, heldList{name: name, kind: kind}), true
	}
	for more := true; more; more = list.Next() {
		raw, err := m.nextRow()
		if err != nil {
			return err
		}
		if err := m.element(kind, raw); err != nil {
			return err
		}
	}
	return list.Err()
}

// element takes one element of the list that is being read.
func (m *members) element(kind jx.Type, raw []byte) error {
	if !m.holding {
		return m.emit(kind, raw)
	}
	held := &m.held[len(m.held)-1]
	held.rows = append(held.rows, slices.Clone(raw))
	held.size += len(raw)
	switch {
	case kind == jx.Object && held.size > heldObjects:
		return m.decide()
	case kind == jx.Array && held.size > heldRows:
		return badAnswer("the rows come before their header and are too many to wait for it")
	}
	return nil
}

// decide takes the one list that is held for the list of devices.
func (m *members) decide() error {
	m.dropHeadless()
	if len(m.held) != 1 {
		return badAnswer("it is not clear which member of the answer is the list of devices; its members are %s", m.sink.listed(m.names))
	}
	list := m.held[0]
	m.found, m.taken, m.held, m.holding = true, list.name, nil, false
	for _, raw := range list.rows {
		if err := m.emit(list.kind, raw); err != nil {
			return err
		}
	}
	return nil
}

func (m *members) emit(kind jx.Type, raw []byte) error {
	if kind == jx.Object {
		return m.object(raw)
	}
	return m.array(m.header, raw)
}

func (m *members) skipList(list *jx.ArrIter) error {
	for more := true; more; more = list.Next() {
		if err := m.whole.Skip(); err != nil {
			return err
		}
	}
	return list.Err()
}

// finish decides about what was kept back, now that everything has been seen.
func (m *members) finish() error {
	m.dropHeadless()
	switch {
	case m.found:
		for _, l := range m.held {
			m.sink.ignored = append(m.sink.ignored, l.name)
		}
		return nil
	case len(m.held) == 0 && m.empty:
		return m.checkHeader()
	case len(m.held) == 0:
		return badAnswer("no member of the answer is a list of devices; its members are %s", m.sink.listed(m.names))
	case m.empty:
		return badAnswer("the list of devices is empty but another is not: %s", m.sink.listed([]string{m.held[0].name}))
	default:
		return m.decide()
	}
}

// dropHeadless forgets the lists of arrays for which there is no header: they
// are no tables.
func (m *members) dropHeadless() {
	m.held = slices.DeleteFunc(m.held, func(l heldList) bool {
		return l.kind == jx.Array && m.header == nil
	})
}

// checkHeader refuses a table without rows whose header does not name the device.
func (m *members) checkHeader() error {
	names := make([]string, len(m.header))
	for i, k := range m.header {
		if k.column == extract.MeteringDevice {
			return nil
		}
		names[i] = k.name
	}
	if m.header == nil {
		return nil
	}
	return badAnswer("no key of the header stands for the device; its keys are %s", m.sink.listed(names))
}

// isHeader tells whether a member names the columns of a table.
func isHeader(name string) bool {
	switch normalise(name) {
	case "header", "headers", "column", "columns":
		return true
	}
	return false
}

// isUsual tells whether a member has one of the names under which APIs hand out
// their rows.
func isUsual(name string) bool {
	switch normalise(name) {
	case "details", "data", "rows", "items", "result", "results", "devices":
		return true
	}
	return false
}
