package extract

// ValueKind says how the source wrote a value.
type ValueKind uint8

// The kinds of values. CSV and HTML only have Absent and Text.
const (
	Absent ValueKind = iota // the key or column was not there
	Null                    // JSON null
	Text                    // a string; Bytes holds it unescaped
	Number                  // a JSON number; Bytes holds it as written
	Bool                    // Bytes holds true or false
	JSON                    // an object or array; Bytes holds its text
)

// Value is one field as the source wrote it. Nothing is interpreted here: what
// a number, a date or a list of binaries means is the normaliser's knowledge.
type Value struct {
	Kind  ValueKind
	Bytes []byte
}

// Field is a value with the key that the source gave it.
type Field struct {
	Name  string
	Value Value
}

// Record is one row of an answer. Sources reuse it: keep nothing of it beyond
// the call it was handed to.
type Record struct {
	// Stream tells apart the lists of rows that one slice may consist of.
	Stream Stream
	// Ordinal is the row's place in the whole list, over all pages, from 1.
	Ordinal uint64
	// Raw is the row's own text as far as the format has one.
	Raw []byte
	// Values are indexed by the column constants of the stream: License*,
	// LicenseTotal* or Metering*.
	Values []Value
	// Extra are the fields that no column was made for.
	Extra []Field
}

// Stream is one list of rows of a slice.
type Stream uint8

// The streams. Sources of every kind have the first one.
const (
	Facts         Stream = iota // the rows that the kind is about
	LicenseTotals               // bigfix: the products' own totals, behind all facts
)

// Columns of a bigfix record, named as the API names them.
const (
	LicenseProductID = iota
	LicenseProductName
	LicenseProductFamilyGUID
	LicenseMetricID
	LicenseMetricCodeName
	LicenseBundleID
	LicenseBundleName
	LicenseBundleGUID
	LicenseServerID
	LicenseHWMQuantity
	LicenseHWMCores
	LicenseServerName // the association `server`, from here on
	LicenseServerType
	LicenseServerSerialNumber
	LicenseServerVendor
	LicenseServerModel
	LicenseServerTotalProcessors
	LicenseServerCores
	LicenseServerPVUPerCore
	LicenseServerActiveComputers
	LicenseColumns // how many there are
)

// Columns of a bigfix record in the stream LicenseTotals, named as the API names
// them.
const (
	LicenseTotalPublisherName = iota
	LicenseTotalProductID
	LicenseTotalProductName
	LicenseTotalProductFamilyGUID
	LicenseTotalMetricID
	LicenseTotalMetricName
	LicenseTotalMetricCodeName
	LicenseTotalBundleID
	LicenseTotalBundleName
	LicenseTotalBundleGUID
	LicenseTotalBundleType
	LicenseTotalFlexID
	LicenseTotalRatioFactor
	LicenseTotalRatioDivider
	LicenseTotalHWMQuantity
	LicenseTotalHWMPeakTime
	LicenseTotalColumns // how many there are
)

// Columns of a nexthink record.
const (
	MeteringDevice = iota
	MeteringEntity
	MeteringAvgUsage
	MeteringAvgExecutions
	MeteringFirstSeen
	MeteringLastActivity
	MeteringBinaries
	MeteringColumns // how many there are
)
