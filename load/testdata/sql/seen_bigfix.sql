SELECT count(), groupUniqArray(load_id), toInt64(sum(hwm_quantity)), toInt64(sum(hwm_cores))
FROM `license_usage`
WHERE source = 'b\'fi' AND feed = 'group-5' AND `usage_date` = toDate('2026-03-31')
