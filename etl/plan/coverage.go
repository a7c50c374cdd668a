package plan

import "github.com/meterhouse/meterhouse/schema"

// DayState is the state of one slice. The loads point into the Input's ledger.
type DayState struct {
	schema.Slice
	State     State        `json:"state"`
	Published *schema.Load `json:"published,omitempty"` // the version that readers see, nil for none
	Last      *schema.Load `json:"last,omitempty"`      // the latest row of the ledger, nil for none
	// Restated counts how often what readers see changed after the first
	// publication: by a pull, an accept or a rollback. It is the number of the
	// slice's rows in the view restatements.
	Restated int `json:"restated"`
}

// Stopped reports whether the latest load of the slice was refused or failed, so
// that readers see nothing of it, or what they saw before.
func (d DayState) Stopped() bool { return stopped(d.Last) }

func stopped(last *schema.Load) bool {
	return last != nil && (last.Status == schema.Refused || last.Status == schema.Failed)
}

// Partial says why the version that readers see is known to be incomplete at its
// source. It is "" when it is not, and when a later pull found the same content
// and nothing missing.
func (d DayState) Partial() string {
	if d.Published == nil || d.Last.Status == schema.Unchanged && d.Last.Partial == "" {
		return ""
	}
	return d.Published.Partial
}

// Coverage lists the state of every slice of the days from and to and all
// between, feed by feed in configured order, oldest day first.
//
// Days that nobody asked for are left out, so that they do not look like gaps:
// those before a feed's start (without one: before its first day in the ledger,
// or what Sync looks at) of which the ledger knows nothing.
func Coverage(in Input, from, to schema.Day) []DayState {
	var states []DayState
	for _, v := range view(in, "", "") {
		begin := v.begin()
		for day := from; day <= to; day++ {
			s := v.slices[day]
			if day < begin && s.last == nil {
				continue
			}
			states = append(states, DayState{
				Slice: schema.Slice{Source: v.Source, Feed: v.Feed.Feed, Day: day},
				State: v.state(day), Published: s.published, Last: s.last, Restated: restated(s.publications),
			})
		}
	}
	return states
}

// restated counts the publications that changed the content of what readers see.
// Two processes that publish the same content change nothing.
func restated(published []*schema.Load) int {
	n := 0
	var seen *schema.Load
	for _, row := range publications(published) {
		if seen != nil && row.ContentHash != seen.ContentHash {
			n++
		}
		seen = row
	}
	return n
}

// begin is the first day that the feed is expected to have.
func (v *feedView) begin() schema.Day {
	switch {
	case v.HasStart:
		return v.Start
	case len(v.slices) > 0:
		return min(v.firstDay, v.syncFrom())
	default:
		return v.syncFrom()
	}
}
