package loadtest

import (
	"context"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/load"
)

// ClusterName is the name of a Cluster in the configuration of its servers.
const ClusterName = "main"

const (
	// sessionTimeout is what ZooKeeper takes to give a silent server up. It must be
	// longer than the 10 s after which a server gives ZooKeeper up, as it is by
	// default, where it is 30 s: tests have to wait for it.
	sessionTimeout = 12 * time.Second
	keeperTick     = 500 * time.Millisecond
	// doors is where servers are told to fetch parts from each other: proxies stand
	// there, in front of the same ports of 127.0.0.1.
	doors = "127.0.1.1"
)

// clusterProfile has what ClickHouse 18.16 needs to take LowCardinality columns
// from statements that are run ON CLUSTER, which run with the default profile. And
// it has what is most dangerous for readers, who use that profile, too: answers
// that leave out what cannot be had.
const clusterProfile = "<allow_experimental_low_cardinality_type>1</allow_experimental_low_cardinality_type>" +
	"<skip_unavailable_shards>1</skip_unavailable_shards><max_replica_delay_for_distributed_queries>3600</max_replica_delay_for_distributed_queries>" +
	"<fallback_to_stale_replicas_for_distributed_queries>1</fallback_to_stale_replicas_for_distributed_queries>"

// Cluster is a ZooKeeper and real clickhouse-servers, all children of the test
// with folders and ports of their own.
type Cluster struct {
	Nodes  []*Server // shard by shard, the replicas of each side by side
	Keeper *Keeper

	replicas int
	proxied  bool
	own      []string   // addresses that the nodes serve parts at
	ways     [][]*Proxy // from a node to another's native port; nil to itself
	toKeeper []*Proxy   // from each node
	parts    []*Proxy   // from others to each node's parts
}

// StartCluster starts a ZooKeeper and so many shards with so many replicas each,
// and waits until they answer. A test that cannot have them fails: it never
// skips. They end with the test.
func StartCluster(t testing.TB, shards, replicas int) *Cluster {
	t.Helper()
	c := &Cluster{Keeper: startKeeper(t), replicas: replicas}
	for range shards * replicas {
		c.Nodes = append(c.Nodes, newServer(t, ServerOptions{Profile: clusterProfile}))
	}
	for i, n := range c.Nodes {
		c.toKeeper = append(c.toKeeper, StartProxy(t, c.Keeper.addr))
		c.own = append(c.own, freeAddress(t))
		c.parts = append(c.parts, startProxyAt(t, net.JoinHostPort(doors, port(c.own[i])), c.own[i]))
		n.options.Config = c.config(i)
		n.configure(t, n.options.Config)
	}
	var all sync.WaitGroup
	for _, n := range c.Nodes {
		all.Go(func() { n.Start(t) })
	}
	all.Wait()
	return c
}

// Proxied has every way from one node to another lead through a Proxy from now
// on, so that the network can fail, and the way of whoever looks in the
// configuration of a node for the others. ON CLUSTER needs the nodes' own
// addresses: what is to be migrated comes before.
func (c *Cluster) Proxied(t testing.TB) {
	t.Helper()
	for i := range c.Nodes {
		ways := make([]*Proxy, len(c.Nodes))
		for j, to := range c.Nodes {
			if i != j {
				ways[j] = StartProxy(t, to.Native)
			}
		}
		c.ways = append(c.ways, ways)
	}
	c.proxied = true
	for i, n := range c.Nodes {
		n.options.Config = c.config(i)
		n.configure(t, n.options.Config)
		o := n.Options()
		o.Database = "default"
		Statement(t, o, "SYSTEM RELOAD CONFIG")
	}
}

// config is the part of a node's configuration that makes it one of a cluster.
func (c *Cluster) config(of int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<interserver_http_host>%s</interserver_http_host><interserver_http_port>%s</interserver_http_port>\n", doors, port(c.own[of]))
	fmt.Fprintf(&b, "<zookeeper><node><host>127.0.0.1</host><port>%s</port></node><session_timeout_ms>%d</session_timeout_ms></zookeeper>\n",
		port(c.toKeeper[of].Addr), sessionTimeout.Milliseconds())
	fmt.Fprintf(&b, "<macros><shard>%d</shard><replica>r%d</replica></macros>\n", of/c.replicas+1, of%c.replicas+1)
	fmt.Fprintf(&b, "<distributed_ddl><path>/clickhouse/task_queue/ddl</path></distributed_ddl>\n<remote_servers><%s>", ClusterName)
	for i, n := range c.Nodes {
		if i%c.replicas == 0 {
			b.WriteString("<shard><internal_replication>true</internal_replication>")
		}
		address := n.Native
		if c.proxied && i != of {
			address = c.ways[of][i].Addr
		}
		fmt.Fprintf(&b, "<replica><host>127.0.0.1</host><port>%s</port><user>default</user><password>%s</password></replica>", port(address), ServerPassword)
		if (i+1)%c.replicas == 0 {
			b.WriteString("</shard>")
		}
	}
	fmt.Fprintf(&b, "</%s></remote_servers>", ClusterName)
	return b.String()
}

// Options reach the cluster through one of its nodes.
func (c *Cluster) Options(node int) load.Options {
	o := c.Nodes[node].Options()
	o.Cluster = ClusterName
	return o
}

// CutKeeper makes a node's connections to ZooKeeper suffer from f.
func (c *Cluster) CutKeeper(node int, f Fault) { c.toKeeper[node].Set(f) }

// Isolate makes all connections between a node and the others, and ZooKeeper,
// suffer from f.
func (c *Cluster) Isolate(node int, f Fault) {
	c.CutKeeper(node, f)
	shard := node / c.replicas
	for i := range c.Nodes {
		if i == node {
			continue
		}
		c.ways[i][node].Set(f)
		c.ways[node][i].Set(f)
		if i/c.replicas == shard {
			c.parts[i].Set(f)
		}
	}
	c.parts[node].Set(f)
}

// Heal ends all that CutKeeper and Isolate did.
func (c *Cluster) Heal() {
	for i := range c.Nodes {
		c.Isolate(i, None)
	}
}

// Keeper is a ZooKeeper, a child of the test with a folder and a port of its own.
type Keeper struct {
	addr, dir string
	cmd       *exec.Cmd
}

const keeperConfig = `dataDir=%[1]s
clientPort=%[2]s
clientPortAddress=127.0.0.1
admin.enableServer=false
tickTime=%[3]d
minSessionTimeout=1000
maxSessionTimeout=60000
maxClientCnxns=0
forceSync=no
4lw.commands.whitelist=srvr
`

func startKeeper(t testing.TB) *Keeper {
	t.Helper()
	k := &Keeper{addr: freeAddress(t), dir: t.TempDir()}
	(&Server{dir: k.dir}).write(t, "zoo.cfg", fmt.Sprintf(keeperConfig, filepath.Join(k.dir, "data"), port(k.addr), keeperTick.Milliseconds()))
	t.Cleanup(func() { k.Kill(t) })
	k.Start(t)
	return k
}

// Start starts ZooKeeper, again with the same data, and waits until it answers.
func (k *Keeper) Start(t testing.TB) {
	t.Helper()
	java, err := exec.LookPath("java")
	require.NoError(t, err, "a ZooKeeper is needed: `make test-cluster` installs it (Debian: apt-get install zookeeper)")
	k.cmd = exec.Command(java, "-Xmx256m", "-cp", "/etc/zookeeper/conf:/usr/share/java/*", //nolint:gosec,noctx // a program of the system; Kill ends it
		"org.apache.zookeeper.server.quorum.QuorumPeerMain", filepath.Join(k.dir, "zoo.cfg"))
	require.NoError(t, k.cmd.Start())
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !k.answers(ctx) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			require.NoError(t, ctx.Err(), "waiting for ZooKeeper (Debian: apt-get install zookeeper)")
		}
	}
}

// answers tells whether ZooKeeper takes sessions, which is later than connections.
func (k *Keeper) answers(ctx context.Context) bool {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", k.addr)
	if err != nil {
		return false
	}
	defer conn.Close()                                //nolint:errcheck // it was only asked
	_ = conn.SetDeadline(time.Now().Add(time.Second)) // one that has only begun to listen says nothing
	if _, err := io.WriteString(conn, "srvr"); err != nil {
		return false
	}
	answer, _ := io.ReadAll(conn)
	return strings.Contains(string(answer), "Mode: ")
}

// Kill ends ZooKeeper as a power cut would.
func (k *Keeper) Kill(t testing.TB) {
	t.Helper()
	_ = k.cmd.Process.Kill()
	_ = k.cmd.Wait() // killed: its error says nothing
}
