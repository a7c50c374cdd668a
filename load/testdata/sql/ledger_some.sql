SELECT `load_id`, `run_id`, `source`, `kind`, `feed`, `day`, `status`, `reason`, `rows`, `rejects`, `requests`, `bytes`, `content_hash`, `source_as_of`, `partial`, `previous_load_id`, `started_at`, `finished_at`, `published_seq`, `host`, `version`
FROM loads FINAL
WHERE source = 'bfi\'); DROP TABLE loads; --' AND feed IN ('default', 'group\\5') AND day >= toDate('2026-03-31') AND day <= toDate('2026-04-01')
ORDER BY source, feed, day, load_id, published_seq, status
