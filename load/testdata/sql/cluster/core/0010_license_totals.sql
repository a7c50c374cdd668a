CREATE VIEW IF NOT EXISTS `meterhouse`.`license_totals` ON CLUSTER `ma\`in` AS
SELECT
    source, feed, computer_group, usage_date,
    publisher_name, product_id, product_name, product_family_guid,
    metric_id, metric_name, metric_code_name,
    bundle_id, bundle_name, bundle_guid, bundle_type, flex_id,
    product_bundle_ratio_factor, product_bundle_ratio_divider,
    hwm_quantity, hwm_peak_time,
    load_id
FROM `meterhouse`.license_totals_versions
WHERE load_id GLOBAL IN (SELECT load_id FROM `meterhouse`.published_loads)
SETTINGS fallback_to_stale_replicas_for_distributed_queries = 0, max_replica_delay_for_distributed_queries = 1, skip_unavailable_shards = 0
