package load

import (
	"database/sql"
	"time"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/meterhouse/meterhouse/schema"
)

// licenseColumns are the columns of license_usage_versions that differ from row to row.
type licenseColumns struct {
	productID         proto.ColInt64
	productName       *proto.ColLowCardinality[string]
	productFamilyGUID *proto.ColLowCardinality[string]
	metricID          proto.ColInt32
	metricCodeName    *proto.ColLowCardinality[string]
	bundleID          proto.ColInt64
	bundleName        *proto.ColLowCardinality[string]
	bundleGUID        *proto.ColLowCardinality[string]
	serverID          proto.ColInt64
	serverName        proto.ColStr
	serverType        *proto.ColNullable[int32]
	serialNumber      proto.ColStr
	vendor            *proto.ColLowCardinality[string]
	model             *proto.ColLowCardinality[string]
	totalProcessors   *proto.ColNullable[int32]
	cores             *proto.ColNullable[int32]
	pvuPerCore        *proto.ColNullable[int32]
	activeComputers   *proto.ColNullable[int32]
	hwmQuantity       proto.ColInt64
	hwmCores          proto.ColInt64
}

func newLicenseBlock(h *schema.LoadHeader) *block {
	c := &licenseColumns{
		productName: dictionary(), productFamilyGUID: dictionary(), metricCodeName: dictionary(),
		bundleName: dictionary(), bundleGUID: dictionary(), vendor: dictionary(), model: dictionary(),
		serverType: nullableInt32(), totalProcessors: nullableInt32(), cores: nullableInt32(),
		pvuPerCore: nullableInt32(), activeComputers: nullableInt32(),
	}
	b := &block{table: schema.LicenseUsageTable().Name, capacity: factRows, license: c}
	licenseHeader(b, h)
	b.variable("product_id", &c.productID)
	b.variable("product_name", c.productName)
	b.variable("product_family_guid", c.productFamilyGUID)
	b.variable("metric_id", &c.metricID)
	b.variable("metric_code_name", c.metricCodeName)
	b.variable("bundle_id", &c.bundleID)
	b.variable("bundle_name", c.bundleName)
	b.variable("bundle_guid", c.bundleGUID)
	b.variable("server_id", &c.serverID)
	b.variable("server_name", &c.serverName)
	b.variable("server_type", c.serverType)
	b.variable("server_serial_number", &c.serialNumber)
	b.variable("server_vendor", c.vendor)
	b.variable("server_model", c.model)
	b.variable("server_total_processors", c.totalProcessors)
	b.variable("server_cores", c.cores)
	b.variable("server_pvu_per_core", c.pvuPerCore)
	b.variable("server_active_computers", c.activeComputers)
	b.variable("hwm_quantity", &c.hwmQuantity)
	b.variable("hwm_cores", &c.hwmCores)
	return b
}

// licenseHeader adds the columns that all rows of a bigfix load share.
func licenseHeader(b *block, h *schema.LoadHeader) {
	constant(b, "load_id", new(proto.ColUInt64), h.LoadID)
	constant(b, "source", dictionary(), h.Source)
	constant(b, "feed", dictionary(), h.Feed)
	constant(b, "computer_group", new(proto.ColInt64), h.ComputerGroup)
	constant(b, "usage_date", new(proto.ColDate), h.Day.UTC())
}

func (c *licenseColumns) append(r *schema.LicenseUsage) {
	c.productID.Append(r.ProductID)
	c.productName.Append(r.ProductName)
	c.productFamilyGUID.Append(r.ProductFamilyGUID)
	c.metricID.Append(r.MetricID)
	c.metricCodeName.Append(r.MetricCodeName)
	c.bundleID.Append(r.BundleID)
	c.bundleName.Append(r.BundleName)
	c.bundleGUID.Append(r.BundleGUID)
	c.serverID.Append(r.ServerID)
	c.serverName.Append(r.Server.Name)
	c.serverType.Append(nullable(r.Server.Type))
	c.serialNumber.Append(r.Server.SerialNumber)
	c.vendor.Append(r.Server.Vendor)
	c.model.Append(r.Server.Model)
	c.totalProcessors.Append(nullable(r.Server.TotalProcessors))
	c.cores.Append(nullable(r.Server.Cores))
	c.pvuPerCore.Append(nullable(r.Server.PVUPerCore))
	c.activeComputers.Append(nullable(r.Server.ActiveComputers))
	c.hwmQuantity.Append(r.HWMQuantity)
	c.hwmCores.Append(r.HWMCores)
}

func nullableInt64() *proto.ColNullable[int64] {
	return proto.NewColNullable[int64](new(proto.ColInt64))
}

func nullableInt32() *proto.ColNullable[int32] {
	return proto.NewColNullable[int32](new(proto.ColInt32))
}

func nullable[T any](v sql.Null[T]) proto.Nullable[T] {
	return proto.Nullable[T]{Set: v.Valid, Value: v.V}
}

// utcTimes is a DateTime('UTC') column.
func utcTimes() *proto.ColDateTime { return &proto.ColDateTime{Location: time.UTC} }
