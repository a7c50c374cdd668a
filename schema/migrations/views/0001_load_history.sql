-- The ledger for people: every finished load and every later publication, with
-- how long it took. published says that the row published its load, current that
-- readers see that load now.
CREATE VIEW IF NOT EXISTS load_history AS
SELECT
    source, kind, feed, day, status, reason,
    started_at, finished_at, dateDiff('second', started_at, finished_at) AS seconds,
    rows, rejects, requests, bytes, source_as_of, partial,
    published_seq > 0 AS published,
    load_id IN (SELECT load_id FROM published_loads) AS current,
    load_id, previous_load_id, run_id, content_hash, published_seq, host, version
FROM loads FINAL
