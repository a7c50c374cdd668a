ALTER TABLE `license_usage_versions` DELETE WHERE load_id IN (42, 43)
