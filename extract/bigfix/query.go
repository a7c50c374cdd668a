package bigfix

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"

	"github.com/meterhouse/meterhouse/extract"
)

const jsonType = "application/json"

// list is an endpoint that answers with rows. A slice consists of one or two.
type list struct {
	stream extract.Stream
	// name ends the endpoint's path, and names its schema.
	name string
	// what is in it, in words.
	what string
	// days are the parameters that take the day.
	days []string
	// columns are asked for by name because which ones come by themselves
	// differs between versions.
	columns []string
	// order tells any two rows of a day apart: without a total order pages may
	// overlap or leave rows out. key are the same columns as places in a record.
	order []string
	key   []int
	// columnOf is a key's place in a record of width values.
	columnOf func(key []byte) int
	width    int
}

// usageList asks for all columns of HCL's page on license_usage_per_server.
func usageList() list {
	return list{
		stream: extract.Facts, name: "license_usage_per_server", what: "license usage", days: []string{"date"},
		columns: []string{
			"product_id", "product_name", "product_family_guid", "metric_id", "metric_code_name",
			"bundle_id", "bundle_name", "bundle_guid", "server_id", "hwm_quantity", "hwm_cores",
		},
		order: []string{"product_id", "metric_id", "bundle_id", "server_id"},
		key: []int{
			extract.LicenseProductID, extract.LicenseMetricID, extract.LicenseBundleID, extract.LicenseServerID,
		},
		columnOf: usageColumn, width: extract.LicenseColumns,
	}
}

// totalsList asks for the columns of IBM's and HCL's pages on license_usage,
// without those that an administrator made up (custom_field_1, ...) and without
// bundle_metric_contribution, which is the quantity times factor over divider.
func totalsList() list {
	return list{
		stream: extract.LicenseTotals, name: "license_usage", what: "product totals", days: []string{"startdate", "enddate"},
		columns: []string{
			"product_publisher_name", "product_id", "product_name", "product_family_guid",
			"metric_id", "metric_name", "metric_code_name", "bundle_id", "bundle_name", "bundle_guid", "bundle_type",
			"flex_id", "product_bundle_ratio_factor", "product_bundle_ratio_divider", "hwm_quantity", "hwm_peak_time",
		},
		order: []string{"product_id", "metric_id", "bundle_id", "flex_id"},
		key: []int{
			extract.LicenseTotalProductID, extract.LicenseTotalMetricID, extract.LicenseTotalBundleID, extract.LicenseTotalFlexID,
		},
		columnOf: totalsColumn, width: extract.LicenseTotalColumns,
	}
}

// lists are what a slice of this source consists of.
func (s *Source) lists() []list {
	if s.o.ProductTotals {
		return []list{usageList(), totalsList()}
	}
	return []list{usageList()}
}

// query asks for one day of a computer group (0: the token's own). A limit of 0
// asks for all rows. The parameter countSwitch is never sent: without it the
// answer has rows and total, which are held against each other.
func (s *Source) query(l list, day string, group int64, serverColumns []string, limit int, offset uint64) extract.Query {
	v := url.Values{"columns[]": slices.Clone(l.columns), "order[]": l.order}
	for _, name := range l.days {
		v.Set(name, day)
	}
	if group != 0 {
		v.Set("computerGroupId", strconv.FormatInt(group, 10))
	}
	if limit > 0 {
		v.Set("limit", strconv.Itoa(limit))
		v.Set("offset", strconv.FormatUint(offset, 10))
	}
	if l.stream == extract.Facts {
		for _, c := range serverColumns {
			v.Add("columns[]", "server."+c)
		}
		if s.o.Criteria != "" { // its columns are those of license_usage_per_server
			v.Set("criteria", s.o.Criteria)
		}
	}
	return extract.Query{Path: "api/sam/v2/" + l.name, Values: v, Accept: jsonType, Doing: s.doing(l, day, group)}
}

func (s *Source) doing(l list, day string, group int64) string {
	text := fmt.Sprintf("asking %q for %s of %s", s.o.Name, l.what, day)
	if group != 0 {
		text += fmt.Sprintf(" in computer group %d", group)
	}
	return text
}
