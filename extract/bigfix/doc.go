// Package bigfix reads daily license usage per server from HCL BigFix Inventory
// and from IBM License Metric Tool, which serves the same API: one request (or
// a series of pages) per day and computer group, decoded while it streams in.
package bigfix
