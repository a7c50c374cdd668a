package schema

import "time"

// StoredLoad is a load that the warehouse holds rows of, whatever the ledger
// says of it.
type StoredLoad struct {
	LoadID uint64 `json:"load_id,string"`
	Slice
	Rows uint64 `json:"rows"`
}

// StoredTable is what one table holds of all loads.
type StoredTable struct {
	Name  string
	Loads []StoredLoad
	// Bytes is what the table takes on the server's disk, all rows together.
	Bytes uint64
}

// PrunedLoad is one row of pruned_loads: a load whose rows were deleted, or are
// about to be.
type PrunedLoad struct {
	StoredLoad
	Reason   string // why no reader could see it
	PrunedAt time.Time
	Host     string
	Version  string
}
