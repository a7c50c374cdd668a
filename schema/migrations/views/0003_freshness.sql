-- How up to date each feed is. days_behind is counted from the last published day
-- to today in UTC; a source that reports yesterday is one day behind when all is
-- well. failures_since counts the failed and refused loads that finished after
-- the last successful one. published_at, last_day and days_behind are NULL for a
-- feed that never published anything.
CREATE VIEW IF NOT EXISTS freshness AS
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
    FROM loads
    GROUP BY source, feed
)
