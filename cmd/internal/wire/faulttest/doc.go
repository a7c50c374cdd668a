// Package faulttest holds tests only: the real runner brings days from a
// simulated source into a real ClickHouse server, and on the way the server, the
// network or an administrator does what they do in real life. After each fault
// readers have seen whole days only, the ledger is honest, and the next run
// completes. `make test-server` runs them; they have the build tag "server".
package faulttest
