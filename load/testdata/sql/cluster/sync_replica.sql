SYSTEM SYNC REPLICA `meterhouse`.`loads`
