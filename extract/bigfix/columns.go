package bigfix

import "github.com/meterhouse/meterhouse/extract"

// usageColumn is the column of a row's key, -1 for one that is not documented.
func usageColumn(key []byte) int {
	switch string(key) {
	case "product_id":
		return extract.LicenseProductID
	case "product_name":
		return extract.LicenseProductName
	case "product_family_guid":
		return extract.LicenseProductFamilyGUID
	case "metric_id":
		return extract.LicenseMetricID
	case "metric_code_name":
		return extract.LicenseMetricCodeName
	case "bundle_id":
		return extract.LicenseBundleID
	case "bundle_name":
		return extract.LicenseBundleName
	case "bundle_guid":
		return extract.LicenseBundleGUID
	case "server_id":
		return extract.LicenseServerID
	case "hwm_quantity":
		return extract.LicenseHWMQuantity
	case "hwm_cores":
		return extract.LicenseHWMCores
	}
	return -1
}

// serverColumn is the column of a key of the `server` association, -1 for one
// that no column was made for.
func serverColumn(key []byte) int {
	switch string(key) {
	case "name":
		return extract.LicenseServerName
	case "type":
		return extract.LicenseServerType
	case "hardware_serial_number":
		return extract.LicenseServerSerialNumber
	case "hardware_vendor":
		return extract.LicenseServerVendor
	case "hardware_model":
		return extract.LicenseServerModel
	case "total_processors":
		return extract.LicenseServerTotalProcessors
	case "cores":
		return extract.LicenseServerCores
	case "pvu_per_core":
		return extract.LicenseServerPVUPerCore
	case "active_computers":
		return extract.LicenseServerActiveComputers
	}
	return -1
}

// totalsColumn is the column of a key of license_usage, -1 for one that is not
// asked for.
func totalsColumn(key []byte) int {
	switch string(key) {
	case "product_publisher_name":
		return extract.LicenseTotalPublisherName
	case "product_id":
		return extract.LicenseTotalProductID
	case "product_name":
		return extract.LicenseTotalProductName
	case "product_family_guid":
		return extract.LicenseTotalProductFamilyGUID
	case "metric_id":
		return extract.LicenseTotalMetricID
	case "metric_name":
		return extract.LicenseTotalMetricName
	case "metric_code_name":
		return extract.LicenseTotalMetricCodeName
	case "bundle_id":
		return extract.LicenseTotalBundleID
	case "bundle_name":
		return extract.LicenseTotalBundleName
	case "bundle_guid":
		return extract.LicenseTotalBundleGUID
	case "bundle_type":
		return extract.LicenseTotalBundleType
	case "flex_id":
		return extract.LicenseTotalFlexID
	case "product_bundle_ratio_factor":
		return extract.LicenseTotalRatioFactor
	case "product_bundle_ratio_divider":
		return extract.LicenseTotalRatioDivider
	case "hwm_quantity":
		return extract.LicenseTotalHWMQuantity
	case "hwm_peak_time":
		return extract.LicenseTotalHWMPeakTime
	}
	return -1
}
