-- What has been applied to this database, written by `meterhouse migrate`.
CREATE TABLE IF NOT EXISTS schema_migrations
(
    name String COMMENT 'Set and file of the migration, such as core/0002_loads',
    checksum FixedString(64) COMMENT 'SHA-256 of the statement as it was applied, hex',
    applied_at DateTime('UTC') COMMENT 'When it was applied, UTC',
    version LowCardinality(String) COMMENT 'Version of meterhouse that applied it'
)
ENGINE = ReplacingMergeTree
ORDER BY name
