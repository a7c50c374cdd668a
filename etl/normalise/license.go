package normalise

import (
	"fmt"
	"math"

	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/schema"
)

// LicenseUsage normalises the rows of one load from a bigfix source. It
// remembers the row before, so every load takes a new one.
type LicenseUsage struct {
	strings *interner
	prev    schema.LicenseUsage
	ordinal uint64 // of prev, 0 while there is none
}

// NewLicenseUsage makes a normaliser for one load.
func NewLicenseUsage() *LicenseUsage {
	return &LicenseUsage{strings: newInterner()}
}

// Row overwrites row with what rec says. It returns nil, a *Reject when the row
// has to be left out, or a *Conflict when the whole load cannot be trusted;
// after an error row means nothing.
//
// Numbers may be JSON numbers or numeric text: HCL's page on
// license_usage_per_server calls metric_id a string and shows a number. They
// must be whole (8800.0 is, 8800.5 is not) and fit the column; metric ids may
// be negative.
//
//   - product_id, metric_id, server_id, hwm_quantity and hwm_cores must be
//     there. The quantity and the cores are the facts that are added up, so a
//     missing one is a reject and never 0, which would claim that nothing was
//     used. Below 0 is a reject too: vendor tools write -1 for "not available".
//   - A bundle_id that is missing is 0, which the API itself writes for "no
//     bundle"; missing texts are "".
//   - An attribute of the server that is absent, null, blank or "-" is "" or
//     NULL. One that is there but unreadable rejects the row: NULL would hide
//     that the answer is not what we think it is, and server_columns can leave
//     the attribute out.
//
// Rows come in the order of their key, so a repeated row follows the one that
// it repeats: an identical one is a reject, one that differs is a Conflict.
// Repetitions further apart are found when the load is verified.
func (n *LicenseUsage) Row(rec *extract.Record, row *schema.LicenseUsage) error {
	f := fields{values: rec.Values, strings: n.strings}
	*row = schema.LicenseUsage{
		ProductID:         f.id(extract.LicenseProductID, "product_id"),
		ProductName:       f.text(extract.LicenseProductName, "product_name"),
		ProductFamilyGUID: f.text(extract.LicenseProductFamilyGUID, "product_family_guid"),
		MetricID:          f.int32(extract.LicenseMetricID, "metric_id"),
		MetricCodeName:    f.text(extract.LicenseMetricCodeName, "metric_code_name"),
		BundleID:          f.idOrZero(extract.LicenseBundleID, "bundle_id"),
		BundleName:        f.text(extract.LicenseBundleName, "bundle_name"),
		BundleGUID:        f.text(extract.LicenseBundleGUID, "bundle_guid"),
		ServerID:          f.id(extract.LicenseServerID, "server_id"),
		HWMQuantity:       f.integer(extract.LicenseHWMQuantity, "hwm_quantity", 0, math.MaxInt64),
		HWMCores:          f.integer(extract.LicenseHWMCores, "hwm_cores", 0, math.MaxInt64),
		Server: schema.Server{
			Name:            f.attribute(extract.LicenseServerName, "server_name"),
			Type:            f.int32OrNull(extract.LicenseServerType, "server_type"),
			SerialNumber:    f.attribute(extract.LicenseServerSerialNumber, "server_serial_number"),
			Vendor:          f.attribute(extract.LicenseServerVendor, "server_vendor"),
			Model:           f.attribute(extract.LicenseServerModel, "server_model"),
			TotalProcessors: f.int32OrNull(extract.LicenseServerTotalProcessors, "server_total_processors"),
			Cores:           f.int32OrNull(extract.LicenseServerCores, "server_cores"),
			PVUPerCore:      f.int32OrNull(extract.LicenseServerPVUPerCore, "server_pvu_per_core"),
			ActiveComputers: f.int32OrNull(extract.LicenseServerActiveComputers, "server_active_computers"),
		},
	}
	if f.reject != nil {
		return f.reject
	}
	return n.compare(rec.Ordinal, row)
}

// compare holds row against the row before and remembers it.
func (n *LicenseUsage) compare(ordinal uint64, row *schema.LicenseUsage) error {
	switch {
	case n.ordinal == 0 || !sameKey(row, &n.prev):
		n.prev, n.ordinal = *row, ordinal
		return nil
	case *row == n.prev:
		return &Reject{Reason: "duplicate of the row before"}
	default:
		return &Conflict{First: n.ordinal, Second: ordinal, Rows: [2]schema.LicenseUsage{n.prev, *row}}
	}
}

// sameKey reports whether two rows of one load are about the same thing. The
// columns are the key of schema.LicenseUsageTable.
func sameKey(a, b *schema.LicenseUsage) bool {
	return a.ServerID == b.ServerID && a.ProductID == b.ProductID &&
		a.MetricID == b.MetricID && a.BundleID == b.BundleID
}

// Conflict is the error for two rows of one answer that have the same key and
// different values. No rule could say which one is right, so it fails the load.
type Conflict struct {
	First, Second uint64 // ordinals of the two rows
	Rows          [2]schema.LicenseUsage
}

// Error names the key and both figures.
func (e *Conflict) Error() string {
	a, b := &e.Rows[0], &e.Rows[1]
	s := fmt.Sprintf("rows %d and %d disagree about product %d, metric %d, bundle %d, server %d",
		e.First, e.Second, a.ProductID, a.MetricID, a.BundleID, a.ServerID)
	if a.HWMQuantity == b.HWMQuantity && a.HWMCores == b.HWMCores {
		return s + ": the figures are the same, names or attributes are not"
	}
	return s + fmt.Sprintf(": hwm_quantity %d and %d, hwm_cores %d and %d",
		a.HWMQuantity, b.HWMQuantity, a.HWMCores, b.HWMCores)
}
