// Package schema says what the warehouse holds: the words (day, slice, load),
// the rows of every table, the ledger, and the migrations that make the tables
// and views. It knows neither sources nor a database driver.
package schema
