SELECT `load_id`, `run_id`, `source`, `kind`, `feed`, `day`, `status`, `reason`, `rows`, `rejects`, `requests`, `bytes`, `content_hash`, `source_as_of`, `partial`, `previous_load_id`, `started_at`, `finished_at`, `published_seq`, `host`, `version`
FROM loads FINAL
ORDER BY source, feed, day, load_id, published_seq, status
