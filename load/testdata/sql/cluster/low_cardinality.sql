SELECT value FROM system.settings WHERE name = 'allow_experimental_low_cardinality_type'
