-- What is there of each slice, from the first to the last day that the ledger
-- knows of each feed. state is published when readers see the slice, whatever a
-- later attempt came to; else what the latest attempt came to (refused, failed);
-- and missing for a day between them that was never tried. rows and rejects are
-- those of the published load, attempts counts all loads; last_finished_at is NULL
-- for a missing day. partial says why the published load is known to be incomplete
-- at its source; it is empty when it is not, or when a later pull found the same
-- and nothing missing.
CREATE VIEW IF NOT EXISTS coverage AS
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
    FROM loads
    GROUP BY source, feed
) AS days
LEFT JOIN
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
    FROM loads
    GROUP BY source, feed, day
) AS slices
ON days.source = slices.source AND days.feed = slices.feed AND days.day = slices.day
