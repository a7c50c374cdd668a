-- Every publication that changed what readers see of a slice: two consecutive
-- published versions of different content, and by how much they differ in rows and
-- rejects. Two processes that publish the same content of a slice change nothing.
CREATE VIEW IF NOT EXISTS restatements AS
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
    FROM loads FINAL
    WHERE published_seq > 0
    WINDOW slice AS (PARTITION BY source, feed, day ORDER BY published_seq, load_id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
)
WHERE earlier_load_id > 0 AND content_hash != earlier_content_hash
