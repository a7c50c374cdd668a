CREATE DATABASE IF NOT EXISTS `it's a \\ \`name\``
