SELECT count(), min(pruned_at) FROM pruned_loads WHERE load_id = 42
