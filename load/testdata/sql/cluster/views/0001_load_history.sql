CREATE VIEW IF NOT EXISTS `meterhouse`.`load_history` ON CLUSTER `ma\`in` AS
SELECT
    source, kind, feed, day, status, reason,
    started_at, finished_at, dateDiff('second', started_at, finished_at) AS seconds,
    rows, rejects, requests, bytes, source_as_of, partial,
    published_seq > 0 AS published,
    load_id GLOBAL IN (SELECT load_id FROM `meterhouse`.published_loads) AS current,
    load_id, previous_load_id, run_id, content_hash, published_seq, host, version
FROM `meterhouse`.loads FINAL
SETTINGS fallback_to_stale_replicas_for_distributed_queries = 0, max_replica_delay_for_distributed_queries = 1, skip_unavailable_shards = 0
