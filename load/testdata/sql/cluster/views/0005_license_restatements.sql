CREATE VIEW IF NOT EXISTS `meterhouse`.`license_restatements` ON CLUSTER `ma\`in` AS
SELECT
    source, feed, day, restated_at, load_id, earlier_load_id,
    product_id, max(name) AS product_name, metric_id, max(metric) AS metric_code_name, bundle_id, max(bundle) AS bundle_name,
    sum(earlier) AS earlier_hwm_quantity_sum,
    sum(later) AS hwm_quantity_sum,
    hwm_quantity_sum - earlier_hwm_quantity_sum AS hwm_quantity_delta
FROM
(
    SELECT
        r.source AS source, r.feed AS feed, r.day AS day, r.restated_at AS restated_at,
        r.load_id AS load_id, r.earlier_load_id AS earlier_load_id,
        f.product_id AS product_id, f.product_name AS name, f.metric_id AS metric_id, f.metric_code_name AS metric,
        f.bundle_id AS bundle_id, f.bundle_name AS bundle,
        0 AS earlier, f.hwm_quantity AS later
    FROM `meterhouse`.license_usage_versions AS f
    GLOBAL INNER JOIN (SELECT * FROM `meterhouse`.restatements WHERE kind = 'bigfix') AS r ON f.load_id = r.load_id
    UNION ALL
    SELECT
        r.source, r.feed, r.day, r.restated_at, r.load_id, r.earlier_load_id,
        f.product_id, f.product_name, f.metric_id, f.metric_code_name, f.bundle_id, f.bundle_name,
        f.hwm_quantity, 0
    FROM `meterhouse`.license_usage_versions AS f
    GLOBAL INNER JOIN (SELECT * FROM `meterhouse`.restatements WHERE kind = 'bigfix') AS r ON f.load_id = r.earlier_load_id
)
GROUP BY source, feed, day, restated_at, load_id, earlier_load_id, product_id, metric_id, bundle_id
HAVING hwm_quantity_delta != 0
SETTINGS fallback_to_stale_replicas_for_distributed_queries = 0, max_replica_delay_for_distributed_queries = 1, skip_unavailable_shards = 0
