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
// `npm ci` in this folder fetches libchdb 26.7.3 for the platform it runs on, in
// the version that package-lock.json pins. It has to be 26.7 or newer, for what
// 26.5 does not have: inserts whose data is streamed in (26.5 takes the data
// from the statement's text and loses what follows two newline bytes), settings
// that hold for one connection only, a parser that says what a statement would
// do, and signal handlers of the process left alone. 26.5 has also been seen to
// fail at random when it opened a folder that holds tables.
//
// # How a request runs
//
// Every request has a connection of its own, which costs less than a
// millisecond: nothing that it sets is there for the next one. The data of an
// INSERT is handed to the engine as it arrives; the engine writes the answer of
// a SELECT into a pipe, which is passed on as it is read. Neither is ever whole
// in memory. What is rewritten on the way is the Native format only: the engine
// writes it at protocol revision 0, clickhouse-go reads a newer one.
package embedded
