SELECT toUInt8(load_id = 43) AS is_to, CAST([toString(`device`), toString(`entity`), toString(`occurrence`)] AS Array(Nullable(String))) AS key_texts, value_texts
FROM
(
SELECT load_id, `device`, `entity`, row_number() OVER (PARTITION BY load_id, `device`, `entity` ORDER BY toString(CAST([toString(`avg_usage_seconds`), toString(`avg_executions`), toString(`first_seen`), toString(`last_activity`), toString(`binaries`), toString(`binaries_used`), toString(`extra`)] AS Array(Nullable(String))))) AS `occurrence`, CAST([toString(`avg_usage_seconds`), toString(`avg_executions`), toString(`first_seen`), toString(`last_activity`), toString(`binaries`), toString(`binaries_used`), toString(`extra`)] AS Array(Nullable(String))) AS value_texts, sipHash64(toString(value_texts)) AS fingerprint
FROM `metering_details_versions`
WHERE source = 'it\'s' AND `snapshot_date` = toDate('2026-03-31') AND load_id IN (42, 43)
)
WHERE (`device`, `entity`, `occurrence`) IN
(
SELECT `device`, `entity`, `occurrence`
FROM
(
SELECT load_id, `device`, `entity`, row_number() OVER (PARTITION BY load_id, `device`, `entity` ORDER BY toString(CAST([toString(`avg_usage_seconds`), toString(`avg_executions`), toString(`first_seen`), toString(`last_activity`), toString(`binaries`), toString(`binaries_used`), toString(`extra`)] AS Array(Nullable(String))))) AS `occurrence`, CAST([toString(`avg_usage_seconds`), toString(`avg_executions`), toString(`first_seen`), toString(`last_activity`), toString(`binaries`), toString(`binaries_used`), toString(`extra`)] AS Array(Nullable(String))) AS value_texts, sipHash64(toString(value_texts)) AS fingerprint
FROM `metering_details_versions`
WHERE source = 'it\'s' AND `snapshot_date` = toDate('2026-03-31') AND load_id IN (42, 43)
)
GROUP BY `device`, `entity`, `occurrence`
HAVING count() = 1 OR min(fingerprint) != max(fingerprint)
)
ORDER BY `device`, `entity`, `occurrence`, is_to
