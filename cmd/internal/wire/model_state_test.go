package wire_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/meterhouse/meterhouse/schema"
)

// model is the ledger's promise in the plainest form: per slice the events in the
// order in which they happened, and from them what readers see. It knows nothing
// of the packages that keep the promise; what it shares with them is the names of
// slices and statuses.
type model struct {
	feeds  []modelFeed
	slices map[schema.Slice]*modelSlice
	// What a load must be to be published.
	minRows    int
	maxRejects float64
	allowEmpty bool
}

// modelFeed is what is configured of a feed.
type modelFeed struct {
	source, feed string
	history      bool // any past day can be asked for
	recheck      int  // days
	start        schema.Day
	zone         *time.Location
}

// modelSlice is one day of a feed.
type modelSlice struct {
	events []event
	now    *version            // what readers see, nil for nothing
	away   []*version          // rolled back from, and not published again by an operator
	loads  map[uint64]*version // those that hold rows, or would if they had any
}

// event is a row of the ledger.
type event struct {
	load    uint64
	status  schema.Status
	at      time.Time
	version *version // that it published, nil for none
}

// version is the data of one load.
type version struct {
	id     uint64
	says   contents
	pruned bool
}

// today is the date that the feed's clocks show.
func (f modelFeed) today(now time.Time) schema.Day {
	day, err := schema.ParseDay(now.In(f.zone).Format(time.DateOnly))
	if err != nil {
		panic(err)
	}
	return day
}

func (f modelFeed) slice(day schema.Day) schema.Slice {
	return schema.Slice{Source: f.source, Feed: f.feed, Day: day}
}

func (m *model) slice(s schema.Slice) *modelSlice {
	if m.slices[s] == nil {
		m.slices[s] = &modelSlice{loads: map[uint64]*version{}}
	}
	return m.slices[s]
}

// sync lists what a pass pulls, in its order: newest days first.
func (m *model) sync(now time.Time) []schema.Slice {
	var all []schema.Slice
	for _, f := range m.feeds {
		newest := f.today(now) - 1
		from := min(f.start, newest-schema.Day(f.recheck)+1)
		if !f.history {
			newest++
			from = newest
			if m.clockWentBack(f, now) {
				continue
			}
		}
		for day := from; day <= newest; day++ {
			again := day > newest-schema.Day(f.recheck)
			if !f.history {
				again = f.recheck > 0
			}
			slice := m.slice(f.slice(day))
			again = again || slice.stopped()
			published := slice.now != nil
			if published && again || !published && day >= f.start {
				all = append(all, f.slice(day))
			}
		}
	}
	slices.SortStableFunc(all, func(a, b schema.Slice) int { return cmp.Compare(b.Day, a.Day) })
	return all
}

// stopped: what was tried last came to nothing.
func (s *modelSlice) stopped() bool {
	n := len(s.events)
	return n > 0 && (s.events[n-1].status == schema.Failed || s.events[n-1].status == schema.Refused)
}

// clockWentBack: of a source that shows only now there is a later day already.
func (m *model) clockWentBack(f modelFeed, now time.Time) bool {
	for s, slice := range m.slices {
		if s.Source == f.source && s.Feed == f.feed && s.Day > f.today(now) && len(slice.events) > 0 {
			return true
		}
	}
	return false
}

// backfill lists what a range pulls, in its order: oldest days first.
func (m *model) backfill(from, to schema.Day, force bool, now time.Time) []schema.Slice {
	var all []schema.Slice
	for day := from; day <= to; day++ {
		for _, f := range m.feeds {
			today := f.today(now)
			if f.history && day >= today || !f.history && (day != today || m.clockWentBack(f, now)) {
				continue
			}
			if m.slice(f.slice(day)).now == nil || force {
				all = append(all, f.slice(day))
			}
		}
	}
	return all
}

// pull says what becomes of a load that brings these contents.
func (m *model) pull(s schema.Slice, c contents, fault sabotage) schema.Status {
	slice := m.slice(s)
	if fault != none {
		return schema.Failed
	}
	if slice.now != nil {
		for _, known := range append([]*version{slice.now}, slice.away...) {
			if known.says.equal(c) {
				return schema.Unchanged
			}
		}
	}
	if m.guarded(s, c) {
		return schema.Refused
	}
	return schema.Published
}

// maxShrink is that of every model: half of the rows may vanish.
const maxShrink = 0.5

// guarded tells whether a guard speaks against the contents.
func (m *model) guarded(s schema.Slice, c contents) bool {
	rows, before := len(c.rows), 0
	ever := false
	var earlier []schema.Slice
	for other, slice := range m.slices {
		if other.Source != s.Source || other.Feed != s.Feed {
			continue
		}
		for _, e := range slice.events {
			ever = ever || e.version != nil && len(e.version.says.rows) > 0
		}
		if other.Day < s.Day && slice.now != nil {
			earlier = append(earlier, other)
		}
	}
	if now := m.slice(s).now; now != nil {
		before = len(now.says.rows)
	} else if len(earlier) > 0 { // the median of the last seven
		slices.SortFunc(earlier, func(a, b schema.Slice) int { return cmp.Compare(a.Day, b.Day) })
		var counts []int
		for _, other := range earlier[max(0, len(earlier)-7):] {
			counts = append(counts, len(m.slices[other].now.says.rows))
		}
		slices.Sort(counts)
		before = counts[len(counts)/2]
	}
	switch {
	case float64(c.rejects) > m.maxRejects*float64(rows+c.rejects), rows < m.minRows:
		return true
	case rows == 0:
		return !m.allowEmpty && ever
	default:
		return float64(rows) < maxShrink*float64(before)
	}
}

// happened writes an event down. No row says that it came before the one that it
// follows, whatever the clock did meanwhile.
func (m *model) happened(s schema.Slice, load uint64, status schema.Status, v *version, now time.Time) {
	slice := m.slice(s)
	if n := len(slice.events); n > 0 && now.Before(slice.events[n-1].at) {
		now = slice.events[n-1].at.Add(time.Second)
	}
	slice.events = append(slice.events, event{load, status, now, v})
	if v != nil {
		slice.now = v
	}
}

// loaded is what a load that ended so leaves.
func (m *model) loaded(s schema.Slice, load uint64, status schema.Status, c contents, now time.Time) {
	v := &version{id: load, says: c}
	switch status {
	case schema.Published:
		m.slice(s).loads[load] = v
		m.happened(s, load, status, v, now)
	case schema.Refused:
		m.slice(s).loads[load] = v
		m.happened(s, load, status, nil, now)
	default:
		m.happened(s, load, status, nil, now)
	}
}

// accept finds the load that accept publishes, nil when it must not.
func (m *model) accept(s schema.Slice, force bool) *version {
	slice := m.slice(s)
	for _, e := range slices.Backward(slice.events) {
		switch {
		case e.status == schema.Refused:
			v := slice.loads[e.load]
			if v == slice.now || v.pruned {
				return nil
			}
			return v
		case !force && (e.version != nil || e.status == schema.Unchanged):
			return nil // the source's last word is another
		}
	}
	return nil
}

// rollback finds the load that rollback publishes, nil when it must not. A load
// of 0 is the version that readers saw before.
func (m *model) rollback(s schema.Slice, load uint64) *version {
	slice := m.slice(s)
	if slice.now == nil {
		return nil
	}
	target := slice.loads[load]
	if load == 0 {
		for _, e := range slices.Backward(slice.events) {
			if e.version != nil && e.version != slice.now {
				target = e.version
				break
			}
		}
	}
	if target == nil || target == slice.now || target.pruned {
		return nil
	}
	return target
}

// republished is what an operator's publication leaves.
func (m *model) republished(s schema.Slice, v *version, status schema.Status, now time.Time) {
	slice := m.slice(s)
	if status == schema.RolledBack {
		slice.away = append(slice.away, slice.now)
	}
	slice.away = slices.DeleteFunc(slice.away, func(a *version) bool { return a == v })
	m.happened(s, v.id, status, v, now)
}

// seen is the version that readers of a moment see, or saw, of a slice.
func (s *modelSlice) seen(at time.Time) *version {
	var v *version
	for _, e := range s.events {
		if e.version != nil && !e.at.After(at) {
			v = e.version
		}
	}
	return v
}

// prune deletes what nobody sees, and says what that is: load and reason.
func (m *model) prune(now time.Time, superseded, unpublished time.Duration) []string {
	chosen := []string{}
	for _, slice := range m.slices {
		keep := map[*version]bool{slice.now: true, slice.seen(now.Add(-superseded)): true}
		published, last := map[uint64]bool{}, map[uint64]time.Time{}
		for _, e := range slice.events {
			last[e.load] = e.at
			if e.version != nil {
				published[e.load] = true
				keep[e.version] = keep[e.version] || !e.at.Before(now.Add(-superseded))
			}
		}
		for id, v := range slice.loads {
			why := ""
			switch {
			case v.pruned, keep[v], len(v.says.rows)+v.says.rejects == 0:
			case published[id]:
				why = "superseded"
			case now.Sub(last[id]) > unpublished:
				why = "refused"
			}
			if why != "" {
				v.pruned = true
				chosen = append(chosen, fmt.Sprint(id, " ", why))
			}
		}
	}
	slices.Sort(chosen)
	return chosen
}

// ofSource are the slices of a source that the ledger knows, in order.
func (m *model) ofSource(source string) []schema.Slice {
	known := slices.DeleteFunc(slices.Collect(maps.Keys(m.slices)), func(s schema.Slice) bool {
		return s.Source != source || len(m.slices[s].events) == 0
	})
	slices.SortFunc(known, func(a, b schema.Slice) int { return cmp.Or(cmp.Compare(a.Feed, b.Feed), cmp.Compare(a.Day, b.Day)) })
	return known
}
