package bigfix

import (
	"net/url"
	"strconv"

	"github.com/meterhouse/meterhouse/extract"
)

// usagePath is the endpoint of HCL's page on license_usage_per_server.
const usagePath = "api/sam/v2/license_usage_per_server"

// usageColumns are all columns that HCL's page lists. They are asked for by
// name because which ones come by themselves differs between versions.
func usageColumns() []string {
	return []string{
		"product_id", "product_name", "product_family_guid", "metric_id", "metric_code_name",
		"bundle_id", "bundle_name", "bundle_guid", "server_id", "hwm_quantity", "hwm_cores",
	}
}

// usageOrder tells any two rows of a day apart: without a total order pages
// may overlap or leave rows out.
func usageOrder() []string {
	return []string{"product_id", "metric_id", "bundle_id", "server_id"}
}

// usageQuery asks for one day of a computer group (0: the token's own). A limit
// of 0 asks for all rows.
func (s *Source) usageQuery(day string, group int64, serverColumns []string, limit int, offset uint64) extract.Query {
	v := url.Values{"date": {day}}
	if group != 0 {
		v.Set("computerGroupId", strconv.FormatInt(group, 10))
	}
	columns := usageColumns()
	for _, c := range serverColumns {
		columns = append(columns, "server."+c)
	}
	v["columns[]"] = columns
	v["order[]"] = usageOrder()
	if limit > 0 {
		v.Set("limit", strconv.Itoa(limit))
		v.Set("offset", strconv.FormatUint(offset, 10))
	}
	if s.o.Criteria != "" {
		v.Set("criteria", s.o.Criteria)
	}
	return extract.Query{Path: usagePath, Values: v, Accept: "application/json", Doing: s.doing(day, group)}
}
