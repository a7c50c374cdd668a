CREATE TABLE IF NOT EXISTS `meterhouse`.`license_usage_versions_local` ON CLUSTER `ma\`in`
(
    load_id UInt64 COMMENT 'The load that brought the row, see loads',
    source LowCardinality(String) COMMENT 'Configured name of the source',
    feed LowCardinality(String) COMMENT 'default, or group- and the number of the computer group',
    computer_group Int64 COMMENT 'Computer group that was asked for; 0 for the group of the token',
    usage_date Date COMMENT 'Day of the usage, a civil date in the time zone of the source',
    product_id Int64 COMMENT 'Identifier of the software product',
    product_name LowCardinality(String) COMMENT 'Name of the software product',
    product_family_guid LowCardinality(String) COMMENT 'GUID of the software product; empty when the source does not give it',
    metric_id Int32 COMMENT 'Identifier of the license metric',
    metric_code_name LowCardinality(String) COMMENT 'Code name of the license metric, such as PVU_SUB_CAP; never add FULL_CAP to SUB_CAP',
    bundle_id Int64 COMMENT 'Product bundle that the product is assigned to; 0 for none',
    bundle_name LowCardinality(String) COMMENT 'Name of the product bundle; empty for none',
    bundle_guid LowCardinality(String) COMMENT 'GUID of the product bundle; empty for none',
    server_id Int64 COMMENT 'Identifier of the server',
    server_name String COMMENT 'Name of the server on that day',
    server_type Nullable(Int32) COMMENT '0 physical, 1 artificial or temporary, 2 public cloud; NULL when the source does not give it',
    server_serial_number String COMMENT 'Hardware serial number of the server; empty when the source does not give it',
    server_vendor LowCardinality(String) COMMENT 'Hardware vendor of the server; empty when the source does not give it',
    server_model LowCardinality(String) COMMENT 'Hardware model of the server; empty when the source does not give it',
    server_total_processors Nullable(Int32) COMMENT 'Processors of the server; NULL when the source does not give it',
    server_cores Nullable(Int32) COMMENT 'Processor cores of the server; NULL when the source does not give it',
    server_pvu_per_core Nullable(Int32) COMMENT 'Processor value units that count for one core of the server; NULL when the source does not give it',
    server_active_computers Nullable(Int32) COMMENT 'Active computers on the server; NULL when the source does not give it',
    hwm_quantity Int64 COMMENT 'High-water mark of the day on that server, in units of the metric; do not add over days or computer groups',
    hwm_cores Int64 COMMENT 'Processor cores that the product used on that server on that day; do not add over days or computer groups'
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/meterhouse/license_usage_versions_local', '{replica}')
PARTITION BY toYYYYMM(usage_date)
ORDER BY (source, usage_date, load_id, product_id, metric_id, bundle_id, server_id);

CREATE TABLE IF NOT EXISTS `meterhouse`.`license_usage_versions` ON CLUSTER `ma\`in`
(
    load_id UInt64 COMMENT 'The load that brought the row, see loads',
    source LowCardinality(String) COMMENT 'Configured name of the source',
    feed LowCardinality(String) COMMENT 'default, or group- and the number of the computer group',
    computer_group Int64 COMMENT 'Computer group that was asked for; 0 for the group of the token',
    usage_date Date COMMENT 'Day of the usage, a civil date in the time zone of the source',
    product_id Int64 COMMENT 'Identifier of the software product',
    product_name LowCardinality(String) COMMENT 'Name of the software product',
    product_family_guid LowCardinality(String) COMMENT 'GUID of the software product; empty when the source does not give it',
    metric_id Int32 COMMENT 'Identifier of the license metric',
    metric_code_name LowCardinality(String) COMMENT 'Code name of the license metric, such as PVU_SUB_CAP; never add FULL_CAP to SUB_CAP',
    bundle_id Int64 COMMENT 'Product bundle that the product is assigned to; 0 for none',
    bundle_name LowCardinality(String) COMMENT 'Name of the product bundle; empty for none',
    bundle_guid LowCardinality(String) COMMENT 'GUID of the product bundle; empty for none',
    server_id Int64 COMMENT 'Identifier of the server',
    server_name String COMMENT 'Name of the server on that day',
    server_type Nullable(Int32) COMMENT '0 physical, 1 artificial or temporary, 2 public cloud; NULL when the source does not give it',
    server_serial_number String COMMENT 'Hardware serial number of the server; empty when the source does not give it',
    server_vendor LowCardinality(String) COMMENT 'Hardware vendor of the server; empty when the source does not give it',
    server_model LowCardinality(String) COMMENT 'Hardware model of the server; empty when the source does not give it',
    server_total_processors Nullable(Int32) COMMENT 'Processors of the server; NULL when the source does not give it',
    server_cores Nullable(Int32) COMMENT 'Processor cores of the server; NULL when the source does not give it',
    server_pvu_per_core Nullable(Int32) COMMENT 'Processor value units that count for one core of the server; NULL when the source does not give it',
    server_active_computers Nullable(Int32) COMMENT 'Active computers on the server; NULL when the source does not give it',
    hwm_quantity Int64 COMMENT 'High-water mark of the day on that server, in units of the metric; do not add over days or computer groups',
    hwm_cores Int64 COMMENT 'Processor cores that the product used on that server on that day; do not add over days or computer groups'
)
ENGINE = Distributed('ma`in', 'meterhouse', 'license_usage_versions_local')
