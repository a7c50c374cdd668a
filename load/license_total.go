package load

import (
	"github.com/ClickHouse/ch-go/proto"

	"github.com/meterhouse/meterhouse/schema"
)

// totalColumns are the columns of license_totals_versions that differ from row to row.
type totalColumns struct {
	publisherName     *proto.ColLowCardinality[string]
	productID         proto.ColInt64
	productName       *proto.ColLowCardinality[string]
	productFamilyGUID *proto.ColLowCardinality[string]
	metricID          proto.ColInt32
	metricName        *proto.ColLowCardinality[string]
	metricCodeName    *proto.ColLowCardinality[string]
	bundleID          proto.ColInt64
	bundleName        *proto.ColLowCardinality[string]
	bundleGUID        *proto.ColLowCardinality[string]
	bundleType        *proto.ColLowCardinality[string]
	flexID            proto.ColInt64
	ratioFactor       *proto.ColNullable[int64]
	ratioDivider      *proto.ColNullable[int64]
	hwmQuantity       *proto.ColNullable[int64]
	hwmPeakTime       proto.ColStr
}

func newTotalBlock(h *schema.LoadHeader) *block {
	c := &totalColumns{
		publisherName: dictionary(), productName: dictionary(), productFamilyGUID: dictionary(),
		metricName: dictionary(), metricCodeName: dictionary(),
		bundleName: dictionary(), bundleGUID: dictionary(), bundleType: dictionary(),
		ratioFactor: nullableInt64(), ratioDivider: nullableInt64(), hwmQuantity: nullableInt64(),
	}
	b := &block{table: schema.LicenseTotalsTable().Name, capacity: totalRows, total: c}
	licenseHeader(b, h)
	b.variable("publisher_name", c.publisherName)
	b.variable("product_id", &c.productID)
	b.variable("product_name", c.productName)
	b.variable("product_family_guid", c.productFamilyGUID)
	b.variable("metric_id", &c.metricID)
	b.variable("metric_name", c.metricName)
	b.variable("metric_code_name", c.metricCodeName)
	b.variable("bundle_id", &c.bundleID)
	b.variable("bundle_name", c.bundleName)
	b.variable("bundle_guid", c.bundleGUID)
	b.variable("bundle_type", c.bundleType)
	b.variable("flex_id", &c.flexID)
	b.variable("product_bundle_ratio_factor", c.ratioFactor)
	b.variable("product_bundle_ratio_divider", c.ratioDivider)
	b.variable("hwm_quantity", c.hwmQuantity)
	b.variable("hwm_peak_time", &c.hwmPeakTime)
	return b
}

func (c *totalColumns) append(r *schema.LicenseTotal) {
	c.publisherName.Append(r.PublisherName)
	c.productID.Append(r.ProductID)
	c.productName.Append(r.ProductName)
	c.productFamilyGUID.Append(r.ProductFamilyGUID)
	c.metricID.Append(r.MetricID)
	c.metricName.Append(r.MetricName)
	c.metricCodeName.Append(r.MetricCodeName)
	c.bundleID.Append(r.BundleID)
	c.bundleName.Append(r.BundleName)
	c.bundleGUID.Append(r.BundleGUID)
	c.bundleType.Append(r.BundleType)
	c.flexID.Append(r.FlexID)
	c.ratioFactor.Append(nullable(r.RatioFactor))
	c.ratioDivider.Append(nullable(r.RatioDivider))
	c.hwmQuantity.Append(nullable(r.HWMQuantity))
	c.hwmPeakTime.Append(r.HWMPeakTime)
}
