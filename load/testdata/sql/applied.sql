SELECT name, checksum, min(applied_at) FROM schema_migrations GROUP BY name, checksum ORDER BY name, min(applied_at) DESC
