SELECT countIf(n = 1 AND is_to = 1), countIf(n = 1 AND is_to = 0), countIf(n = 2 AND differs), countIf(n = 2 AND NOT differs)
FROM
(
SELECT count() AS n, max(load_id = 43) AS is_to, min(fingerprint) != max(fingerprint) AS differs
FROM
(
SELECT load_id, `product_id`, `metric_id`, `bundle_id`, `server_id`, CAST([toString(`product_name`), toString(`product_family_guid`), toString(`metric_code_name`), toString(`bundle_name`), toString(`bundle_guid`), toString(`server_name`), toString(`server_type`), toString(`server_serial_number`), toString(`server_vendor`), toString(`server_model`), toString(`server_total_processors`), toString(`server_cores`), toString(`server_pvu_per_core`), toString(`server_active_computers`), toString(`hwm_quantity`), toString(`hwm_cores`)] AS Array(Nullable(String))) AS value_texts, sipHash64(toString(value_texts)) AS fingerprint
FROM `license_usage_versions`
WHERE source = 'it\'s' AND `usage_date` = toDate('2026-03-31') AND load_id IN (42, 43)
)
GROUP BY `product_id`, `metric_id`, `bundle_id`, `server_id`
)
