package schema

import (
	"database/sql"
	"time"

	"github.com/google/uuid"
)

// Kinds of sources.
const (
	KindBigFix   = "bigfix"   // HCL BigFix Inventory and IBM License Metric Tool
	KindNexthink = "nexthink" // Nexthink Portal, Software Metering API (classic)
)

// Slice is what is planned, pulled, published, reported on and replaced as one.
type Slice struct {
	Source string `json:"source"`
	Feed   string `json:"feed"`
	Day    Day    `json:"day"`
}

// Status is what became of a load.
type Status string

// The states a ledger row can have. Only rows with a PublishedSeq above zero
// (published, accepted, rolled_back) decide what readers see.
const (
	Published  Status = "published"   // the load is a version of its slice
	Unchanged  Status = "unchanged"   // pulled again, same content hash, nothing inserted
	Refused    Status = "refused"     // a guard stopped it; its rows stay, invisible
	Failed     Status = "failed"      // could not be pulled, inserted or verified
	Accepted   Status = "accepted"    // a refused load that an operator published
	RolledBack Status = "rolled_back" // an earlier load that an operator published again
)

// Publishes tells whether a ledger row of this status makes its load the version
// that readers see.
func (s Status) Publishes() bool {
	return s == Published || s == Accepted || s == RolledBack
}

// Load is one row of the ledger, the table `loads`: one finished attempt to
// bring a slice in. The ledger is the only state that Meterhouse keeps.
type Load struct {
	LoadID uint64 `json:"load_id,string"`
	// RunID is shared by all loads of one pass of one process.
	RunID uuid.UUID `json:"run_id"`
	Slice
	Kind   string `json:"kind"`
	Status Status `json:"status"`
	// Reason says in a sentence why the load was refused or failed, or why the
	// slice was pulled.
	Reason string `json:"reason"`
	// Rows and Rejects count what is stored under LoadID, Requests and Bytes
	// what the source was asked for and answered (bytes of bodies).
	Rows     uint64 `json:"rows"`
	Rejects  uint64 `json:"rejects"`
	Requests uint64 `json:"requests"`
	Bytes    uint64 `json:"bytes"`
	// ContentHash is the order-independent hash of the normalised rows, 32 hex
	// digits; all zeros where the load never got so far.
	ContentHash string `json:"content_hash"`
	// Partial says why the load is known to be incomplete at its source, such as
	// an engine that the portal has lost; "" when it is not.
	Partial string `json:"partial"`
	// SourceAsOf is when the source says that its data was computed, where it does.
	SourceAsOf sql.Null[time.Time] `json:"-"`
	// PreviousLoadID is the version that readers saw when this load began, 0 for none.
	PreviousLoadID uint64    `json:"previous_load_id,string"`
	StartedAt      time.Time `json:"started_at"`
	FinishedAt     time.Time `json:"finished_at"`
	// PublishedSeq orders publications: readers see the load with the highest
	// one of its slice. 0 means not published.
	PublishedSeq uint64 `json:"published_seq"`
	Host         string `json:"host"`
	Version      string `json:"version"`
}
