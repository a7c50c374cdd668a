CREATE VIEW IF NOT EXISTS `meterhouse`.`coverage` ON CLUSTER `ma\`in` AS
SELECT
    days.source AS source,
    days.kind AS kind,
    days.feed AS feed,
    days.day AS day,
    multiIf(slices.load_id > 0, 'published', slices.last_status = '', 'missing', slices.last_status) AS state,
    slices.rows AS rows,
    slices.rejects AS rejects,
    if(slices.last_status = 'unchanged' AND slices.last_partial = '', '', slices.partial) AS partial,
    slices.load_id AS load_id,
    slices.attempts AS attempts,
    slices.last_status AS last_status,
    slices.last_reason AS last_reason,
    if(slices.attempts = 0, NULL, slices.last_finished_at) AS last_finished_at
FROM
(
    SELECT source, any(loads.kind) AS kind, feed,
        toDate(arrayJoin(range(toUInt32(min(loads.day)), toUInt32(max(loads.day)) + 1))) AS day
    FROM `meterhouse`.loads
    GROUP BY source, feed
) AS days
GLOBAL LEFT JOIN
(
    SELECT source, feed, day,
        argMaxIf(loads.load_id, tuple(loads.published_seq, loads.load_id), loads.published_seq > 0) AS load_id,
        argMaxIf(loads.rows, tuple(loads.published_seq, loads.load_id), loads.published_seq > 0) AS rows,
        argMaxIf(loads.rejects, tuple(loads.published_seq, loads.load_id), loads.published_seq > 0) AS rejects,
        argMaxIf(loads.partial, tuple(loads.published_seq, loads.load_id), loads.published_seq > 0) AS partial,
        uniqExact(loads.load_id) AS attempts,
        argMax(loads.status, tuple(loads.finished_at, loads.load_id, loads.published_seq)) AS last_status,
        argMax(loads.reason, tuple(loads.finished_at, loads.load_id, loads.published_seq)) AS last_reason,
        argMax(loads.partial, tuple(loads.finished_at, loads.load_id, loads.published_seq)) AS last_partial,
        max(loads.finished_at) AS last_finished_at
    FROM `meterhouse`.loads
    GROUP BY source, feed, day
) AS slices
ON days.source = slices.source AND days.feed = slices.feed AND days.day = slices.day
SETTINGS fallback_to_stale_replicas_for_distributed_queries = 0, max_replica_delay_for_distributed_queries = 1, skip_unavailable_shards = 0
