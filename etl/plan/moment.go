package plan

import (
	"time"

	"github.com/meterhouse/meterhouse/schema"
)

// maxSetBack is how far a clock that was set back, or that was ahead before, is
// taken into account: it covers a wrong time zone. A row of the ledger that lies
// further in the future was written by a clock that nothing should follow.
const maxSetBack = 24 * time.Hour

// Moment is the time that a new row of a slice's ledger bears, whose latest row is
// last, nil for none: now, or a second after that row when the clock was set
// back in between. So the rows of a slice stay in the order in which they were
// written, and license_usage_as_of shows each version that readers once saw.
func Moment(last *schema.Load, now time.Time) time.Time {
	if last == nil || !now.Before(last.FinishedAt) || last.FinishedAt.Sub(now) > maxSetBack {
		return now
	}
	return last.FinishedAt.Add(time.Second)
}
