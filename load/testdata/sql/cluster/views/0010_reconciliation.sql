CREATE VIEW IF NOT EXISTS `meterhouse`.`reconciliation` ON CLUSTER `ma\`in` AS
SELECT
    source, feed, computer_group, usage_date,
    product_id, max(name) AS product_name,
    metric_id, max(metric) AS metric_code_name,
    bundle_id, max(bundle) AS bundle_name,
    sum(of_servers) AS hwm_quantity_sum,
    max(of_product) AS hwm_quantity,
    hwm_quantity_sum - hwm_quantity AS difference,
    sum(server_count) AS servers,
    load_id
FROM
(
    SELECT
        source, feed, computer_group, usage_date,
        product_id, product_name AS name, metric_id, metric_code_name AS metric,
        greatest(license_usage_daily.bundle_id, 0) AS bundle_id, bundle_name AS bundle,
        toNullable(hwm_quantity_sum) AS of_servers, CAST(NULL AS Nullable(Int64)) AS of_product, servers AS server_count,
        load_id
    FROM `meterhouse`.license_usage_daily
    WHERE load_id GLOBAL IN (SELECT load_id FROM `meterhouse`.license_totals)
    UNION ALL
    SELECT
        source, feed, computer_group, usage_date,
        product_id, product_name, metric_id, metric_code_name,
        greatest(license_totals.bundle_id, 0), bundle_name,
        NULL, hwm_quantity, 0,
        load_id
    FROM `meterhouse`.license_totals
)
GROUP BY source, feed, computer_group, usage_date, product_id, metric_id, bundle_id, load_id
SETTINGS fallback_to_stale_replicas_for_distributed_queries = 0, max_replica_delay_for_distributed_queries = 1, skip_unavailable_shards = 0
