CREATE TABLE IF NOT EXISTS `meterhouse`.`loads` ON CLUSTER `ma\`in`
(
    load_id UInt64,
    run_id UUID,
    source LowCardinality(String),
    kind LowCardinality(String),
    feed LowCardinality(String),
    day Date,
    status LowCardinality(String),
    reason String,
    rows UInt64,
    rejects UInt64,
    requests UInt64,
    bytes UInt64,
    content_hash FixedString(32),
    source_as_of Nullable(DateTime('UTC')),
    partial String,
    previous_load_id UInt64,
    started_at DateTime('UTC'),
    finished_at DateTime('UTC'),
    published_seq UInt64,
    host LowCardinality(String),
    version LowCardinality(String)
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/meterhouse/loads', '{shard}-{replica}')
ORDER BY (source, feed, day, load_id, published_seq, status)
