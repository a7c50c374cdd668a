package plan

import (
	"cmp"
	"slices"
	"sort"
	"time"

	"github.com/meterhouse/meterhouse/schema"
)

// recentDays is how many published days a guard compares a new one with.
const recentDays = 7

// Feed is what the configuration says of one feed.
type Feed struct {
	Source, Kind, Feed string
	// Location is the source's time zone, in which its days begin and end.
	Location *time.Location
	// History: any past day can be asked for, and a day is due once it has
	// ended. Without, the source shows only now: the only slice that can be
	// pulled is today's, and it is due all day.
	History bool
	// Start is the first day that Sync catches up on, when HasStart.
	Start    schema.Day
	HasStart bool
	// RecheckDays is how many of the last ended days are pulled again although
	// they are published. For a source without history any number above 0 means
	// today.
	RecheckDays int
	// DeepDays and DeepEvery pull again, of the last DeepDays ended days, the
	// published ones of which the ledger has had no new row for DeepEvery, and
	// those whose last load failed or was refused. They are for sources with
	// history; 0 days turn it off.
	DeepDays  int
	DeepEvery time.Duration
}

// feedView is one feed with what the ledger says of it at one moment.
type feedView struct {
	Feed
	now      time.Time
	today    schema.Day
	slices   map[schema.Day]sliceView
	firstDay schema.Day // of the ledger; valid when slices is not empty
	// setBack: of a source without history the ledger has a row of a later day than
	// today, from a later moment than now.
	setBack  bool
	everRows bool
	lastPull *schema.Load // of any day, nil for none
	// published are the published days, ascending.
	published []DayRows
}

// sliceView is what the ledger says of one slice.
type sliceView struct {
	published *schema.Load // the version that readers see, nil for none
	last      *schema.Load // the latest row, nil for none
	lastPull  *schema.Load // the latest row of a pull that came to its end, nil for none
	refused   *schema.Load // the latest row of a refused load, nil for none
	// publications are all rows that published a version, in the ledger's order.
	publications []*schema.Load
}

// view indexes the ledger once for the feeds that match. Empty names match all.
func view(in Input, source, feed string) []*feedView {
	var views []*feedView
	byName := make(map[[2]string]*feedView, len(in.Feeds))
	for _, f := range in.Feeds {
		if source != "" && source != f.Source || feed != "" && feed != f.Feed {
			continue
		}
		v := &feedView{Feed: f, now: in.Now, today: schema.DayOf(in.Now, f.Location), slices: map[schema.Day]sliceView{}}
		views = append(views, v)
		byName[[2]string{f.Source, f.Feed}] = v
	}
	for i := range in.Ledger {
		load := &in.Ledger[i]
		if v := byName[[2]string{load.Source, load.Feed}]; v != nil {
			v.add(load)
		}
	}
	for _, v := range views {
		v.listPublished()
	}
	return views
}

func (v *feedView) add(load *schema.Load) {
	if len(v.slices) == 0 || load.Day < v.firstDay {
		v.firstDay = load.Day
	}
	if ahead := load.FinishedAt.Sub(v.now); !v.History && load.Day > v.today && ahead > 0 && ahead <= maxSetBack {
		v.setBack = true
	}
	s := v.slices[load.Day]
	if s.last == nil || later(load, s.last) {
		s.last = load
	}
	if pulled(load) {
		s.lastPull, v.lastPull = latest(load, s.lastPull), latest(load, v.lastPull)
	}
	if load.Status == schema.Refused {
		s.refused = latest(load, s.refused)
	}
	if load.PublishedSeq > 0 {
		v.everRows = v.everRows || load.Rows > 0
		if s.published == nil || supersedes(load, s.published) {
			s.published = load
		}
		s.publications = append(s.publications, load)
	}
	v.slices[load.Day] = s
}

// supersedes reports whether readers see a and not b, of two published rows.
func supersedes(a, b *schema.Load) bool {
	if a.PublishedSeq != b.PublishedSeq {
		return a.PublishedSeq > b.PublishedSeq
	}
	return a.LoadID > b.LoadID
}

// later reports whether a was written to the ledger after b. An accepted or
// rolled back load repeats an earlier id, so the id alone does not tell.
func later(a, b *schema.Load) bool {
	if !a.FinishedAt.Equal(b.FinishedAt) {
		return a.FinishedAt.After(b.FinishedAt)
	}
	if a.LoadID != b.LoadID {
		return a.LoadID > b.LoadID
	}
	return a.PublishedSeq > b.PublishedSeq
}

func (v *feedView) listPublished() {
	for day, s := range v.slices {
		if s.published != nil {
			v.published = append(v.published, DayRows{day, s.published.Rows})
		}
	}
	slices.SortFunc(v.published, func(a, b DayRows) int { return cmp.Compare(a.Day, b.Day) })
}

// recent lists the rows of the last published days before day, oldest first.
func (v *feedView) recent(day schema.Day) []DayRows {
	end := sort.Search(len(v.published), func(i int) bool { return v.published[i].Day >= day })
	return slices.Clone(v.published[max(0, end-recentDays):end])
}

// newestDue is the last day that can be pulled: yesterday where a day must have
// ended, today where there is nothing but today.
func (v *feedView) newestDue() schema.Day {
	if v.History {
		return v.today - 1
	}
	return v.today
}

// recheckFrom is the first day of the recheck window, which ends with the
// newest due day; an empty window begins after it.
func (v *feedView) recheckFrom() schema.Day {
	days := max(0, v.RecheckDays)
	if !v.History {
		days = min(days, 1)
	}
	return v.newestDue() - schema.Day(days) + 1
}

func (v *feedView) inRecheck(day schema.Day) bool {
	return day >= v.recheckFrom() && day <= v.newestDue()
}

// deepFrom is the first day of the deep recheck, which ends with the newest due
// day; without one it begins after it.
func (v *feedView) deepFrom() schema.Day {
	days := max(0, v.DeepDays)
	if !v.History {
		days = 0
	}
	return v.newestDue() - schema.Day(days) + 1
}

func (v *feedView) inDeep(day schema.Day) bool {
	return day >= v.deepFrom() && day <= v.newestDue()
}

// deepDue reports whether a published day of the deep recheck was not looked at
// for long enough.
func (v *feedView) deepDue(day schema.Day) bool {
	s := v.slices[day]
	return s.published != nil && v.inDeep(day) && v.now.Sub(s.last.FinishedAt) >= v.DeepEvery
}

// lookAgain reports whether a published day is pulled again without being asked
// for: the source may restate it, or the last look came to nothing.
func (v *feedView) lookAgain(day schema.Day) bool {
	within := v.History || day == v.today
	return v.inRecheck(day) || v.deepDue(day) || within && stopped(v.slices[day].last)
}

// beforeStart reports whether catching up does not reach back to day.
func (v *feedView) beforeStart(day schema.Day) bool { return v.HasStart && day < v.Start }

// state is what the ledger and the clock make of a day. What readers see comes
// first: a later attempt that failed or was refused changes nothing for them.
func (v *feedView) state(day schema.Day) State {
	s := v.slices[day]
	switch {
	case s.published != nil && v.inRecheck(day):
		return StateProvisional
	case s.published != nil:
		return StatePublished
	case day > v.newestDue():
		return StateNotYetDue
	case s.lastWas(schema.Refused):
		return StateRefused
	case !v.History && day < v.today:
		return StateOutOfReach
	case s.lastWas(schema.Failed):
		return StateFailed
	default:
		return StateMissing
	}
}

// standing is the latest refused load, nil for none. One that was published at
// some time is pruned like other versions, whatever was refused since: it cannot
// stand for what an operator may still accept.
func (s sliceView) standing() *schema.Load {
	if s.refused == nil || slices.ContainsFunc(s.publications, func(l *schema.Load) bool { return l.LoadID == s.refused.LoadID }) {
		return nil
	}
	return s.refused
}

func (s sliceView) lastWas(status schema.Status) bool {
	return s.last != nil && s.last.Status == status
}
