-- License usage as readers saw it at the time ts, UTC: the version of each day
-- that had been published last by then. Ask for it with
-- SELECT ... FROM license_usage_as_of(ts = '2026-03-31 00:00:00'). Versions that
-- were pruned since are gone from it.
CREATE VIEW IF NOT EXISTS license_usage_as_of AS
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
WHERE load_id IN
(
    SELECT argMax(loads.load_id, tuple(loads.published_seq, loads.load_id))
    FROM loads
    WHERE loads.published_seq > 0 AND loads.finished_at <= {ts:DateTime('UTC')}
    GROUP BY source, feed, day
)
