CREATE TABLE IF NOT EXISTS `meterhouse`.`license_totals_versions_local` ON CLUSTER `ma\`in`
(
    load_id UInt64 COMMENT 'The load that brought the row, see loads',
    source LowCardinality(String) COMMENT 'Configured name of the source',
    feed LowCardinality(String) COMMENT 'default, or group- and the number of the computer group',
    computer_group Int64 COMMENT 'Computer group that was asked for; 0 for the group of the token',
    usage_date Date COMMENT 'Day of the usage, a civil date in the time zone of the source',
    publisher_name LowCardinality(String) COMMENT 'Publisher of the software product',
    product_id Int64 COMMENT 'Identifier of the software product',
    product_name LowCardinality(String) COMMENT 'Name of the software product',
    product_family_guid LowCardinality(String) COMMENT 'GUID of the software product; empty when the source does not give it',
    metric_id Int32 COMMENT 'Identifier of the license metric',
    metric_name LowCardinality(String) COMMENT 'Name of the license metric for people; it may change, metric_code_name does not',
    metric_code_name LowCardinality(String) COMMENT 'Code name of the license metric, such as PVU_SUB_CAP; never add FULL_CAP to SUB_CAP',
    bundle_id Int64 COMMENT 'Product bundle that the product is assigned to; 0 for none',
    bundle_name LowCardinality(String) COMMENT 'Name of the product bundle; empty for none',
    bundle_guid LowCardinality(String) COMMENT 'GUID of the product bundle; empty for none',
    bundle_type LowCardinality(String) COMMENT 'Type of the product bundle; empty for none',
    flex_id Int64 COMMENT 'The bundle_id of the products that are in this one; 0 when it is no bundle',
    product_bundle_ratio_factor Nullable(Int64) COMMENT 'hwm_quantity times this over product_bundle_ratio_divider is what the product contributes to its bundle; NULL outside of one',
    product_bundle_ratio_divider Nullable(Int64) COMMENT 'See product_bundle_ratio_factor; NULL outside of a bundle',
    hwm_quantity Nullable(Int64) COMMENT 'High-water mark of the day over all servers together, in units of the metric; NULL when the source has none; do not add over days or computer groups',
    hwm_peak_time String COMMENT 'When the high-water mark was reached, as the source writes it; empty when it does not say'
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/meterhouse/license_totals_versions_local', '{replica}')
PARTITION BY toYYYYMM(usage_date)
ORDER BY (source, usage_date, load_id, product_id, metric_id, bundle_id, flex_id);

CREATE TABLE IF NOT EXISTS `meterhouse`.`license_totals_versions` ON CLUSTER `ma\`in`
(
    load_id UInt64 COMMENT 'The load that brought the row, see loads',
    source LowCardinality(String) COMMENT 'Configured name of the source',
    feed LowCardinality(String) COMMENT 'default, or group- and the number of the computer group',
    computer_group Int64 COMMENT 'Computer group that was asked for; 0 for the group of the token',
    usage_date Date COMMENT 'Day of the usage, a civil date in the time zone of the source',
    publisher_name LowCardinality(String) COMMENT 'Publisher of the software product',
    product_id Int64 COMMENT 'Identifier of the software product',
    product_name LowCardinality(String) COMMENT 'Name of the software product',
    product_family_guid LowCardinality(String) COMMENT 'GUID of the software product; empty when the source does not give it',
    metric_id Int32 COMMENT 'Identifier of the license metric',
    metric_name LowCardinality(String) COMMENT 'Name of the license metric for people; it may change, metric_code_name does not',
    metric_code_name LowCardinality(String) COMMENT 'Code name of the license metric, such as PVU_SUB_CAP; never add FULL_CAP to SUB_CAP',
    bundle_id Int64 COMMENT 'Product bundle that the product is assigned to; 0 for none',
    bundle_name LowCardinality(String) COMMENT 'Name of the product bundle; empty for none',
    bundle_guid LowCardinality(String) COMMENT 'GUID of the product bundle; empty for none',
    bundle_type LowCardinality(String) COMMENT 'Type of the product bundle; empty for none',
    flex_id Int64 COMMENT 'The bundle_id of the products that are in this one; 0 when it is no bundle',
    product_bundle_ratio_factor Nullable(Int64) COMMENT 'hwm_quantity times this over product_bundle_ratio_divider is what the product contributes to its bundle; NULL outside of one',
    product_bundle_ratio_divider Nullable(Int64) COMMENT 'See product_bundle_ratio_factor; NULL outside of a bundle',
    hwm_quantity Nullable(Int64) COMMENT 'High-water mark of the day over all servers together, in units of the metric; NULL when the source has none; do not add over days or computer groups',
    hwm_peak_time String COMMENT 'When the high-water mark was reached, as the source writes it; empty when it does not say'
)
ENGINE = Distributed('ma`in', 'meterhouse', 'license_totals_versions_local')
