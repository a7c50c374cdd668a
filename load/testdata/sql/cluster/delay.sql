SELECT toUInt64(max(absolute_delay)), toUInt64(countIf(is_readonly OR is_session_expired)) FROM system.replicas WHERE database = 'it\'s' AND table IN ('loads')
