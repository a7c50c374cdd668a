CREATE VIEW IF NOT EXISTS `meterhouse`.`published_loads` ON CLUSTER `ma\`in` AS
SELECT source, feed, day, current_load_id AS load_id
FROM
(
    SELECT source, feed, day, argMax(load_id, tuple(published_seq, load_id)) AS current_load_id
    FROM `meterhouse`.loads
    WHERE published_seq > 0
    GROUP BY source, feed, day
)
SETTINGS fallback_to_stale_replicas_for_distributed_queries = 0, max_replica_delay_for_distributed_queries = 1, skip_unavailable_shards = 0
