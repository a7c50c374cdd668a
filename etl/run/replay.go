package run

import (
	"context"
	"fmt"

	"github.com/meterhouse/meterhouse/etl/archive"
	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/schema"
)

// Replay is an archived load that a slice is loaded from again.
type Replay struct {
	Manifest *archive.Manifest
	// API reads the answers as they were asked for then.
	API extract.Source
	// Force makes a new version also of what readers see already.
	Force bool
}

// replay fills the load from the archive. The archive knows which day the
// answers are of, so a past day of a snapshot source is as good as any.
func (s *sourceRun) replay(ctx context.Context, item plan.Item, from Replay, load *schema.Load) error {
	via := func() extract.Getter { return s.runner.o.Archive.Replay(from.Manifest) }
	load.Partial = from.Manifest.Load.Partial // what the pull knew of the source
	o := origin{api: from.API, header: from.Manifest.Header(load.LoadID)}
	if item.Published == nil || from.Force {
		return s.insert(ctx, item, o, via(), load)
	}
	return s.compare(ctx, item, o, via(), via, load)
}

const replayReason = "replay of load %d"

// reason says in the ledger why a slice was loaded.
func (r *Runner) reason(item plan.Item) string {
	if from, archived := r.o.Replays[item.Slice]; archived {
		return fmt.Sprintf(replayReason, from.Manifest.LoadID())
	}
	return string(item.Reason)
}

// ReplayedLoad is the archived load that a ledger row was loaded from; false for
// one that came from its source.
func ReplayedLoad(row schema.Load) (loadID uint64, ok bool) {
	n, err := fmt.Sscanf(row.Reason, replayReason, &loadID)
	return loadID, n == 1 && err == nil
}

// Answered is the load whose answers a load's rows were made of: itself, or the
// one that it replayed. ledger holds the rows of its slice.
func Answered(ledger []schema.Load, loadID uint64) uint64 {
	for _, row := range ledger {
		if row.LoadID != loadID {
			continue
		}
		if from, replayed := ReplayedLoad(row); replayed {
			return from
		}
	}
	return loadID
}
