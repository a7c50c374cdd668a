SELECT count() FROM `loads` FINAL
