CREATE VIEW IF NOT EXISTS `meterhouse`.`license_peak` ON CLUSTER `ma\`in` AS
SELECT
    source, feed, computer_group,
    period.1 AS period_kind,
    period.2 AS period_start,
    product_id, max(daily.product_name) AS product_name,
    metric_id, max(daily.metric_code_name) AS metric_code_name,
    bundle_id, max(daily.bundle_name) AS bundle_name,
    argMin(usage_date, tuple(-hwm_quantity_sum, usage_date)) AS peak_day,
    max(hwm_quantity_sum) AS peak_hwm_quantity_sum,
    argMin(hwm_cores_sum, tuple(-hwm_quantity_sum, usage_date)) AS peak_hwm_cores_sum,
    argMin(servers, tuple(-hwm_quantity_sum, usage_date)) AS peak_servers,
    count() AS days
FROM `meterhouse`.license_usage_daily AS daily
ARRAY JOIN [tuple('month', toStartOfMonth(usage_date)), tuple('quarter', toStartOfQuarter(usage_date))] AS period
GROUP BY source, feed, computer_group, period, product_id, metric_id, bundle_id
SETTINGS fallback_to_stale_replicas_for_distributed_queries = 0, max_replica_delay_for_distributed_queries = 1, skip_unavailable_shards = 0
