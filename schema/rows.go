package schema

import (
	"database/sql"
	"time"
)

// LicenseUsage is one row of license_usage_versions: what one product used of
// one metric on one server on one day. The load's own columns (load_id, source,
// feed, computer_group, usage_date) are the same for the whole load and live in
// LoadHeader.
type LicenseUsage struct {
	ProductID         int64
	ProductName       string
	ProductFamilyGUID string
	MetricID          int32
	MetricCodeName    string
	BundleID          int64 // 0: not in a bundle
	BundleName        string
	BundleGUID        string
	ServerID          int64
	Server            Server
	// HWMQuantity is the day's high-water mark in units of the metric, HWMCores
	// the processor cores behind it.
	HWMQuantity int64
	HWMCores    int64
}

// LicenseTotal is one row of license_totals_versions: what one product used of
// one metric on one day in the whole computer group, as the source itself says.
type LicenseTotal struct {
	PublisherName     string
	ProductID         int64
	ProductName       string
	ProductFamilyGUID string
	MetricID          int32
	MetricName        string
	MetricCodeName    string
	BundleID          int64 // 0: not in a bundle
	BundleName        string
	BundleGUID        string
	BundleType        string
	FlexID            int64 // id under which the product is a bundle of others, 0: it is none
	// RatioFactor and RatioDivider say what a unit counts for in the bundle.
	RatioFactor  sql.Null[int64]
	RatioDivider sql.Null[int64]
	// HWMQuantity is the day's high-water mark in units of the metric; not valid
	// where the source has none.
	HWMQuantity sql.Null[int64]
	// HWMPeakTime is when that was, as the source writes it: no source says in
	// which form.
	HWMPeakTime string
}

// Server holds the attributes that the `server` association gives for a
// server; which ones depends on the configured server_columns.
type Server struct {
	Name            string
	Type            sql.Null[int32] // 0 physical, 1 artificial or temporary, 2 public cloud
	SerialNumber    string
	Vendor          string
	Model           string
	TotalProcessors sql.Null[int32]
	Cores           sql.Null[int32]
	PVUPerCore      sql.Null[int32]
	ActiveComputers sql.Null[int32]
}

// MeteringDetail is one row of metering_details_versions: one device of one
// target, as the portal showed it when it was asked. The target's own columns
// live in LoadHeader.
type MeteringDetail struct {
	Device          string
	Entity          string
	AvgUsageSeconds sql.Null[float64] // per day, over the metric's trailing window
	AvgExecutions   sql.Null[float64] // per day, over the metric's trailing window
	FirstSeen       sql.Null[time.Time]
	LastActivity    sql.Null[time.Time]
	Binaries        []string
	// BinariesUsed has an entry per binary; invalid where the format cannot tell.
	BinariesUsed []sql.Null[bool]
	// Extra is a JSON object of the keys that the source sent beyond the
	// documented ones, "" when there are none.
	Extra string
	// Ordinal is the row's place in the answer, from 1: device names may repeat.
	Ordinal uint64
}

// Reject is a source row that could not become a record: its place in the
// answer, why, and the source's own text (bounded).
type Reject struct {
	Ordinal uint64
	Reason  string
	Raw     string
}

// LoadHeader is what all rows of one load share.
type LoadHeader struct {
	LoadID uint64
	Slice
	Kind string
	// ComputerGroup is the computer group asked for, 0 for the token's own (bigfix).
	ComputerGroup int64
	// Target is the metering target asked for (nexthink).
	Target Target
	// RetrievedAt is when the source was asked, UTC.
	RetrievedAt time.Time
}

// Target is one metering target: what of the portal a feed asks for.
type Target struct {
	Metric     string   `json:"metric"`              // UID
	Program    string   `json:"program,omitempty"`   // UID, "" for all programs of the metric
	Hierarchy  string   `json:"hierarchy,omitempty"` // name, "" for the portal's first
	Path       []string `json:"path,omitempty"`      // node names from the top, empty for the top of the view domain
	List       string   `json:"list"`                // installed or underusage
	WindowDays uint16   `json:"window_days"`         // the metric's look-back window in days, 0 when unknown
	Format     string   `json:"format"`              // json, csv or table
}
