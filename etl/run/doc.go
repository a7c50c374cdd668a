// Package run brings slices in: one slice from pull to publish, many at a time.
//
// A load is invisible until its ledger row publishes it, so every error path
// of this package ends in one of two ways: the version that readers saw before
// still stands, or the new one does, whole.
package run
