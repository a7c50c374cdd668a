package load

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/meterhouse/meterhouse/schema"
)

// nodeTimeout bounds the small questions that single servers of a cluster are
// asked: another one can do as well.
const nodeTimeout = 5 * time.Second

var (
	errReadOnly = errors.New("its tables are read-only, because it has no connection to ZooKeeper")
	// errMoved says that a connection was replaced, maybe by one to another server.
	errMoved = errors.New("the connection to the ledger's server was replaced")
)

// cluster is what stands behind a Warehouse whose tables are spread over several
// servers. Readers and the ledger use the servers of the Options, like those of
// a single server; rows go straight to the shards.
type cluster struct {
	clusterDDL
	shards []shard
	deaths deaths
	// ledger is one connection, of which dials tells whether it is still the same.
	ledger driver.Conn
	dials  *addresses
}

type shard struct {
	number uint32
	nodes  []*node
}

// node is one server of a cluster: a replica of a shard.
type node struct {
	pools
	shard uint32
	addr  string
}

// String says which server it is: "10.0.0.7:9000 (shard 2)".
func (n *node) String() string { return fmt.Sprintf("%s (shard %d)", n.addr, n.shard) }

// nodes lists the servers of all shards.
func (c *cluster) nodes() []*node {
	var all []*node
	for _, s := range c.shards {
		all = append(all, s.nodes...)
	}
	return all
}

func (c *cluster) close() error {
	var errs []error
	for _, n := range c.nodes() {
		errs = append(errs, n.close())
	}
	if c.ledger != nil {
		errs = append(errs, c.ledger.Close())
	}
	return errors.Join(errs...)
}

// join finds the servers of the cluster. It makes no connection to them: one
// that is down is met where it is needed.
func (w *Warehouse) join(ctx context.Context, o Options) error {
	w.cluster = &cluster{clusterDDL: clusterDDL{o.Cluster, o.Database, w.atLeast(20, 4)}}
	if err := w.findNodes(ctx, o); err != nil {
		return err
	}
	if len(w.cluster.shards) == 0 {
		return w.noSuchCluster(ctx, o.Cluster)
	}
	d, err := o.driverOptions()
	if err != nil {
		return err
	}
	w.cluster.dials = &addresses{timeout: cmp.Or(o.DialTimeout, defaultDialTimeout)}
	d.Auth.Database, d.DialStrategy, d.MaxOpenConns, d.MaxIdleConns = o.Database, w.cluster.dials.dial, 1, 1
	if w.cluster.ledger, err = clickhouse.Open(d); err != nil {
		return fail(err, "opening the warehouse")
	}
	w.ledger = w.cluster.ledger
	return nil
}

func (w *Warehouse) findNodes(ctx context.Context, o Options) error {
	const doing = "reading the servers of the cluster"
	c := w.cluster
	o.DialTimeout = min(cmp.Or(o.DialTimeout, defaultDialTimeout), nodeTimeout)
	return w.again(ctx, ledgerTimeout, doing, func(ctx context.Context) error {
		if err := c.close(); err != nil {
			return err
		}
		c.shards = nil
		rows, err := w.admin.Query(ctx, clusterNodesSQL(o.Cluster))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			n := &node{}
			var host string
			var port uint16
			if err := rows.Scan(&n.shard, &host, &port); err != nil {
				return err
			}
			o.Addrs = []string{net.JoinHostPort(host, strconv.Itoa(int(port)))}
			n.addr = o.Addrs[0]
			d, err := o.driverOptions()
			if err != nil {
				return err
			}
			if n.pools, err = openPools(d, o.Database); err != nil {
				return err
			}
			c.add(n)
		}
		return rows.Err()
	})
}

// add takes the nodes in the order of their shards.
func (c *cluster) add(n *node) {
	if last := len(c.shards) - 1; last < 0 || c.shards[last].number != n.shard {
		c.shards = append(c.shards, shard{number: n.shard})
	}
	last := &c.shards[len(c.shards)-1]
	last.nodes = append(last.nodes, n)
}

func (w *Warehouse) noSuchCluster(ctx context.Context, name string) error {
	known, err := w.texts(ctx, "listing the clusters", clusterNamesSQL)
	if err != nil {
		return err
	}
	hint := "describe it in <remote_servers> of every server's configuration, or remove warehouse.cluster"
	if len(known) > 0 {
		hint = fmt.Sprintf("set warehouse.cluster to one that it knows (%s), or %s", strings.Join(known, ", "), hint)
	}
	return &Error{
		Class: Invalid, Doing: "opening the warehouse", Err: fmt.Errorf("the server knows no cluster %q", name), Hint: hint,
	}
}

// takers picks a server of each shard for the rows of a load; without a cluster
// that is the warehouse itself. All blocks of a load for a shard go to the same
// server, different loads to different ones.
func (w *Warehouse) takers(ctx context.Context, loadID uint64) ([]taker, error) {
	const doing = "beginning a load"
	if w.cluster == nil {
		return []taker{{conn: w.conn}}, w.again(ctx, ledgerTimeout, doing, w.admin.Ping)
	}
	var takers []taker
	// Each server has a time-out of its own.
	err := w.again(ctx, nodeTimeout*time.Duration(len(w.cluster.nodes())+1), doing, func(ctx context.Context) error {
		takers = nil
		for _, s := range w.cluster.shards {
			n, err := w.writable(ctx, s, loadID)
			if err != nil {
				return err
			}
			takers = append(takers, taker{n.conn, n})
		}
		return nil
	})
	return takers, err
}

// taker is where the rows of a load go.
type taker struct {
	conn driver.Conn
	node *node // nil without a cluster
}

// String is for errors: nothing without a cluster, " on HOST:PORT (shard 2)" with one.
func (t taker) String() string {
	if t.node == nil {
		return ""
	}
	return " on " + t.node.String()
}

// table is the table of that name which takes rows.
func (t taker) table(name string) string {
	if t.node == nil {
		return name
	}
	return name + localSuffix
}

// writable finds a server of the shard that takes rows. Those that were found
// dead are tried last: each may cost its time-out.
func (w *Warehouse) writable(ctx context.Context, s shard, loadID uint64) (*node, error) {
	var alive, dead []*node
	for i := range s.nodes {
		n := s.nodes[(loadID+uint64(i))%uint64(len(s.nodes))]
		if w.cluster.deaths.recently(n, time.Now()) {
			dead = append(dead, n)
		} else {
			alive = append(alive, n)
		}
	}
	var tables []string
	for _, t := range schema.StoredTables() {
		tables = append(tables, t.Name+localSuffix)
	}
	var errs []error
	for _, n := range append(alive, dead...) {
		err := w.within(ctx, nodeTimeout, func(ctx context.Context) error {
			_, writable, err := w.delay(ctx, n.pools, tables)
			if err == nil && !writable {
				err = errReadOnly
			}
			return err
		})
		if err == nil {
			return n, nil
		}
		errs = append(errs, fmt.Errorf("%s: %w", n, cause(err)))
	}
	return nil, fmt.Errorf("no server of shard %d takes rows: %w", s.number, errors.Join(errs...))
}

// onEach runs do on all servers at once and gives the errors of those that
// failed, each with its server.
func (c *cluster) onEach(do func(*node) error) []error {
	nodes := c.nodes()
	errs := make([]error, len(nodes))
	var all sync.WaitGroup
	for i, n := range nodes {
		all.Go(func() {
			if err := do(n); err != nil {
				errs[i] = fmt.Errorf("%s: %w", n, err)
			}
		})
	}
	all.Wait()
	return errs
}
