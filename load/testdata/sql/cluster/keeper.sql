SELECT count() FROM system.zookeeper WHERE path = '/'
