package config

import (
	"fmt"
	"math"
)

// nexthinkKeys are the keys that only nexthink sources have.
func nexthinkKeys() []string { return []string{"format", "targets"} }

func (b *block) nexthink(s *Source) {
	var hasPassword bool
	s.User, _ = b.required("user", "name a local account of the portal that may see the metrics")
	if s.Password, hasPassword = b.secret("password", b.r.openSources); !hasPassword {
		b.fault("password_file", "", "is missing", "name a file with the password of the user (or password_env)")
	}
	s.Format = b.choice("format", "json", "json", "csv")
	if b.given("recheck_days") {
		b.warn("recheck_days", "", "has no effect on a nexthink source", "the portal answers for today only")
	}

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
