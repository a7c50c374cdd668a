-- The peak of each month and quarter per source, feed, computer group, product,
-- metric and bundle: the day with the highest sum over servers (the first one, if
-- several are equal) and its value. It is a maximum of days, never a sum of them;
-- like license_usage_daily it is at least the product's own peak. days counts the
-- days of the period on which the product was used and published: a running or
-- incomplete period has fewer than the calendar.
CREATE VIEW IF NOT EXISTS license_peak AS
SELECT
    source, feed, computer_group,
    period.1 AS period_kind,
    period.2 AS period_start,
    product_id, max(daily.product_name) AS product_name,
    metric_id, max(daily.metric_code_name) AS metric_code_name,
    bundle_id, max(daily.bundle_name) AS bundle_name,
    argMin(usage_date, tuple(-hwm_quantity_sum, usage_date)) AS peak_day,
    max(hwm_quantity_sum) AS peak_hwm_quantity_sum,
    argMin(hwm_cores_sum, tuple(-hwm_quantity_sum, usage_date)) AS peak_hwm_cores_sum,
    argMin(servers, tuple(-hwm_quantity_sum, usage_date)) AS peak_servers,
    count() AS days
FROM license_usage_daily AS daily
ARRAY JOIN [tuple('month', toStartOfMonth(usage_date)), tuple('quarter', toStartOfQuarter(usage_date))] AS period
GROUP BY source, feed, computer_group, period, product_id, metric_id, bundle_id
