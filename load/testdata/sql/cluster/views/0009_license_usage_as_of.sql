CREATE VIEW IF NOT EXISTS `meterhouse`.`license_usage_as_of` ON CLUSTER `ma\`in` AS
SELECT
    source, feed, computer_group, usage_date,
    product_id, product_name, product_family_guid,
    metric_id, metric_code_name,
    bundle_id, bundle_name, bundle_guid,
    server_id, server_name, server_type, server_serial_number, server_vendor, server_model,
    server_total_processors, server_cores, server_pvu_per_core, server_active_computers,
    hwm_quantity, hwm_cores,
    load_id
FROM `meterhouse`.license_usage_versions
WHERE load_id GLOBAL IN
(
    SELECT argMax(loads.load_id, tuple(loads.published_seq, loads.load_id))
    FROM `meterhouse`.loads
    WHERE loads.published_seq > 0 AND loads.finished_at <= {ts:DateTime('UTC')}
    GROUP BY source, feed, day
)
SETTINGS fallback_to_stale_replicas_for_distributed_queries = 0, max_replica_delay_for_distributed_queries = 1, skip_unavailable_shards = 0
