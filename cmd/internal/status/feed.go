package status

import (
	"time"

	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/schema"
)

// Feed is one feed with the days that were asked for.
type Feed struct {
	Source string             `json:"source"`
	Kind   string             `json:"kind"`
	Feed   string             `json:"feed"`
	From   schema.Day         `json:"from"`
	To     schema.Day         `json:"to"`
	States map[plan.State]int `json:"states"` // days by state
	// LastDay is the newest published day, LastPublished when it was published (UTC).
	LastDay       *schema.Day `json:"last_published_day"`
	LastPublished *time.Time  `json:"last_published_at"`
	Rows          uint64      `json:"last_published_rows"`
	// Partial counts the published days that are known to be incomplete at the
	// source; PartialDay is the newest of them and PartialReason why.
	Partial       int         `json:"days_partial"`
	PartialDay    *schema.Day `json:"last_partial_day,omitempty"`
	PartialReason string      `json:"last_partial_reason,omitempty"`
	// LastError is the newest refusal or failure that no later load of its day has mended.
	LastError    string      `json:"last_error,omitempty"`
	LastErrorDay *schema.Day `json:"last_error_day,omitempty"`
	// Restated counts the published days whose content changed after the first publication.
	Restated int `json:"days_restated"`
	// TimeZone is the source's, in which its days begin and end.
	TimeZone string `json:"time_zone"`
	// Hosts are the machines that have loaded the feed lately: one, as a rule.
	Hosts []string `json:"hosts"`
	Days  []Day    `json:"days"`
}

// Day is one day of a feed. What machines ask for most stands beside the
// rows of the ledger.
type Day struct {
	plan.DayState
	// Rows, LoadID and PublishedAt (UTC) are those of the version that readers see;
	// 0, 0 and null for none. A version that was rolled back to was published when
	// that was done.
	Rows        uint64     `json:"rows"`
	LoadID      uint64     `json:"load_id,string"`
	PublishedAt *time.Time `json:"published_at"`
	// Partial is why the version is known to be incomplete at its source, or "".
	Partial string `json:"partial"`
	// Reason is why the latest load was refused or failed, or "".
	Reason string `json:"reason"`
}

func newDay(d plan.DayState) Day {
	s := Day{DayState: d, Partial: d.Partial()}
	if p := d.Published; p != nil {
		s.Rows, s.LoadID, s.PublishedAt = p.Rows, p.LoadID, &p.FinishedAt
	}
	if d.Stopped() {
		s.Reason = d.Last.Reason
	}
	return s
}

// lately is how far back the machines that load a feed are looked for: one that
// was moved shall not be named for ever.
const lately = 36 * time.Hour

// Query says what is asked for. Empty names match all; without From or To it is
// the first or last day that matters for a feed.
type Query struct {
	Source, Feed string
	From, To     *schema.Day
}

// Of asks the same function as the plan for the state of every day, feed by feed
// in the order of in.
func Of(in plan.Input, q Query) []*Feed {
	out := []*Feed{}
	for _, f := range in.Feeds {
		if (q.Source != "" && f.Source != q.Source) || (q.Feed != "" && f.Feed != q.Feed) {
			continue
		}
		first, last := span(in, f)
		if q.From != nil {
			first = *q.From
		}
		if q.To != nil {
			last = *q.To
		}
		one := plan.Input{Feeds: []plan.Feed{f}, Ledger: in.Ledger, Now: in.Now}
		s := &Feed{
			Source: f.Source, Kind: f.Kind, Feed: f.Feed, From: first, To: last,
			States: map[plan.State]int{}, TimeZone: f.Location.String(), Days: []Day{},
		}
		s.Hosts = plan.Hosts(in.Ledger, f.Source, f.Feed, in.Now.Add(-lately))
		for _, d := range plan.Coverage(one, first, last) {
			s.add(d)
		}
		out = append(out, s)
	}
	return out
}

// span is the range of days that matter for a feed without being told.
func span(in plan.Input, f plan.Feed) (first, last schema.Day) {
	last = schema.DayOf(in.Now, f.Location)
	if f.History {
		last-- // today has not ended
	}
	first = last
	if f.HasStart {
		first = min(first, f.Start)
	}
	for _, l := range in.Ledger {
		if l.Source == f.Source && l.Feed == f.Feed {
			first = min(first, l.Day)
		}
	}
	return first, last
}

func (s *Feed) add(state plan.DayState) {
	d := newDay(state)
	s.Days = append(s.Days, d)
	s.States[d.State]++
	if p := d.Published; p != nil {
		s.LastDay, s.LastPublished, s.Rows = &p.Day, d.PublishedAt, p.Rows
	}
	if d.Partial != "" {
		s.Partial++
		s.PartialDay, s.PartialReason = &d.Published.Day, d.Partial
	}
	if d.Restated > 0 {
		s.Restated++
	}
	if d.Stopped() {
		s.LastError, s.LastErrorDay = string(d.Last.Status)+": "+d.Reason, &d.Last.Day
	}
}
