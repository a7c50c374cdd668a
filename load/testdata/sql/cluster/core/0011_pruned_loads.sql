CREATE TABLE IF NOT EXISTS `meterhouse`.`pruned_loads` ON CLUSTER `ma\`in`
(
    load_id UInt64 COMMENT 'The load, see loads; an orphan is not in there',
    source LowCardinality(String) COMMENT 'Configured name of the source',
    feed LowCardinality(String) COMMENT 'Feed of the load',
    day Date COMMENT 'Day of the load',
    reason LowCardinality(String) COMMENT 'superseded, refused, failed or orphan: why no reader could see it',
    rows UInt64 COMMENT 'Rows that were stored under load_id, rejects included',
    pruned_at DateTime('UTC') COMMENT 'When prune chose it, UTC',
    host LowCardinality(String) COMMENT 'Machine that ran prune',
    version LowCardinality(String) COMMENT 'Version of meterhouse that ran prune'
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/meterhouse/pruned_loads', '{shard}-{replica}')
ORDER BY load_id
