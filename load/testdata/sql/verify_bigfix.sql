SELECT count(), uniqExact(`product_id`, `metric_id`, `bundle_id`, `server_id`), (SELECT count() FROM rejected_rows WHERE load_id = 42), toInt64(sum(hwm_quantity)), toInt64(sum(hwm_cores))
FROM `license_usage_versions`
WHERE load_id = 42
