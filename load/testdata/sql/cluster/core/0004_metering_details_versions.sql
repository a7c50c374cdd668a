CREATE TABLE IF NOT EXISTS `meterhouse`.`metering_details_versions_local` ON CLUSTER `ma\`in`
(
    load_id UInt64 COMMENT 'The load that brought the row, see loads',
    source LowCardinality(String) COMMENT 'Configured name of the source',
    feed LowCardinality(String) COMMENT 'Name of the target and its list, such as visio-lausanne/installed',
    snapshot_date Date COMMENT 'Day on which the portal was asked, a civil date in its time zone',
    retrieved_at DateTime('UTC') COMMENT 'When the portal was asked, UTC',
    metric LowCardinality(String) COMMENT 'UID of the software metering metric',
    program LowCardinality(String) COMMENT 'UID of the program; empty for all programs of the metric',
    hierarchy LowCardinality(String) COMMENT 'Name of the hierarchy; empty for the first one of the portal',
    path Array(String) COMMENT 'Nodes of the hierarchy from the top; nested paths and several hierarchies overlap',
    list LowCardinality(String) COMMENT 'installed, or underusage: the devices that the metric calls under-used',
    window_days UInt16 COMMENT 'Trailing window of the averages in days, as configured; 0 when unknown',
    device String COMMENT 'Name of the device; names may repeat, and be anonymised',
    entity LowCardinality(String) COMMENT 'Lowest node of the hierarchies that the device belongs to; may be empty',
    avg_usage_seconds Nullable(Float64) COMMENT 'Average usage per day in seconds over the trailing window; do not add over snapshots; NULL when not given',
    avg_executions Nullable(Float64) COMMENT 'Average executions per day over the trailing window; do not add over snapshots; NULL when not given',
    first_seen Nullable(DateTime('UTC')) COMMENT 'First date with one of the packages, UTC; NULL when not given',
    last_activity Nullable(DateTime('UTC')) COMMENT 'Last execution of a significant binary, UTC; NULL when never or not given',
    binaries Array(String) COMMENT 'Binaries of the program: the used ones in json, the significant ones in csv and table; do not compare json with the others',
    binaries_used Array(Nullable(UInt8)) COMMENT 'For each of binaries 1 when it was used, 0 when not, NULL when the format cannot tell',
    format LowCardinality(String) COMMENT 'Format that the portal was asked for: json, csv or table',
    extra String COMMENT 'Fields beyond the documented ones, a JSON object; empty when there were none',
    ordinal UInt64 COMMENT 'Place of the row in the answer, from 1'
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/meterhouse/metering_details_versions_local', '{replica}')
PARTITION BY toYYYYMM(snapshot_date)
ORDER BY (source, feed, snapshot_date, load_id, device, ordinal);

CREATE TABLE IF NOT EXISTS `meterhouse`.`metering_details_versions` ON CLUSTER `ma\`in`
(
    load_id UInt64 COMMENT 'The load that brought the row, see loads',
    source LowCardinality(String) COMMENT 'Configured name of the source',
    feed LowCardinality(String) COMMENT 'Name of the target and its list, such as visio-lausanne/installed',
    snapshot_date Date COMMENT 'Day on which the portal was asked, a civil date in its time zone',
    retrieved_at DateTime('UTC') COMMENT 'When the portal was asked, UTC',
    metric LowCardinality(String) COMMENT 'UID of the software metering metric',
    program LowCardinality(String) COMMENT 'UID of the program; empty for all programs of the metric',
    hierarchy LowCardinality(String) COMMENT 'Name of the hierarchy; empty for the first one of the portal',
    path Array(String) COMMENT 'Nodes of the hierarchy from the top; nested paths and several hierarchies overlap',
    list LowCardinality(String) COMMENT 'installed, or underusage: the devices that the metric calls under-used',
    window_days UInt16 COMMENT 'Trailing window of the averages in days, as configured; 0 when unknown',
    device String COMMENT 'Name of the device; names may repeat, and be anonymised',
    entity LowCardinality(String) COMMENT 'Lowest node of the hierarchies that the device belongs to; may be empty',
    avg_usage_seconds Nullable(Float64) COMMENT 'Average usage per day in seconds over the trailing window; do not add over snapshots; NULL when not given',
    avg_executions Nullable(Float64) COMMENT 'Average executions per day over the trailing window; do not add over snapshots; NULL when not given',
    first_seen Nullable(DateTime('UTC')) COMMENT 'First date with one of the packages, UTC; NULL when not given',
    last_activity Nullable(DateTime('UTC')) COMMENT 'Last execution of a significant binary, UTC; NULL when never or not given',
    binaries Array(String) COMMENT 'Binaries of the program: the used ones in json, the significant ones in csv and table; do not compare json with the others',
    binaries_used Array(Nullable(UInt8)) COMMENT 'For each of binaries 1 when it was used, 0 when not, NULL when the format cannot tell',
    format LowCardinality(String) COMMENT 'Format that the portal was asked for: json, csv or table',
    extra String COMMENT 'Fields beyond the documented ones, a JSON object; empty when there were none',
    ordinal UInt64 COMMENT 'Place of the row in the answer, from 1'
)
ENGINE = Distributed('ma`in', 'meterhouse', 'metering_details_versions_local')
