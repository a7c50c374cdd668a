SELECT shard_num, host_name, port FROM system.clusters WHERE cluster = 'it\'s' ORDER BY shard_num, replica_num
