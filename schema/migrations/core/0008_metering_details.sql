-- Software metering per device and snapshot as it is published now. The averages
-- cover a trailing window, so snapshots are compared, never added; nested paths
-- and several hierarchies show the same devices again.
CREATE VIEW IF NOT EXISTS metering_details AS
SELECT
    source, feed, snapshot_date, retrieved_at,
    metric, program, hierarchy, path, list, window_days,
    device, entity,
    avg_usage_seconds, avg_executions, first_seen, last_activity,
    binaries, binaries_used, extra, format, ordinal,
    load_id
FROM metering_details_versions
WHERE load_id IN (SELECT load_id FROM published_loads)
