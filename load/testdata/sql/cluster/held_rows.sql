SELECT count() FROM `license_usage_versions_local` WHERE source = 'it\'s' AND `usage_date` = toDate('2026-03-31') AND load_id = 42
