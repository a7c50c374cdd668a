// Package wire builds the object graph from the configuration. It is the one
// place that sees both sides of every contract.
package wire
