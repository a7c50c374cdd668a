SELECT count(), uniqExact(`product_id`, `metric_id`, `bundle_id`, `flex_id`), (SELECT count() FROM rejected_rows WHERE load_id = 42), toInt64(sum(ifNull(hwm_quantity, 0))), toInt64(count(hwm_quantity))
FROM `license_totals_versions`
WHERE load_id = 42
