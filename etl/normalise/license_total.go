package normalise

import (
	"database/sql"
	"math"

	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/schema"
)

// noQuantity is how vendor tools write that there is none.
const noQuantity = -1

// LicenseTotals normalises the rows of the stream extract.LicenseTotals of one
// load from a bigfix source.
type LicenseTotals struct {
	strings *interner
}

// NewLicenseTotals makes a normaliser for one load.
func NewLicenseTotals() *LicenseTotals {
	return &LicenseTotals{strings: newInterner()}
}

// Row overwrites row with what rec says. It returns nil, or a *Reject when the
// row has to be left out; after an error row means nothing. Rows that repeat
// each other are found when the load is verified.
//
// Numbers are read as LicenseUsage.Row reads them.
//
//   - product_id and metric_id must be there.
//   - hwm_quantity that is missing, null, "-" or -1 is NULL: the source has no
//     mark. Anything else below 0 rejects the row.
//   - A bundle_id or flex_id that is missing or null is 0; missing texts are "".
func (n *LicenseTotals) Row(rec *extract.Record, row *schema.LicenseTotal) error {
	f := fields{values: rec.Values, strings: n.strings}
	*row = schema.LicenseTotal{
		PublisherName:     f.text(extract.LicenseTotalPublisherName, "product_publisher_name"),
		ProductID:         f.id(extract.LicenseTotalProductID, "product_id"),
		ProductName:       f.text(extract.LicenseTotalProductName, "product_name"),
		ProductFamilyGUID: f.text(extract.LicenseTotalProductFamilyGUID, "product_family_guid"),
		MetricID:          f.int32(extract.LicenseTotalMetricID, "metric_id"),
		MetricName:        f.text(extract.LicenseTotalMetricName, "metric_name"),
		MetricCodeName:    f.text(extract.LicenseTotalMetricCodeName, "metric_code_name"),
		BundleID:          f.idOrZero(extract.LicenseTotalBundleID, "bundle_id"),
		BundleName:        f.text(extract.LicenseTotalBundleName, "bundle_name"),
		BundleGUID:        f.text(extract.LicenseTotalBundleGUID, "bundle_guid"),
		BundleType:        f.text(extract.LicenseTotalBundleType, "bundle_type"),
		FlexID:            f.idOrZero(extract.LicenseTotalFlexID, "flex_id"),
		RatioFactor:       f.integerOrNull(extract.LicenseTotalRatioFactor, "product_bundle_ratio_factor"),
		RatioDivider:      f.integerOrNull(extract.LicenseTotalRatioDivider, "product_bundle_ratio_divider"),
		HWMQuantity:       f.quantityOrNull(extract.LicenseTotalHWMQuantity, "hwm_quantity"),
		HWMPeakTime:       f.text(extract.LicenseTotalHWMPeakTime, "hwm_peak_time"),
	}
	if f.reject != nil {
		f.reject.Reason = "product totals: " + f.reject.Reason // their ordinals are their own
		return f.reject
	}
	return nil
}

// quantityOrNull reads a mark that the source may not have.
func (f *fields) quantityOrNull(col int, name string) sql.Null[int64] {
	if noValue(f.values[col]) {
		return sql.Null[int64]{}
	}
	v := f.integer(col, name, noQuantity, math.MaxInt64)
	if v == noQuantity {
		return sql.Null[int64]{}
	}
	return sql.Null[int64]{V: v, Valid: true}
}
