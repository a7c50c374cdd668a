SELECT load_id, toString(any(source)), toString(any(feed)), any(`usage_date`), count()
FROM `license_usage_versions`
GROUP BY load_id
ORDER BY load_id
