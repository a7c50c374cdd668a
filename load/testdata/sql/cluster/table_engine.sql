SELECT engine FROM system.tables WHERE database = 'it\'s' AND name = 'loads'
