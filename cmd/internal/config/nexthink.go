package config

import (
	"fmt"
	"math"
	"time"

	"github.com/meterhouse/meterhouse/extract/nexthink"
)

// nexthinkKeys are the keys that only nexthink sources have.
func nexthinkKeys() []string {
	return []string{"format", "aliases", "date_layout", "decimal_comma", "targets"}
}

func (b *block) nexthink(s *Source) {
	var hasPassword bool
	s.User, _ = b.required("user", "name a local account of the portal that may see the metrics")
	if s.Password, hasPassword = b.secret("password", b.r.openSources); !hasPassword {
		b.fault("password_file", "", "is missing", "name a file with the password of the user (or password_env)")
	}
	s.Format = b.choice("format", nexthink.FormatJSON, nexthink.FormatJSON, nexthink.FormatCSV, nexthink.FormatTable)
	s.Aliases = b.block("aliases").aliases()
	s.DateLayout = b.dateLayout()
	s.DecimalComma = b.boolean("decimal_comma", false)

	const advice = "write a list, each entry with name and metric"
	before := len(b.r.faults)
	entries := b.blocks("targets", advice)
	if len(entries) == 0 && len(b.r.faults) == before {
		b.fault("targets", "", "is missing", "name at least one target, with name and metric")
	}
	names := map[string]place{}
	for _, entry := range entries {
		s.Targets = append(s.Targets, entry.target())
		entry.unique(names)
	}
}

// aliases reads further keys per column. A key may stand for one column only;
// it is compared as the keys of the answers are.
func (b *block) aliases() map[string][]string {
	var aliases map[string][]string
	taken := map[string]word{}
	for _, column := range nexthink.Columns() {
		for _, w := range b.words(column, false, "write a list, such as [Gerät]") {
			key := nexthink.NormalKey(w.text)
			other, twice := taken[key]
			switch {
			case key == "":
				b.r.fault(w.at, w.text, "has neither letter nor digit", "write the key as the portal does")
				continue
			case twice:
				b.r.fault(w.at, w.text, fmt.Sprintf("is the same key as %q on line %d", other.text, other.at.line),
					"keep one; upper case, spaces and punctuation make no difference")
				continue
			}
			taken[key] = w
			if aliases == nil {
				aliases = map[string][]string{}
			}
			aliases[column] = append(aliases[column], w.text)
		}
	}
	b.done()
	return aliases
}

func (b *block) dateLayout() string {
	layout := b.str("date_layout", "")
	if layout != "" && !holdsDate(layout) {
		b.fault("date_layout", layout, "is not the layout of a whole date",
			`write 2 January 2006, 15:04:05 as the portal writes dates: "02/01/2006 15:04" for day/month/year`)
	}
	return layout
}

// holdsDate tries whether dates survive being written and read in a layout.
func holdsDate(layout string) bool {
	for _, day := range []time.Time{
		time.Date(2019, time.November, 28, 0, 0, 0, 0, time.UTC), time.Date(2031, time.March, 4, 0, 0, 0, 0, time.UTC),
	} {
		read, err := time.Parse(layout, day.Format(layout))
		if err != nil || !read.Equal(day) {
			return false
		}
	}
	return true
}

func (b *block) target() Target {
	t := Target{Path: []string{}}
	t.Name = b.name()
	t.Metric, _ = b.required("metric", "copy the metric's UID from /api/softwaremetering/v1 of the portal")
	t.Program = b.str("program", "")
	t.Hierarchy = b.str("hierarchy", "")
	for _, w := range b.words("path", true, "write the node names from the top, such as [Europe, Switzerland]") {
		t.Path = append(t.Path, w.text)
	}
	t.Lists = b.lists()
	t.WindowDays = uint16(b.whole("window_days", 0, 0, math.MaxUint16)) //nolint:gosec // bounded
	b.done()
	if t.Program == "" {
		b.warn("program", "", "is missing: rows of all programs of the metric come mixed and cannot be told apart", "name one program per target")
	}
	if len(t.Path) == 0 {
		b.warn("path", "", "is missing: the answer covers whatever the user may see", "name the node, so that a change of the user's rights is no change of the numbers")
	}
	return t
}

func (b *block) lists() []string {
	known := []string{"installed", "underusage"}
	if !b.given("lists") {
		b.known = append(b.known, "lists")
		return known[:1]
	}
	before := len(b.r.faults)
	var lists []string
	for _, w := range b.words("lists", false, "write [installed, underusage]") {
		if b.r.oneOf(w.at, w.text, known...) {
			lists = append(lists, w.text)
		}
	}
	if len(lists) == 0 && len(b.r.faults) == before {
		b.fault("lists", "", "is an empty list", "write [installed], [underusage] or both")
	}
	return lists
}

// unique reports a name that an earlier block of the same list has.
func (b *block) unique(names map[string]place) {
	e, given := b.values["name"]
	name := raw(e.node)
	if !given || name == "" {
		return
	}
	if first, taken := names[name]; taken {
		b.fault("name", name, fmt.Sprintf("is the name on line %d too", first.line), "give each its own")
		return
	}
	names[name] = e.at
}
