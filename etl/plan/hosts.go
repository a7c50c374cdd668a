package plan

import (
	"slices"
	"time"

	"github.com/meterhouse/meterhouse/schema"
)

// Hosts names the machines that have written to the ledger of a feed since then,
// sorted. More than one load the same days: harmless, and work done twice.
func Hosts(ledger []schema.Load, source, feed string, since time.Time) []string {
	var hosts []string
	for _, l := range ledger {
		if l.Source == source && l.Feed == feed && l.FinishedAt.After(since) && l.Host != "" && !slices.Contains(hosts, l.Host) {
			hosts = append(hosts, l.Host)
		}
	}
	slices.Sort(hosts)
	return hosts
}
