package schema

// Comparison says how two loads of one slice are compared row by row: by the
// columns that the content hash covers.
type Comparison struct {
	Table Table
	// Key names the columns that tell which rows of the two loads belong together.
	Key []Column
	// Numbered: the last column of Key is not one of the table. It numbers, from
	// 1 and in the order of their values, the rows of a load whose key is otherwise
	// the same.
	Numbered bool
	Values   []Column
}

// Column is a column of a fact table as far as showing a value of it goes.
type Column struct {
	Name string
	Type ColumnType
}

// ColumnType says how a value is written in JSON.
type ColumnType int

// The types.
const (
	Text   ColumnType = iota // also times and arrays, as ClickHouse writes them
	Number                   // as digits
)

// CompareBy is how two loads of a kind of source are compared; false for a kind
// that does not exist.
func CompareBy(kind string) (Comparison, bool) {
	switch kind {
	case KindBigFix:
		return compareLicenseUsage(), true
	case KindNexthink:
		return compareMeteringDetails(), true
	}
	return Comparison{}, false
}

func compareLicenseUsage() Comparison {
	return Comparison{
		Table: LicenseUsageTable(),
		Key:   []Column{{"product_id", Number}, {"metric_id", Number}, {"bundle_id", Number}, {"server_id", Number}},
		Values: []Column{
			{"product_name", Text},
			{"product_family_guid", Text},
			{"metric_code_name", Text},
			{"bundle_name", Text},
			{"bundle_guid", Text},
			{"server_name", Text},
			{"server_type", Number},
			{"server_serial_number", Text},
			{"server_vendor", Text},
			{"server_model", Text},
			{"server_total_processors", Number},
			{"server_cores", Number},
			{"server_pvu_per_core", Number},
			{"server_active_computers", Number},
			{"hwm_quantity", Number},
			{"hwm_cores", Number},
		},
	}
}

// compareMeteringDetails does not go by the table's own key: the ordinal is a
// row's place in the answer, and the next answer lists the devices anew.
func compareMeteringDetails() Comparison {
	return Comparison{
		Table:    MeteringDetailsTable(),
		Key:      []Column{{"device", Text}, {"entity", Text}, {"occurrence", Number}},
		Numbered: true,
		Values: []Column{
			{"avg_usage_seconds", Number},
			{"avg_executions", Number},
			{"first_seen", Text},
			{"last_activity", Text},
			{"binaries", Text},
			{"binaries_used", Text},
			{"extra", Text},
		},
	}
}

// StoredTables lists the tables that hold rows of loads, in the order in which
// prune empties them: the facts that a load is verified by come first, so that a
// load of which anything is gone does not pass for a whole one.
func StoredTables() []Table {
	return []Table{
		LicenseUsageTable(), MeteringDetailsTable(), LicenseTotalsTable(),
		{Name: "rejected_rows", Day: "day"},
	}
}
