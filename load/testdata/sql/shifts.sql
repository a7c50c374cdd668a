SELECT product_id, metric_id, toString(max(product_name)), toString(max(metric_code_name)), sumIf(hwm_quantity, load_id = 42) AS earlier, sumIf(hwm_quantity, load_id = 43) AS later
FROM `license_usage_versions`
WHERE source = 'it\'s' AND `usage_date` = toDate('2026-03-31') AND load_id IN (42, 43)
GROUP BY product_id, metric_id
HAVING earlier != later
ORDER BY product_id, metric_id
