package nexthinktest

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"
)

// Target is what a request for details asks for, named as its parameters.
type Target struct {
	Metric, Program, Hierarchy string
	Path                       []string
	List                       string // "" is installed, as the API has it
}

// errUnknown is behind all that the Portal does not have, errInvalid behind
// values that it does not understand.
var (
	errUnknown = errors.New("unknown")
	errInvalid = errors.New("invalid")
)

func targetOf(values url.Values) Target {
	return Target{
		Metric: values.Get("metric"), Program: values.Get("program"),
		Hierarchy: values.Get("hierarchy"), Path: values["path"], List: values.Get("list"),
	}
}

// selection is a target with its names looked up.
type selection struct {
	metric    int // index
	programs  []Program
	only      string // UID of the one program, or ""
	hierarchy string
	path      []string
	underused bool
}

// find looks the names of a target up as the Portal does.
func (e *estate) find(t Target) (selection, error) {
	sel := selection{hierarchy: t.Hierarchy, path: t.Path, only: t.Program}
	metrics := Metrics()
	i := slices.IndexFunc(metrics, func(m Metric) bool { return m.UID == t.Metric })
	if i < 0 {
		return sel, fmt.Errorf("%w metric", errUnknown)
	}
	sel.metric, sel.programs = i, metrics[i].Programs
	if t.Program != "" && !slices.ContainsFunc(sel.programs, func(p Program) bool { return p.UID == t.Program }) {
		return sel, fmt.Errorf("%w program", errUnknown)
	}
	if sel.hierarchy == "" {
		sel.hierarchy = LocationHierarchy
	}
	if !slices.ContainsFunc(e.sites, func(s site) bool { return sel.holds(&s) }) {
		return sel, fmt.Errorf("%w hierarchy or path", errUnknown)
	}
	switch t.List {
	case "", "installed":
	case "underusage":
		sel.underused = true
	default:
		return sel, fmt.Errorf("%w list", errInvalid)
	}
	return sel, nil
}

// holds tells whether a site hangs below the selected node.
func (sel *selection) holds(s *site) bool {
	path := s.path(sel.hierarchy)
	return path != nil && len(sel.path) <= len(path) && slices.Equal(path[:len(sel.path)], sel.path)
}

// each gives all rows of a selection on a day, program by program. The row is
// reused.
func (e *estate) each(sel selection, day int, row func(*detail) error) error {
	var d detail
	for i := range sel.programs {
		program := &sel.programs[i]
		if sel.only != "" && program.UID != sel.only {
			continue
		}
		for desk := range e.devices {
			dev, ok := e.device(desk, day)
			if !ok || !sel.holds(dev.site) || !e.measure(&d, dev, sel.metric<<8|i, program, day) {
				continue
			}
			if sel.underused && !d.isUnderused() {
				continue
			}
			if err := row(&d); err != nil {
				return err
			}
		}
	}
	return nil
}

// Truth is what the rows of one answer add up to.
type Truth struct {
	Devices uint64 // rows
	// NeverRun are the rows without a last activity.
	NeverRun uint64
	// UsageHundredths is the sum of the average usage per day, in hundredths of
	// a second, as written.
	UsageHundredths uint64
	// Binaries are all significant ones, which csv and table list; UsedBinaries
	// those that json lists.
	Binaries, UsedBinaries uint64
}

// Truth computes what the Portal answers at an instant. The error says which
// part of the target it does not know.
func (p *Portal) Truth(at time.Time, t Target) (Truth, error) {
	sel, err := p.estate.find(t)
	if err != nil {
		return Truth{}, err
	}
	var truth Truth
	err = p.estate.each(sel, dayOf(at.In(p.o.Location)), func(d *detail) error {
		truth.Devices++
		truth.UsageHundredths += d.usage
		truth.Binaries += uint64(len(d.used))
		if d.lastDay == 0 {
			truth.NeverRun++
		}
		for _, used := range d.used {
			if used {
				truth.UsedBinaries++
			}
		}
		return nil
	})
	return truth, err
}
