SELECT name, free_space FROM system.disks ORDER BY free_space LIMIT 1
