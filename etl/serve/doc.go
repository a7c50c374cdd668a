// Package serve is the daemon's HTTP: health for whoever restarts it, and metrics
// for whoever watches it.
package serve
