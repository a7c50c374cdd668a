-- License usage per product, metric, bundle, computer group and day, as it is
-- published now. hwm_quantity_sum adds the day's high-water marks of the servers,
-- so it is at least the product's own peak of that day: the servers need not have
-- peaked together. Do not add it over days or computer groups, and never add
-- FULL_CAP to SUB_CAP.
CREATE VIEW IF NOT EXISTS license_usage_daily AS
SELECT
    source, feed, computer_group, usage_date,
    product_id, max(license_usage.product_name) AS product_name,
    metric_id, max(license_usage.metric_code_name) AS metric_code_name,
    bundle_id, max(license_usage.bundle_name) AS bundle_name,
    sum(hwm_quantity) AS hwm_quantity_sum,
    sum(hwm_cores) AS hwm_cores_sum,
    uniqExact(server_id) AS servers,
    load_id
FROM license_usage
GROUP BY source, feed, computer_group, usage_date, product_id, metric_id, bundle_id, load_id
