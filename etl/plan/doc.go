// Package plan decides which slices are pulled and which are not, each with
// the reason; which version of a slice an operator may publish; and which loads
// may be deleted. All of it is pure functions of the ledger, the configuration
// and the clock, so that what `plan` shows is what `sync` does.
package plan
