CREATE VIEW IF NOT EXISTS `meterhouse`.`restatements` ON CLUSTER `ma\`in` AS
SELECT
    source, kind, feed, day, status, reason, finished_at AS restated_at,
    rows, earlier_rows, toInt64(rows) - toInt64(earlier_rows) AS rows_delta,
    rejects, earlier_rejects, toInt64(rejects) - toInt64(earlier_rejects) AS rejects_delta,
    load_id, earlier_load_id, published_seq
FROM
(
    SELECT
        source, kind, feed, day, status, reason, finished_at, rows, rejects, content_hash, load_id, published_seq,
        lagInFrame(load_id) OVER slice AS earlier_load_id,
        lagInFrame(rows) OVER slice AS earlier_rows,
        lagInFrame(rejects) OVER slice AS earlier_rejects,
        lagInFrame(content_hash) OVER slice AS earlier_content_hash
    FROM `meterhouse`.loads FINAL
    WHERE published_seq > 0
    WINDOW slice AS (PARTITION BY source, feed, day ORDER BY published_seq, load_id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
)
WHERE earlier_load_id > 0 AND content_hash != earlier_content_hash
SETTINGS fallback_to_stale_replicas_for_distributed_queries = 0, max_replica_delay_for_distributed_queries = 1, skip_unavailable_shards = 0
