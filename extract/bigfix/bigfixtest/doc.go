// Package bigfixtest is a server that speaks the documented part of the BigFix
// Inventory API, for tests, demonstrations and trying a configuration: TLS with
// a certificate of its own, tokens, license usage of an invented estate that is
// the same for the same seed, and faults on request. It streams days of any
// size without holding them.
package bigfixtest
