-- Both figures of a product, metric and bundle on a day, side by side:
-- hwm_quantity_sum adds the high-water marks of the servers, hwm_quantity is the
-- product's own mark, reached by all servers together. Marks of parts are at least
-- the mark of the whole, because the parts need not peak at the same moment: so
-- difference, the sum less the product's own, is 0 or more. Below 0 it says that
-- rows per server are missing, as behind a filter (criteria), or that the source
-- contradicts itself. hwm_quantity_sum is NULL for a product without rows per
-- server, as for every metric that is not counted per server; hwm_quantity is NULL
-- where the source has no mark. Only days that were published with product totals
-- are here.
CREATE VIEW IF NOT EXISTS reconciliation AS
SELECT
    source, feed, computer_group, usage_date,
    product_id, max(name) AS product_name,
    metric_id, max(metric) AS metric_code_name,
    bundle_id, max(bundle) AS bundle_name,
    sum(of_servers) AS hwm_quantity_sum,
    max(of_product) AS hwm_quantity,
    hwm_quantity_sum - hwm_quantity AS difference,
    sum(server_count) AS servers,
    load_id
FROM
(
    SELECT
        source, feed, computer_group, usage_date,
        product_id, product_name AS name, metric_id, metric_code_name AS metric,
        greatest(license_usage_daily.bundle_id, 0) AS bundle_id, bundle_name AS bundle,
        toNullable(hwm_quantity_sum) AS of_servers, CAST(NULL AS Nullable(Int64)) AS of_product, servers AS server_count,
        load_id
    FROM license_usage_daily
    WHERE load_id IN (SELECT load_id FROM license_totals)
    UNION ALL
    SELECT
        source, feed, computer_group, usage_date,
        product_id, product_name, metric_id, metric_code_name,
        greatest(license_totals.bundle_id, 0), bundle_name,
        NULL, hwm_quantity, 0,
        load_id
    FROM license_totals
)
GROUP BY source, feed, computer_group, usage_date, product_id, metric_id, bundle_id, load_id
