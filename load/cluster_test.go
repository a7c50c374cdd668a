//go:build server

package load_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/load"
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
	t.Run("Misuse", func(t *testing.T) {
		t.Parallel()
		misuseOfCluster(t, c, h)
	})
	t.Run("TableMissingOnOneServer", func(t *testing.T) {
		t.Parallel()
		tableMissingOnOneServer(t, c, h)
	})
	loadtest.Exercise(t, h)
}

// misuseOfCluster takes a cluster for a single server, the other way round, and
// for one that it is not.
func misuseOfCluster(t *testing.T, c *loadtest.Cluster, h loadtest.Harness) {
	t.Helper()
	spread := h.Database(t)
	migrated(t, spread)
	spread.Cluster = ""
	require.ErrorContains(t, loadtest.Open(t, spread).CheckSchema(t.Context()), "was made for a cluster; set warehouse.cluster")

	single := loadtest.Harness{Options: c.Nodes[0].Options()}.Database(t)
	migrated(t, single)
	single.Cluster = loadtest.ClusterName
	w := loadtest.Open(t, single)
	require.ErrorContains(t, w.CheckSchema(t.Context()), "was made for a single server")
	_, err := w.Migrate(t.Context())
	require.ErrorContains(t, err, "was made for a single server")

	o := h.Options
	o.Cluster = "mian"
	_, err = load.Open(t.Context(), o)
	require.ErrorContains(t, err, `the server knows no cluster "mian"; set warehouse.cluster to one that it knows (main)`)
	o.Protocol = load.HTTP
	_, err = load.Open(t.Context(), o)
	require.ErrorContains(t, err, "use clickhouse://")
}

// tableMissingOnOneServer has the preflight find what one server lacks, and migrate
// make it, as after a server was added.
func tableMissingOnOneServer(t *testing.T, c *loadtest.Cluster, h loadtest.Harness) {
	t.Helper()
	o := h.Database(t)
	w := migrated(t, o)
	there := c.Nodes[3].Options()
	there.Database = o.Database
	loadtest.Statement(t, there, "DROP TABLE pruned_loads")
	var says []string
	for _, f := range w.Preflight(t.Context()) {
		if f.Level == load.Fault {
			says = append(says, f.Says)
		}
	}
	require.Equal(t, []string{c.Nodes[3].Native + " (shard 2): lacks pruned_loads; run `meterhouse migrate`, which makes what is missing on any server"}, says)

	applied, err := w.Migrate(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"core/0011_pruned_loads"}, applied)
	applied, err = w.Migrate(t.Context())
	require.NoError(t, err)
	require.Empty(t, applied)
}
