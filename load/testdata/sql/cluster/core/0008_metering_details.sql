CREATE VIEW IF NOT EXISTS `meterhouse`.`metering_details` ON CLUSTER `ma\`in` AS
SELECT
    source, feed, snapshot_date, retrieved_at,
    metric, program, hierarchy, path, list, window_days,
    device, entity,
    avg_usage_seconds, avg_executions, first_seen, last_activity,
    binaries, binaries_used, extra, format, ordinal,
    load_id
FROM `meterhouse`.metering_details_versions
WHERE load_id GLOBAL IN (SELECT load_id FROM `meterhouse`.published_loads)
SETTINGS fallback_to_stale_replicas_for_distributed_queries = 0, max_replica_delay_for_distributed_queries = 1, skip_unavailable_shards = 0
