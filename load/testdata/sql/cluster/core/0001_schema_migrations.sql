CREATE TABLE IF NOT EXISTS `meterhouse`.`schema_migrations` ON CLUSTER `ma\`in`
(
    name String COMMENT 'Set and file of the migration, such as core/0002_loads',
    checksum FixedString(64) COMMENT 'SHA-256 of the statement as it was applied, hex',
    applied_at DateTime('UTC') COMMENT 'When it was applied, UTC',
    version LowCardinality(String) COMMENT 'Version of meterhouse that applied it'
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/meterhouse/schema_migrations', '{shard}-{replica}')
ORDER BY name
