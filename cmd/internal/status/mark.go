package status

import (
	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/schema"
)

// mark is what one character of a calendar stands for. Of several slices of a
// day the highest is shown: the one that most needs a look.
type mark int

const (
	notAsked mark = iota // outside of the range, or before the feed's start
	notYetDue
	published
	provisional
	restated
	partial
	laterFailed  // readers see an earlier version
	laterRefused // readers see an earlier version
	outOfReach   // from here on readers see nothing
	missing
	failed
	refused
	marks // how many there are
)

// markOf says how a slice is drawn.
func markOf(d Day) mark {
	switch d.State {
	case plan.StateNotYetDue:
		return notYetDue
	case plan.StateOutOfReach:
		return outOfReach
	case plan.StateMissing:
		return missing
	case plan.StateFailed:
		return failed
	case plan.StateRefused:
		return refused
	case plan.StatePublished, plan.StateProvisional:
	}
	switch {
	case d.Stopped() && d.Last.Status == schema.Refused:
		return laterRefused
	case d.Stopped():
		return laterFailed
	case d.Partial != "":
		return partial
	case d.Restated > 0:
		return restated
	case d.State == plan.StateProvisional:
		return provisional
	default:
		return published
	}
}

// seen reports whether readers see something of the day.
func (m mark) seen() bool { return m >= published && m < outOfReach }

// due reports whether readers should see something of the day.
func (m mark) due() bool { return m >= published }

// needsALook reports whether somebody should know of the day.
func (m mark) needsALook() bool { return m >= partial }

// symbol is the mark's character in a calendar.
func (m mark) symbol() string { return string(" -.~rpfxOMFX"[m]) }

// word stands behind a number or a day.
func (m mark) word() string {
	switch m {
	case notYetDue:
		return "not yet due"
	case published:
		return "published"
	case provisional:
		return "provisional"
	case restated:
		return "restated"
	case partial:
		return "partial"
	case laterFailed:
		return "failed later"
	case laterRefused:
		return "refused later"
	case outOfReach:
		return "out of reach"
	case missing:
		return "missing"
	case failed:
		return "failed"
	case refused:
		return "refused"
	default:
		return ""
	}
}

// colour is the mark's colour. What is in order stays in the background; the
// rest stands out as a filled cell.
func (m mark) colour() colour {
	switch m {
	case published:
		return green
	case provisional:
		return cyan
	case restated:
		return onBlue
	case partial, laterFailed, laterRefused:
		return onYellow
	case outOfReach:
		return onMagenta
	case missing, failed, refused:
		return onRed
	default:
		return plain
	}
}
