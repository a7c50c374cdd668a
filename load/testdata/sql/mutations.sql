SELECT count(), max(latest_fail_reason) FROM system.mutations WHERE database = currentDatabase() AND table = 'license_usage_versions' AND NOT is_done
