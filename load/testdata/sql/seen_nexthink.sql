SELECT count(), groupUniqArray(load_id), toInt64(sum(length(binaries))), toInt64(count(avg_usage_seconds))
FROM `metering_details`
WHERE source = 'portal' AND feed = 'visio/installed' AND `snapshot_date` = toDate('2026-03-31')
