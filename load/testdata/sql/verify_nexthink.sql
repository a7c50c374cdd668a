SELECT count(), uniqExact(`ordinal`), (SELECT count() FROM rejected_rows WHERE load_id = 42), toInt64(sum(length(binaries))), toInt64(count(avg_usage_seconds))
FROM `metering_details_versions`
WHERE load_id = 42
