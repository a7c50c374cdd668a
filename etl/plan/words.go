package plan

import "fmt"

// Reason says why a slice is pulled, or why it is not.
type Reason string

// Reasons to pull a slice.
const (
	New           Reason = "new"            // the newest day that is due, never loaded
	Missed        Reason = "missed"         // an earlier day, never loaded
	FailedBefore  Reason = "failed_before"  // the last load failed
	RefusedBefore Reason = "refused_before" // a guard stopped the last load
	Recheck       Reason = "recheck"        // published, but the source may still restate it
	RecheckDeep   Reason = "recheck_deep"   // published long ago, and not looked at for a while
	Forced        Reason = "forced"         // published, and asked for all the same
	Replayed      Reason = "replay"         // loaded again from the archive
)

// Reasons not to pull a slice.
const (
	AlreadyPublished Reason = "published"      // readers see it, nothing to do
	NotYetDue        Reason = "not_yet_due"    // the day has not ended, or not begun, at the source
	OutOfReach       Reason = "out_of_reach"   // the source only answers for today, and this day is over
	BeforeStart      Reason = "before_start"   // sync does not go back beyond the configured start
	Postponed        Reason = "postponed"      // failed or refused before, and others were tried less recently
	ClockSetBack     Reason = "clock_set_back" // the source only answers for today, and the ledger has a later day already
)

// Explain is the reason as a sentence for people.
func (r Reason) Explain() string {
	switch r {
	case New:
		return "the newest day that is due; it was never loaded"
	case Missed:
		return "an earlier day that was never loaded"
	case FailedBefore:
		return "the last load of this day failed"
	case RefusedBefore:
		return "a guard refused the last load of this day"
	case Recheck:
		return "published, and pulled again because the source may still restate it"
	case RecheckDeep:
		return "published, and pulled again because nobody has looked at it for longer than recheck_deep allows"
	case Forced:
		return "published, and pulled again because it was asked for"
	case Replayed:
		return "loaded again from the archive, because it was asked for"
	case AlreadyPublished:
		return "already published"
	case NotYetDue:
		return "the day is not over yet at the source, or has not begun"
	case OutOfReach:
		return "the source only shows today; what it showed on this day cannot be asked for any more"
	case BeforeStart:
		return "before the start that is configured; a backfill can load it"
	case Postponed:
		return fmt.Sprintf("failed or refused before; a pass tries the %d such days that were tried least recently, and a backfill all", MaxOldFailures)
	case ClockSetBack:
		return "the source only shows today, and a later day of it was tried already: this machine's clock was set back over midnight, or was ahead before; it is pulled when that day comes"
	default:
		return string(r)
	}
}

// State is what the ledger and the clock make of a slice.
type State string

// The states of a slice.
const (
	StatePublished   State = "published"    // readers see it
	StateProvisional State = "provisional"  // readers see it, and it is inside its recheck window
	StateRefused     State = "refused"      // nothing published; the last load was stopped by a guard
	StateFailed      State = "failed"       // nothing published; the last load failed
	StateMissing     State = "missing"      // due, and never loaded
	StateNotYetDue   State = "not_yet_due"  // the day has not ended, or not begun, at the source
	StateOutOfReach  State = "out_of_reach" // a past day of a snapshot source that was not published in time
)

// Explain is the state as a sentence for people.
func (s State) Explain() string {
	switch s {
	case StatePublished:
		return "readers see this day"
	case StateProvisional:
		return "readers see this day; the source may still restate it"
	case StateRefused:
		return "a guard refused the last load; readers see nothing"
	case StateFailed:
		return "the last load failed; readers see nothing"
	case StateMissing:
		return "due, and never loaded"
	case StateNotYetDue:
		return "the day is not over yet at the source, or has not begun"
	case StateOutOfReach:
		return "not loaded in time, and the source only shows today"
	default:
		return string(s)
	}
}
