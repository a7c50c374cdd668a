package plan

import (
	"cmp"
	"slices"
	"time"

	"github.com/meterhouse/meterhouse/schema"
)

// Input is all that a plan depends on.
type Input struct {
	Feeds  []Feed
	Ledger []schema.Load // all rows, in any order
	Now    time.Time
}

// Plan names every slice that was looked at exactly once.
type Plan struct {
	Do   []Item // in the order to pull them
	Skip []Item
}

// Item is one slice with what was decided, and what the engine needs to know of
// the ledger to load it. The loads point into the Input's ledger.
type Item struct {
	schema.Slice
	Kind   string `json:"kind"`
	Reason Reason `json:"reason"`
	State  State  `json:"state"`
	// Cost is what pulling the slice is likely to take; of one that is not pulled,
	// nothing.
	Cost Cost `json:"cost"`
	// Published is the version that readers see now, nil for none: the one with
	// the highest PublishedSeq.
	Published *schema.Load `json:"published,omitempty"`
	// Last is the latest row of the ledger, nil for none. It says what a later
	// attempt came to, when State tells of an earlier version that readers see.
	Last *schema.Load `json:"last,omitempty"`
	// Recent are the rows of the feed's last seven published days before this
	// one, oldest first; fewer when there are fewer.
	Recent []DayRows `json:"-"`
	// EverRows: the feed has published rows on some day.
	EverRows bool `json:"-"`
	// RolledBack are the versions that an operator rolled back from. If the source
	// still says what one of them says, it is not published again.
	RolledBack []*schema.Load `json:"-"`
	// Refused is the latest load that a guard refused, nil for none or when it was
	// published at some time. If the source still says what it says, it is not
	// stored again.
	Refused *schema.Load `json:"-"`
}

// DayRows is how many rows readers see of a day.
type DayRows struct {
	Day  schema.Day
	Rows uint64
}

// Options narrow Sync down. Empty names match all.
type Options struct {
	Source, Feed string
	// Day asks for one day and nothing else: also one before the start, and
	// again if it is published.
	Day *schema.Day
}

// RangeOptions narrow Range down. Empty names match all.
type RangeOptions struct {
	Source, Feed string
	// Force pulls again what is published.
	Force bool
}

// Sync plans one pass: the days that are due and not published since the
// feed's start, and the recheck window again. Newest days come first, and
// within a day the feeds in their configured order, so that no feed's backlog
// holds up another's latest day.
//
// Of the days before the recheck window whose last load failed or was refused,
// published or not, each feed gets the MaxOldFailures that were tried least
// recently.
//
// Without a start it looks at yesterday and the recheck window only. Published
// days in that window are pulled again even before the start, which only bounds
// catching up. The same goes for the deep recheck.
func Sync(in Input, o Options) Plan {
	var p Plan
	for _, v := range view(in, o.Source, o.Feed) {
		if o.Day != nil {
			p.decide(v, *o.Day, rules{recheck: true, force: true})
			continue
		}
		p.catchUp(v)
	}
	newestFirst := func(a, b Item) int { return int(b.Day) - int(a.Day) }
	slices.SortStableFunc(p.Do, newestFirst)
	slices.SortStableFunc(p.Skip, newestFirst)
	return p
}

// catchUp decides over all the days of a feed that Sync looks at.
func (p *Plan) catchUp(v *feedView) {
	var own Plan
	for _, p := range v.published {
		if p.Day < v.syncFrom() && v.inDeep(p.Day) {
			own.decide(v, p.Day, rules{recheck: true})
		}
	}
	for day := v.syncFrom(); day <= v.today; day++ {
		own.decide(v, day, rules{recheck: true, fromStart: true})
	}
	own.postpone(v)
	p.Do, p.Skip = append(p.Do, own.Do...), append(p.Skip, own.Skip...)
}

// MaxOldFailures is how many slices of one feed that failed or were refused in
// earlier passes one pass tries again, those of its newest days apart. Without a
// bound, a computer group that is broken for months would cost every pass the
// time that today's data needs.
const MaxOldFailures = 20

// postpone leaves old failures beyond MaxOldFailures to later passes. The least
// recently tried stay, so that each has its turn.
func (p *Plan) postpone(v *feedView) {
	var old []Item
	p.Do = slices.DeleteFunc(p.Do, func(it Item) bool {
		isOld := (it.Reason == FailedBefore || it.Reason == RefusedBefore) && !v.inRecheck(it.Day) && it.Day != v.newestDue()
		if isOld {
			old = append(old, it)
		}
		return isOld
	})
	slices.SortFunc(old, func(a, b Item) int {
		return cmp.Or(a.Last.FinishedAt.Compare(b.Last.FinishedAt), cmp.Compare(b.Day, a.Day))
	})
	turn := min(len(old), MaxOldFailures)
	p.Do = append(p.Do, old[:turn]...)
	for _, it := range old[turn:] {
		it.Reason = Postponed
		p.Skip = append(p.Skip, it)
	}
}

// Range plans a backfill of the days from and to and all between, oldest first.
// It may go before the start. What is published is left alone unless forced;
// days that have not ended and past days of a snapshot source are never pulled.
func Range(in Input, from, to schema.Day, o RangeOptions) Plan {
	var p Plan
	views := view(in, o.Source, o.Feed)
	for day := from; day <= to; day++ {
		for _, v := range views {
			p.decide(v, day, rules{force: o.Force})
		}
	}
	return p
}

// Replay plans exactly the slices that are named, in their order and whatever
// their state: the archive has their answers. Their feeds must be among the
// Input's.
func Replay(in Input, named []schema.Slice) Plan {
	var p Plan
	views := view(in, "", "")
	for _, s := range named {
		for _, v := range views {
			if v.Source == s.Source && v.Feed.Feed == s.Feed {
				item := v.item(s.Day, Replayed)
				item.Recent = v.recent(s.Day)
				p.Do = append(p.Do, item)
			}
		}
	}
	return p
}

// syncFrom is the first day that Sync looks at.
func (v *feedView) syncFrom() schema.Day {
	from := min(v.recheckFrom(), v.newestDue())
	if v.HasStart {
		from = min(from, v.Start)
	}
	return from
}

// rules are where Sync and Range differ.
type rules struct {
	recheck   bool // pull published days again: of the recheck window, due for a deep recheck, and what went wrong
	force     bool // pull any published day again
	fromStart bool // leave days before the start alone
}

func (p *Plan) decide(v *feedView, day schema.Day, r rules) {
	reason, do := v.reason(day, r)
	item := v.item(day, reason)
	if !do {
		p.Skip = append(p.Skip, item)
		return
	}
	item.Cost = v.cost(day)
	item.Recent = v.recent(day)
	item.RolledBack = rolledBackFrom(v.slices[day].publications)
	item.Refused = v.slices[day].standing()
	p.Do = append(p.Do, item)
}

func (v *feedView) item(day schema.Day, reason Reason) Item {
	s := v.slices[day]
	return Item{
		Slice: schema.Slice{Source: v.Source, Feed: v.Feed.Feed, Day: day},
		Kind:  v.Kind, Reason: reason, State: v.state(day),
		Published: s.published, Last: s.last, EverRows: v.everRows,
	}
}

// reason decides over one slice: whether it is pulled, and why or why not.
func (v *feedView) reason(day schema.Day, r rules) (why Reason, do bool) {
	s := v.slices[day]
	again := r.force || r.recheck && v.lookAgain(day)
	switch {
	case s.published != nil && !again:
		return AlreadyPublished, false
	case day > v.newestDue():
		return NotYetDue, false
	case !v.History && day < v.today:
		return OutOfReach, false
	case v.setBack:
		return ClockSetBack, false
	case s.published != nil && r.recheck && v.inRecheck(day):
		return Recheck, true
	case s.published != nil && r.force:
		return Forced, true
	case s.published != nil && !stopped(s.last):
		return RecheckDeep, true
	case s.published == nil && r.fromStart && v.beforeStart(day):
		return BeforeStart, false
	case s.lastWas(schema.Refused):
		return RefusedBefore, true
	case s.lastWas(schema.Failed):
		return FailedBefore, true
	case day == v.newestDue():
		return New, true
	default:
		return Missed, true
	}
}
