SELECT toUInt8(load_id = 43) AS is_to, CAST([toString(`product_id`), toString(`metric_id`), toString(`bundle_id`), toString(`server_id`)] AS Array(Nullable(String))) AS key_texts, value_texts
FROM
(
SELECT load_id, `product_id`, `metric_id`, `bundle_id`, `server_id`, CAST([toString(`product_name`), toString(`product_family_guid`), toString(`metric_code_name`), toString(`bundle_name`), toString(`bundle_guid`), toString(`server_name`), toString(`server_type`), toString(`server_serial_number`), toString(`server_vendor`), toString(`server_model`), toString(`server_total_processors`), toString(`server_cores`), toString(`server_pvu_per_core`), toString(`server_active_computers`), toString(`hwm_quantity`), toString(`hwm_cores`)] AS Array(Nullable(String))) AS value_texts, sipHash64(toString(value_texts)) AS fingerprint
FROM `license_usage_versions`
WHERE source = 'it\'s' AND `usage_date` = toDate('2026-03-31') AND load_id IN (42, 43)
)
WHERE (`product_id`, `metric_id`, `bundle_id`, `server_id`) IN
(
SELECT `product_id`, `metric_id`, `bundle_id`, `server_id`
FROM
(
SELECT load_id, `product_id`, `metric_id`, `bundle_id`, `server_id`, CAST([toString(`product_name`), toString(`product_family_guid`), toString(`metric_code_name`), toString(`bundle_name`), toString(`bundle_guid`), toString(`server_name`), toString(`server_type`), toString(`server_serial_number`), toString(`server_vendor`), toString(`server_model`), toString(`server_total_processors`), toString(`server_cores`), toString(`server_pvu_per_core`), toString(`server_active_computers`), toString(`hwm_quantity`), toString(`hwm_cores`)] AS Array(Nullable(String))) AS value_texts, sipHash64(toString(value_texts)) AS fingerprint
FROM `license_usage_versions`
WHERE source = 'it\'s' AND `usage_date` = toDate('2026-03-31') AND load_id IN (42, 43)
)
GROUP BY `product_id`, `metric_id`, `bundle_id`, `server_id`
HAVING count() = 1 OR min(fingerprint) != max(fingerprint)
)
ORDER BY `product_id`, `metric_id`, `bundle_id`, `server_id`, is_to
