// Package embedded is the warehouse that needs no server: ClickHouse itself,
// loaded into this process as a library (libchdb), behind ClickHouse's HTTP
// interface on loopback. The one way through clickhouse-go's HTTP protocol
// therefore serves both kinds of warehouse, and BI tools and curl read the
// embedded one as if it were a server.
//
// One process owns a data folder and runs the engine in it; every other one
// that opens the folder finds the owner's endpoint and talks to that.
//
// # The library
//
// `npm ci` in this folder fetches libchdb 26.7.3 by the hash that
// package-lock.json pins, for the platform it runs on. It has to be 26.7 or
// newer, for three things that 26.5 does not have: inserts whose data is
// streamed in (26.5 reads the data from the query's text and loses what
// follows two newline bytes), settings that hold for one connection only, and
// a promise to leave the process's signal handlers alone. It also opens a
// folder that already holds tables every time, where 26.5 fails now and then.
package embedded
