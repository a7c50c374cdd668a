package load

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// nodeClocks is how far the clocks of two servers may be apart: replicas that are
// behind are told by the time of what they lack.
const nodeClocks = 2 * time.Second

// nodeFacts is what a server of a cluster says about itself.
type nodeFacts struct {
	version        string
	ahead          time.Duration // of this machine
	shard, replica string        // its macros
	keeper         error         // why it cannot ask ZooKeeper
	lacks          []string      // tables and views
	lowCardinality bool          // whether ON CLUSTER may make such columns
}

// checkCluster asks every server of the cluster.
func (w *Warehouse) checkCluster(ctx context.Context) ([]Finding, error) {
	if w.cluster == nil {
		return nil, nil
	}
	facts := map[*node]nodeFacts{}
	var mu sync.Mutex
	errs := w.cluster.onEach(func(n *node) error {
		f, err := w.askNode(ctx, n)
		if err == nil {
			mu.Lock()
			defer mu.Unlock()
			facts[n] = f
		}
		return err
	})
	var found []Finding
	for _, err := range errs {
		if err != nil {
			found = append(found, Finding{Level: Fault, Says: fail(err, "asking a server of the cluster").Error() +
				"; every server must be reachable from here, by the name and port that <remote_servers> has for it, with the user and password of warehouse.url"})
		}
	}
	for _, n := range w.cluster.nodes() {
		if f, answered := facts[n]; answered {
			found = append(found, w.judgeNode(n, f)...)
		}
	}
	found = append(found, w.compareNodes(facts)...)
	if len(found) > 0 {
		return found, nil
	}
	return one(OK, "%s: %d shards, %d servers, each with ZooKeeper and all tables", w.cluster.cluster, len(w.cluster.shards), len(facts))
}

func (w *Warehouse) askNode(ctx context.Context, n *node) (nodeFacts, error) {
	f := nodeFacts{lowCardinality: true}
	err := w.within(ctx, nodeTimeout, func(ctx context.Context) error {
		var zone string
		var now time.Time
		if err := n.admin.QueryRow(ctx, infoSQL).Scan(&f.version, &zone, &now); err != nil {
			return err
		}
		f.ahead = now.Sub(time.Now().Truncate(time.Second))
		var entries uint64
		f.keeper = n.admin.QueryRow(ctx, keeperSQL).Scan(&entries)
		if !w.atLeast(19, 12) {
			var value string
			if err := n.admin.QueryRow(ctx, lowCardinalitySQL).Scan(&value); err != nil {
				return err
			}
			f.lowCardinality = value != "0"
		}
		return n.admin.QueryRow(ctx, macrosSQL).Scan(&f.shard, &f.replica)
	})
	if err != nil {
		return f, err
	}
	have, err := w.objectsOf(ctx, n)
	for _, object := range w.cluster.objects(w) {
		if !have[object] {
			f.lacks = append(f.lacks, object)
		}
	}
	return f, err
}

// judgeNode looks at one server alone.
func (w *Warehouse) judgeNode(n *node, f nodeFacts) []Finding {
	var found []Finding
	say := func(level Level, format string, args ...any) {
		found = append(found, Finding{Level: level, Says: n.String() + ": " + fmt.Sprintf(format, args...)})
	}
	if f.shard == "" || f.replica == "" {
		say(Fault, "has no macros shard and replica; put <macros><shard>%d</shard><replica>%s</replica></macros> into its configuration, the replica being unique in its shard", n.shard, n.addr)
	}
	if err := fail(f.keeper, "asking ZooKeeper"); err != nil {
		level, advice := Fault, "put <zookeeper><node><host>...</host><port>2181</port></node></zookeeper> into its configuration, and see that it runs"
		if e := new(Error); errors.As(err, &e) && e.Class == Forbidden {
			level, advice = Warning, "so it is not known whether it works; run: GRANT SELECT ON system.zookeeper TO "+quoteName(w.user)
		}
		say(level, "%s; %s", strings.TrimSuffix(err.Error(), "\n"), advice)
	}
	if !f.lowCardinality {
		say(Fault, "its default profile, which statements ON CLUSTER run with, does not allow LowCardinality columns; put <allow_experimental_low_cardinality_type>1</allow_experimental_low_cardinality_type> into that profile and restart it")
	}
	if len(f.lacks) > 0 && len(f.lacks) < len(w.cluster.objects(w)) { // none at all is said of the schema
		say(Fault, "lacks %s; run `meterhouse migrate`, which makes what is missing on any server", strings.Join(f.lacks, ", "))
	}
	return found
}

// compareNodes looks for what must, or must not, be the same on two servers.
func (w *Warehouse) compareNodes(facts map[*node]nodeFacts) []Finding {
	var found []Finding
	say := func(level Level, format string, args ...any) {
		found = append(found, Finding{Level: level, Says: fmt.Sprintf(format, args...)})
	}
	nodes := w.cluster.nodes()
	for i, a := range nodes {
		for _, b := range nodes[:i] {
			x, knowsA := facts[a]
			y, knowsB := facts[b]
			if !knowsA || !knowsB || x.shard == "" || y.shard == "" {
				continue
			}
			if x.shard == y.shard != (a.shard == b.shard) {
				say(Fault, "%s and %s: their macro {shard} is %q and %q, which does not fit their places in <remote_servers>; give all replicas of a shard the same one, and each shard another", b, a, y.shard, x.shard)
			}
			if x.shard == y.shard && x.replica == y.replica {
				say(Fault, "%s and %s have the same macro {replica}, %q; give each its own, such as its host name", b, a, x.replica)
			}
			if x.version != y.version {
				say(Warning, "%s has version %s and %s %s; upgrade them to one version", b, y.version, a, x.version)
			}
			if apart := (x.ahead - y.ahead).Abs(); apart > nodeClocks {
				say(Warning, "the clocks of %s and %s are %s apart: a replica that is behind may be taken for one that is not; synchronise them", b, a, apart.Round(time.Second))
			}
		}
	}
	return found
}
