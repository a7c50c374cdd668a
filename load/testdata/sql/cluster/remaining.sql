SELECT count() FROM `license_usage_versions_local` WHERE load_id IN (42, 43)
