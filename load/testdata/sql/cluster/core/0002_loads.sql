CREATE TABLE IF NOT EXISTS `meterhouse`.`loads` ON CLUSTER `ma\`in`
(
    load_id UInt64 COMMENT 'The load: unix milliseconds in the high 42 bits, random bits below',
    run_id UUID COMMENT 'The pass of one process that the load belonged to',
    source LowCardinality(String) COMMENT 'Configured name of the source',
    kind LowCardinality(String) COMMENT 'Kind of the source: bigfix or nexthink',
    feed LowCardinality(String) COMMENT 'Independently pulled part of the source: a computer group, or a target and its list',
    day Date COMMENT 'Civil date in the time zone of the source',
    status LowCardinality(String) COMMENT 'published, unchanged, refused, failed, accepted or rolled_back',
    reason String COMMENT 'Why the load was refused or failed, or why the slice was pulled',
    rows UInt64 COMMENT 'Rows stored under load_id',
    rejects UInt64 COMMENT 'Source rows that could not become one, stored in rejected_rows',
    requests UInt64 COMMENT 'Requests sent to the source, repeats included',
    bytes UInt64 COMMENT 'Bytes of the bodies that the source answered, after decompression',
    content_hash FixedString(32) COMMENT 'Hash of the normalised rows that does not depend on their order, hex; all zeros when the load never got so far',
    source_as_of Nullable(DateTime('UTC')) COMMENT 'When the source says that its data was computed, UTC; NULL when it does not say',
    partial String COMMENT 'Why the load is known to be incomplete at its source; empty when it is not',
    previous_load_id UInt64 COMMENT 'The version that readers saw when this load began; 0 for none',
    started_at DateTime('UTC') COMMENT 'When the load began, UTC',
    finished_at DateTime('UTC') COMMENT 'When the load ended, or when an operator published it again, UTC',
    published_seq UInt64 COMMENT 'Order of publications: readers see the load with the highest one of its slice; 0 means not published',
    host LowCardinality(String) COMMENT 'Machine that loaded it',
    version LowCardinality(String) COMMENT 'Version of meterhouse that loaded it'
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/meterhouse/loads', '{shard}-{replica}')
ORDER BY (source, feed, day, load_id, published_seq, status)
