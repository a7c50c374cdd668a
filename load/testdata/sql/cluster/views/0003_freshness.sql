CREATE VIEW IF NOT EXISTS `meterhouse`.`freshness` ON CLUSTER `ma\`in` AS
SELECT
    source, kind, feed, last_day,
    dateDiff('day', last_day, toDate(now('UTC'))) AS days_behind,
    published_at, source_as_of, checked_at,
    last_status, last_reason, last_finished_at, failures_since
FROM
(
    SELECT
        source, any(loads.kind) AS kind, feed,
        maxOrNullIf(loads.day, loads.published_seq > 0) AS last_day,
        maxOrNullIf(loads.finished_at, loads.published_seq > 0) AS published_at,
        argMaxIf(tuple(loads.source_as_of), tuple(loads.day, loads.published_seq), loads.published_seq > 0).1 AS source_as_of,
        maxOrNullIf(loads.finished_at, loads.status IN ('published', 'unchanged', 'accepted', 'rolled_back')) AS checked_at,
        argMax(loads.status, tuple(loads.finished_at, loads.load_id)) AS last_status,
        argMax(loads.reason, tuple(loads.finished_at, loads.load_id)) AS last_reason,
        max(loads.finished_at) AS last_finished_at,
        arrayUniq(arrayMap(f -> f.2, arrayFilter(f -> checked_at IS NULL OR f.1 > checked_at,
            groupArrayIf(tuple(loads.finished_at, loads.load_id), loads.status IN ('refused', 'failed'))))) AS failures_since
    FROM `meterhouse`.loads
    GROUP BY source, feed
)
SETTINGS fallback_to_stale_replicas_for_distributed_queries = 0, max_replica_delay_for_distributed_queries = 1, skip_unavailable_shards = 0
