SELECT uniqExact(load_id) FROM pruned_loads WHERE load_id IN (42, 43)
