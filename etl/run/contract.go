package run

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/meterhouse/meterhouse/etl/archive"
	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/schema"
)

// Warehouse is what bringing a slice in needs of the warehouse.
//
// An error with a method Temporary that gives true says that the same slice may
// well be brought in under another load id.
type Warehouse interface {
	// NextSeq is the number that follows those of all publications so far.
	NextSeq(ctx context.Context) (uint64, error)
	// Begin opens a load. Its rows are invisible to readers whatever happens
	// next, until Record publishes its id.
	Begin(ctx context.Context, h schema.LoadHeader) (Load, error)
	// Verify compares what the warehouse holds under the id with what was sent.
	Verify(ctx context.Context, kind string, loadID uint64, want schema.Totals) error
	// What publishing a load again needs, too: a load that a guard refused may
	// be all that is left to look at.
	Versions
	// Record writes finished loads into the ledger, all in one block. It takes
	// PublishedSeq, in place, from those whose status does not publish them.
	// Recording the same loads twice is harmless, so it tries again by itself
	// while the warehouse is unreachable or busy.
	Record(ctx context.Context, loads []schema.Load) error
	// Shifts lists the totals per product and metric that differ between two
	// stored loads of a slice of a bigfix source.
	Shifts(ctx context.Context, s schema.Slice, from, to uint64) ([]schema.Shift, error)
}

// Load takes the rows of one load, in any number, from one goroutine.
type Load interface {
	LicenseUsage(row *schema.LicenseUsage) error
	LicenseTotal(row *schema.LicenseTotal) error
	MeteringDetail(row *schema.MeteringDetail) error
	Reject(r schema.Reject) error
	// Finish returns once every row is acknowledged by the warehouse.
	Finish(ctx context.Context) error
	// Abort lets go of a load that will not be finished; after Finish it does
	// nothing.
	Abort()
}

// Observer is told how the work goes on. Its methods are called from many
// goroutines and must not block.
type Observer interface {
	// Planned names, once and before anything starts, all that will be tried.
	Planned(items []plan.Item)
	// Rows says that n more records of the slice have arrived. A record that is read
	// again, because an answer broke off or is loaded from its recording, is no more.
	Rows(item plan.Item, n uint64)
	// Note passes on what a source wants its operator to know, each text once.
	Note(item plan.Item, text string)
	// Finished says what became of a slice.
	Finished(o Outcome)
}

// Source is one configured source as a run sees it.
type Source struct {
	Name     string
	Kind     string
	Location *time.Location
	API      extract.Source
	// Parallel is how many slices are pulled at once.
	Parallel int
	// MaxRetries is how often a slice whose answer broke off is pulled again.
	MaxRetries int
	Guards     Guards
	// AlertAbove is the share, 0 to 1, by which a figure of a published slice may
	// change before an operator is told; NoAlert for never.
	AlertAbove float64
	Feeds      map[string]Feed
	// DateLayout and DecimalComma say how a nexthink source writes dates and
	// numbers, see normalise.MeteringOptions.
	DateLayout   string
	DecimalComma bool
}

// Feed holds what the rows of a feed carry beside what the source answers.
type Feed struct {
	ComputerGroup int64         // bigfix; 0 for the token's own group
	Target        schema.Target // nexthink
}

// Options are what a Runner is made of.
type Options struct {
	Warehouse Warehouse
	Sources   []Source
	// PublishDelay is how long a load rests between the acknowledgement of its
	// last rows and its publication. A reader's query that took its snapshot
	// of the fact table before those rows and reads the ledger after the
	// publication would miss rows; the delay outlasts that gap.
	PublishDelay time.Duration
	// SpoolDir is where answers are kept, compressed, until they are archived or
	// it is known that they say nothing new; "" for the system's temporary folder.
	SpoolDir string
	// Archive is where the answers of loads go before they are published; nil for
	// none. With ArchiveBestEffort a load is published also when that fails.
	Archive           *archive.Archive
	ArchiveBestEffort bool
	// Replays are the slices whose rows come from the archive and not from their
	// source. They are not archived again.
	Replays  map[schema.Slice]Replay
	Clock    func() time.Time
	Host     string
	Version  string
	Logger   *zap.Logger
	Observer Observer
}

// Outcome is what became of one slice.
type Outcome struct {
	Item plan.Item
	// Load is its ledger row; of a slice that was not tried it only names the slice.
	Load schema.Load
	// Tried is false where the run ended, or gave up on the source, before the
	// slice's turn came, and where the source has not finished the day. Nothing
	// is in the ledger then.
	Tried bool
	// Err is why the slice is not published, nil when it is or is unchanged.
	Err error
	// Took is the time from the first request to the end, publication included.
	Took time.Duration
	// Restated is what the load changed of a slice that was published before with
	// other content, nil when it did not.
	Restated *Restatement
}

// Done reports whether readers see the newest data of the slice.
func (o Outcome) Done() bool {
	return o.Err == nil && (o.Load.Status == schema.Published || o.Load.Status == schema.Unchanged)
}

// ErrorClass is the class of Err in one word, "" when there is none.
func (o Outcome) ErrorClass() string { return string(classify(o.Err)) }

// Interrupted reports whether the slice was given up, or had no turn, because
// somebody asked the program to stop.
func (o Outcome) Interrupted() bool { return classify(o.Err) == class(extract.Cancelled) }

// Alert says what an operator should know of the restatement, "" for nothing.
func (o Outcome) Alert() string {
	if o.Err != nil || o.Restated == nil || len(o.Restated.Beyond) == 0 {
		return ""
	}
	text := o.Restated.Beyond[0].String()
	if more := len(o.Restated.Beyond) - 1; more > 0 {
		text += fmt.Sprintf(", and %d more", more)
	}
	return text
}

// Report is what a run did.
type Report struct {
	Outcomes []Outcome
	Took     time.Duration
}

// Count says how many slices ended in the status.
func (r Report) Count(s schema.Status) int {
	n := 0
	for _, o := range r.Outcomes {
		if o.Tried && o.Load.Status == s {
			n++
		}
	}
	return n
}

// Untried says how many slices had no turn.
func (r Report) Untried() int {
	n := 0
	for _, o := range r.Outcomes {
		if !o.Tried {
			n++
		}
	}
	return n
}

// Rows is the number of rows that the run published.
func (r Report) Rows() uint64 {
	var n uint64
	for _, o := range r.Outcomes {
		if o.Tried && o.Load.Status == schema.Published {
			n += o.Load.Rows
		}
	}
	return n
}

// Complete reports whether all that was asked for is published or unchanged.
func (r Report) Complete() bool {
	for _, o := range r.Outcomes {
		if !o.Done() {
			return false
		}
	}
	return true
}
