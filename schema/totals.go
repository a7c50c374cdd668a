package schema

// Table describes a fact table as far as verifying a load needs it.
type Table struct {
	Name string
	// Day is the column of the slice's day.
	Day string
	// Key names the columns that tell two rows of one load apart.
	Key []string
	// Controls are SQL aggregates over the rows of one load. The Totals that a
	// loader counts while it sends rows hold the same figures in the same order.
	Controls []string
}

// LicenseUsageTable is the fact table of bigfix sources.
func LicenseUsageTable() Table {
	return Table{
		Name:     "license_usage_versions",
		Day:      "usage_date",
		Key:      []string{"product_id", "metric_id", "bundle_id", "server_id"},
		Controls: []string{"sum(hwm_quantity)", "sum(hwm_cores)"},
	}
}

// LicenseTotalsTable is the second fact table of bigfix sources. A load has rows
// in it where its source is configured for them.
func LicenseTotalsTable() Table {
	return Table{
		Name:     "license_totals_versions",
		Day:      "usage_date",
		Key:      []string{"product_id", "metric_id", "bundle_id", "flex_id"},
		Controls: []string{"sum(ifNull(hwm_quantity, 0))", "count(hwm_quantity)"},
	}
}

// MeteringDetailsTable is the fact table of nexthink sources.
func MeteringDetailsTable() Table {
	return Table{
		Name:     "metering_details_versions",
		Day:      "snapshot_date",
		Key:      []string{"ordinal"},
		Controls: []string{"sum(length(binaries))", "count(avg_usage_seconds)"},
	}
}

// FactTable is the table that the rows of a kind of source go to; false for a
// kind that does not exist.
func FactTable(kind string) (Table, bool) {
	switch kind {
	case KindBigFix:
		return LicenseUsageTable(), true
	case KindNexthink:
		return MeteringDetailsTable(), true
	}
	return Table{}, false
}

// Totals are what a load sent, or what the warehouse holds of it.
type Totals struct {
	Rows     uint64
	Rejects  uint64
	Controls [2]int64 // in the order of Table.Controls
	// LicenseTotals are those of LicenseTotalsTable.
	LicenseTotals Counts
}

// Counts are the figures of one table of several.
type Counts struct {
	Rows     uint64
	Controls [2]int64 // in the order of Table.Controls
}

// LicenseUsage counts one row.
func (t *Totals) LicenseUsage(r *LicenseUsage) {
	t.Rows++
	t.Controls[0] += r.HWMQuantity
	t.Controls[1] += r.HWMCores
}

// LicenseTotal counts one row.
func (t *Totals) LicenseTotal(r *LicenseTotal) {
	t.LicenseTotals.Rows++
	if r.HWMQuantity.Valid {
		t.LicenseTotals.Controls[0] += r.HWMQuantity.V
		t.LicenseTotals.Controls[1]++
	}
}

// MeteringDetail counts one row.
func (t *Totals) MeteringDetail(r *MeteringDetail) {
	t.Rows++
	t.Controls[0] += int64(len(r.Binaries))
	if r.AvgUsageSeconds.Valid {
		t.Controls[1]++
	}
}
