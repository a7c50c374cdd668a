-- License usage per product and day as the source itself sums it up, as it is
-- published now, together with license_usage of the same day. hwm_quantity is the
-- high-water mark of all servers together: do not add it over days or computer
-- groups, and never add FULL_CAP to SUB_CAP.
CREATE VIEW IF NOT EXISTS license_totals AS
SELECT
    source, feed, computer_group, usage_date,
    publisher_name, product_id, product_name, product_family_guid,
    metric_id, metric_name, metric_code_name,
    bundle_id, bundle_name, bundle_guid, bundle_type, flex_id,
    product_bundle_ratio_factor, product_bundle_ratio_divider,
    hwm_quantity, hwm_peak_time,
    load_id
FROM license_totals_versions
WHERE load_id IN (SELECT load_id FROM published_loads)
