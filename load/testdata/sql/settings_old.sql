SELECT concat(name, ' 0 ', value) FROM system.settings WHERE name IN ('readonly', 'async_insert', 'insert_deduplicate')
