CREATE VIEW IF NOT EXISTS `meterhouse`.`license_usage_daily` ON CLUSTER `ma\`in` AS
SELECT
    source, feed, computer_group, usage_date,
    product_id, max(license_usage.product_name) AS product_name,
    metric_id, max(license_usage.metric_code_name) AS metric_code_name,
    bundle_id, max(license_usage.bundle_name) AS bundle_name,
    sum(hwm_quantity) AS hwm_quantity_sum,
    sum(hwm_cores) AS hwm_cores_sum,
    uniqExact(server_id) AS servers,
    load_id
FROM `meterhouse`.license_usage
GROUP BY source, feed, computer_group, usage_date, product_id, metric_id, bundle_id, load_id
SETTINGS fallback_to_stale_replicas_for_distributed_queries = 0, max_replica_delay_for_distributed_queries = 1, skip_unavailable_shards = 0
