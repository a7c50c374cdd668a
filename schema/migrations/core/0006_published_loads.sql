-- The load that readers see of each slice: the one published last. Two processes
-- that published the same slice with the same number at the same time are told
-- apart by the load id, so that every reader picks the same one.
CREATE VIEW IF NOT EXISTS published_loads AS
SELECT source, feed, day, current_load_id AS load_id
FROM
(
    SELECT source, feed, day, argMax(load_id, tuple(published_seq, load_id)) AS current_load_id
    FROM loads
    WHERE published_seq > 0
    GROUP BY source, feed, day
)
