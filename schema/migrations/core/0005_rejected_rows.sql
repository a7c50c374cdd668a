-- Source rows that could not become a row of a fact table, with the source's own
-- text. They belong to a load like all others; loads.rejects counts them.
CREATE TABLE IF NOT EXISTS rejected_rows
(
    load_id UInt64 COMMENT 'The load that met the row, see loads',
    source LowCardinality(String) COMMENT 'Configured name of the source',
    feed LowCardinality(String) COMMENT 'Feed of the load',
    day Date COMMENT 'Day of the load',
    ordinal UInt64 COMMENT 'Place of the row in the answer, from 1',
    reason String COMMENT 'Why it could not be used',
    raw String COMMENT 'The text of the row as the source wrote it, cut after 4 KiB'
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (source, feed, day, load_id, ordinal)
