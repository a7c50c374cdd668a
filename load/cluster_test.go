//go:build server

package load_test

import (
	"testing"

	"github.com/meterhouse/meterhouse/load/loadtest"
)

// TestCluster holds a cluster of real servers to the contract of one server: two
// shards with two replicas each and a ZooKeeper, reached through one of them.
func TestCluster(t *testing.T) {
	t.Parallel()
	c := loadtest.StartCluster(t, 2, 2)
	h := loadtest.Harness{Options: c.Options(0)}
	for _, n := range c.Nodes {
		h.Servers = append(h.Servers, n.Native)
	}
	loadtest.Exercise(t, h)
}
