//go:build server

package faulttest_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/load"
	"github.com/meterhouse/meterhouse/load/loadtest"
	"github.com/meterhouse/meterhouse/schema"
)

// TestCluster backfills and restates days on two shards with two replicas while
// servers die and the network between them fails. Servers 0 and 1 are the
// replicas of the first shard.
func TestCluster(t *testing.T) {
	t.Parallel()
	s := newClusterStage(t)
	c := s.cluster
	s.complete(0, 4)

	s.during(5, 16, 2, []int{0, 3}, "the server that the loader talks to killed",
		func() { c.Nodes[0].Kill(t) }, func() { c.Nodes[0].Start(t) })

	s.revise(0, 16, 1)
	s.during(0, 9, 2, []int{0, 3}, "a replica cut off from ZooKeeper",
		func() { c.CutKeeper(3, loadtest.Refused) }, c.Heal)

	s.during(10, 19, 2, []int{0, 3}, "a replica cut off from everything",
		func() { c.Isolate(2, loadtest.Silent) }, c.Heal)

	s.revise(0, 19, 2)
	s.during(0, 9, 2, []int{0, 3}, "ZooKeeper gone",
		func() { c.Keeper.Kill(t) }, func() { c.Keeper.Start(t) })

	s.during(10, 19, 2, []int{0, 1}, "a whole shard gone",
		func() { c.Nodes[2].Kill(t); c.Nodes[3].Kill(t) }, func() { c.Nodes[2].Start(t); c.Nodes[3].Start(t) })

	s.twoLoaders(20, 25)
	s.settle(25)
}

// twoLoaders has two loaders bring in the same days through two servers.
func (s *clusterStage) twoLoaders(from, to schema.Day) {
	s.t.Helper()
	s.allow(from, to)
	s.faults = append(s.faults, "two loaders at once")
	var both sync.WaitGroup
	for _, node := range []int{1, 2} {
		w := loadtest.Open(s.t, s.options(node))
		both.Go(func() { s.bringIn(w, from, to, s.options(0).Logger, nobody{}) })
	}
	both.Wait()
	ledger, err := loadtest.Open(s.t, s.options(0)).Ledger(s.t.Context(), load.LedgerQuery{From: s.first + from, To: s.first + to})
	require.NoError(s.t, err)
	highest := map[schema.Day]uint64{}
	for _, l := range ledger {
		require.True(s.t, l.Status.Publishes(), "%s: %s", l.Day, l.Reason)
		highest[l.Day] = max(highest[l.Day], l.PublishedSeq)
		s.rows += l.Rows
	}
	require.Len(s.t, highest, int(to-from)+1)
}
