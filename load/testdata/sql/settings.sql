SELECT concat(name, ' ', toString(readonly), ' ', value) FROM system.settings WHERE name IN ('readonly', 'async_insert', 'insert_deduplicate')
