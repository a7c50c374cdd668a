SELECT uniqExact(name) FROM schema_migrations WHERE name IN ('core/0002_loads')
