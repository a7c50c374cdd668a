package plan

import (
	"time"

	"github.com/meterhouse/meterhouse/schema"
)

// Cost is what pulling a slice is likely to take, judged by what a pull took
// before: the latest one of the same slice or, for a slice that was never pulled,
// of its feed.
type Cost struct {
	Requests uint64 `json:"requests"`
	Rows     uint64 `json:"rows"`
	Bytes    uint64 `json:"bytes"`
	// Seconds is from the first request to the last row, in whole seconds.
	Seconds float64 `json:"seconds"`
	// Known is false when the feed was never pulled; the figures are 0 then.
	Known bool `json:"known"`
	// Estimated: the figures are of another day of the feed.
	Estimated bool `json:"estimated"`
}

// cost judges a slice by the ledger.
func (v *feedView) cost(day schema.Day) Cost {
	load, estimated := v.slices[day].lastPull, false
	if load == nil {
		load, estimated = v.lastPull, true
	}
	if load == nil {
		return Cost{}
	}
	return Cost{
		Requests: load.Requests, Rows: load.Rows, Bytes: load.Bytes,
		Seconds: max(0, load.FinishedAt.Sub(load.StartedAt)).Seconds(),
		Known:   true, Estimated: estimated,
	}
}

// pulled reports whether the row tells what a whole pull from the source took.
// What failed broke off somewhere, and a row that publishes an existing load
// again asked the source for nothing.
func pulled(l *schema.Load) bool {
	return l.Requests > 0 && l.Status != schema.Failed
}

// latest is the one of two rows that was written later; b may be nil.
func latest(a, b *schema.Load) *schema.Load {
	if b == nil || later(a, b) {
		return a
	}
	return b
}

// Total is what a plan is likely to take in all.
type Total struct {
	Requests, Rows, Bytes uint64
	// Work is the time of all slices one after the other; a source's Parallel
	// shortens it.
	Work time.Duration
	// Unknown counts the slices whose cost is not known and not in the figures.
	Unknown int
}

// Total adds up the slices to pull.
func (p Plan) Total() Total {
	var t Total
	for _, item := range p.Do {
		c := item.Cost
		if !c.Known {
			t.Unknown++
		}
		t.Requests += c.Requests
		t.Rows += c.Rows
		t.Bytes += c.Bytes
		t.Work += time.Duration(c.Seconds * float64(time.Second))
	}
	return t
}
