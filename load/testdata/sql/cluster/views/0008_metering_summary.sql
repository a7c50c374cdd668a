CREATE VIEW IF NOT EXISTS `meterhouse`.`metering_summary` ON CLUSTER `ma\`in` AS
SELECT
    source, target, snapshot_date,
    anyIf(metric_uid, devices > 0) AS metric,
    anyIf(program_uid, devices > 0) AS program,
    anyIf(hierarchy_name, devices > 0) AS hierarchy,
    anyIf(path_nodes, devices > 0) AS path,
    maxIf(window, devices > 0) AS window_days,
    maxOrNullIf(devices, list = 'installed') AS devices_installed,
    maxOrNullIf(devices, list = 'underusage') AS devices_underused,
    devices_underused / nullIf(devices_installed, 0) AS underused_share,
    maxOrNullIf(mean_usage, list = 'installed') AS avg_usage_seconds,
    maxOrNullIf(mean_executions, list = 'installed') AS avg_executions,
    maxOrNullIf(inactive, list = 'installed') AS devices_never_active
FROM
(
    SELECT
        published.source AS source,
        arrayStringConcat(arrayPopBack(splitByChar('/', toString(published.feed))), '/') AS target,
        arrayElement(splitByChar('/', toString(published.feed)), -1) AS list,
        published.day AS snapshot_date,
        facts.devices AS devices,
        facts.metric_uid AS metric_uid, facts.program_uid AS program_uid,
        facts.hierarchy_name AS hierarchy_name, facts.path_nodes AS path_nodes, facts.window AS window,
        facts.mean_usage AS mean_usage, facts.mean_executions AS mean_executions, facts.inactive AS inactive
    FROM
    (
        SELECT source, feed, day, load_id
        FROM `meterhouse`.published_loads
        WHERE load_id GLOBAL IN (SELECT load_id FROM `meterhouse`.loads WHERE kind = 'nexthink')
    ) AS published
    GLOBAL LEFT JOIN
    (
        SELECT
            load_id,
            count() AS devices,
            any(metric) AS metric_uid, any(program) AS program_uid,
            any(hierarchy) AS hierarchy_name, any(path) AS path_nodes, any(window_days) AS window,
            avg(avg_usage_seconds) AS mean_usage,
            avg(avg_executions) AS mean_executions,
            countIf(last_activity IS NULL) AS inactive
        FROM `meterhouse`.metering_details
        GROUP BY load_id
    ) AS facts
    ON published.load_id = facts.load_id
)
GROUP BY source, target, snapshot_date
SETTINGS fallback_to_stale_replicas_for_distributed_queries = 0, max_replica_delay_for_distributed_queries = 1, skip_unavailable_shards = 0
