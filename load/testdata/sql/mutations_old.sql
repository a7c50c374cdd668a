SELECT count(), '' FROM system.mutations WHERE database = currentDatabase() AND table = 'license_usage_versions' AND NOT is_done
