// Package load brings rows into ClickHouse and reads the ledger back: it
// connects, migrates, inserts columns, verifies what arrived, and publishes. It
// is the only user of the ClickHouse driver and knows no sources.
//
// A Warehouse may be used by several goroutines at once; a Load belongs to one.
package load
