// Package extract is the contract that every source fulfils: what is asked
// for, the raw record that comes back, and the classes of what can go wrong.
// It knows nothing of tables, ClickHouse or schedules.
package extract
