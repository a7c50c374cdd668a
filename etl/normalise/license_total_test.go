package normalise_test

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/etl/normalise"
	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/schema"
)

func totalColumns() map[string]int {
	return map[string]int{
		"product_publisher_name": extract.LicenseTotalPublisherName,
		"product_id":             extract.LicenseTotalProductID, "product_name": extract.LicenseTotalProductName,
		"product_family_guid": extract.LicenseTotalProductFamilyGUID,
		"metric_id":           extract.LicenseTotalMetricID, "metric_name": extract.LicenseTotalMetricName,
		"metric_code_name": extract.LicenseTotalMetricCodeName,
		"bundle_id":        extract.LicenseTotalBundleID, "bundle_name": extract.LicenseTotalBundleName,
		"bundle_guid": extract.LicenseTotalBundleGUID, "bundle_type": extract.LicenseTotalBundleType,
		"flex_id":                      extract.LicenseTotalFlexID,
		"product_bundle_ratio_factor":  extract.LicenseTotalRatioFactor,
		"product_bundle_ratio_divider": extract.LicenseTotalRatioDivider,
		"hwm_quantity":                 extract.LicenseTotalHWMQuantity, "hwm_peak_time": extract.LicenseTotalHWMPeakTime,
	}
}

func TestLicenseTotalsGolden(t *testing.T) {
	t.Parallel()
	n := normalise.NewLicenseTotals()
	var outcomes []outcome
	for i, tr := range testRecords(t, "license_total.json") {
		var row schema.LicenseTotal
		err := n.Row(record(t, i+1, string(tr.Record), totalColumns()), &row)
		outcomes = append(outcomes, outcomeOf(t, tr.About, row, err))
	}
	requireGolden(t, "license_total.golden.json", outcomes)
}

func TestLicenseTotalsOverwriteTheRow(t *testing.T) {
	t.Parallel()
	row := schema.LicenseTotal{BundleName: "of the row before", FlexID: 7, HWMQuantity: sql.Null[int64]{V: 4, Valid: true}}
	rec := record(t, 1, `{"product_id":1,"metric_id":3,"hwm_quantity":-1}`, totalColumns())
	require.NoError(t, normalise.NewLicenseTotals().Row(rec, &row))
	require.Equal(t, schema.LicenseTotal{ProductID: 1, MetricID: 3}, row)
}
