-- License usage per server and day as it is published now. hwm_quantity and
-- hwm_cores are high-water marks of one day on one server: do not add them over
-- days or computer groups, and never add FULL_CAP to SUB_CAP. Their sum over
-- servers is at least the product's own peak of that day.
CREATE VIEW IF NOT EXISTS license_usage AS
SELECT
    source, feed, computer_group, usage_date,
    product_id, product_name, product_family_guid,
    metric_id, metric_code_name,
    bundle_id, bundle_name, bundle_guid,
    server_id, server_name, server_type, server_serial_number, server_vendor, server_model,
    server_total_processors, server_cores, server_pvu_per_core, server_active_computers,
    hwm_quantity, hwm_cores,
    load_id
FROM license_usage_versions
WHERE load_id IN (SELECT load_id FROM published_loads)
