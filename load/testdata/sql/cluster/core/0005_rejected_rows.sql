CREATE TABLE IF NOT EXISTS `meterhouse`.`rejected_rows_local` ON CLUSTER `ma\`in`
(
    load_id UInt64 COMMENT 'The load that met the row, see loads',
    source LowCardinality(String) COMMENT 'Configured name of the source',
    feed LowCardinality(String) COMMENT 'Feed of the load',
    day Date COMMENT 'Day of the load',
    ordinal UInt64 COMMENT 'Place of the row in the answer, from 1',
    reason String COMMENT 'Why it could not be used',
    raw String COMMENT 'The text of the row as the source wrote it, cut after 4 KiB'
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/meterhouse/rejected_rows_local', '{replica}')
PARTITION BY toYYYYMM(day)
ORDER BY (source, feed, day, load_id, ordinal);

CREATE TABLE IF NOT EXISTS `meterhouse`.`rejected_rows` ON CLUSTER `ma\`in`
(
    load_id UInt64 COMMENT 'The load that met the row, see loads',
    source LowCardinality(String) COMMENT 'Configured name of the source',
    feed LowCardinality(String) COMMENT 'Feed of the load',
    day Date COMMENT 'Day of the load',
    ordinal UInt64 COMMENT 'Place of the row in the answer, from 1',
    reason String COMMENT 'Why it could not be used',
    raw String COMMENT 'The text of the row as the source wrote it, cut after 4 KiB'
)
ENGINE = Distributed('ma`in', 'meterhouse', 'rejected_rows_local')
