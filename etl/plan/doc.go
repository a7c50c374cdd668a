// Package plan decides which slices are pulled and which are not, each with
// the reason. It is a pure function of the ledger, the configuration and the
// clock, so that what `plan` shows is what `sync` does.
package plan
