INSERT INTO `loads` (`load_id`, `day`)
