SELECT count() AS times, concat('product_id ', toString(`product_id`), ', ', 'metric_id ', toString(`metric_id`), ', ', 'bundle_id ', toString(`bundle_id`), ', ', 'server_id ', toString(`server_id`)) AS example
FROM `license_usage_versions`
WHERE load_id = 42
GROUP BY `product_id`, `metric_id`, `bundle_id`, `server_id`
HAVING times > 1
ORDER BY `product_id`, `metric_id`, `bundle_id`, `server_id`
LIMIT 1
