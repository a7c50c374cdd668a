SELECT toUInt64(max(active_replicas)), toUInt64(countIf(active_replicas > 0 AND NOT is_session_expired)) FROM system.replicas WHERE database = 'it\'s' AND table IN ('loads', 'pruned_loads')
