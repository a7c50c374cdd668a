package load

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/meterhouse/meterhouse/schema"
)

// What was written is published, or reported as written, only when every replica
// that lives has it. SYSTEM SYNC REPLICA is not used for that: old servers
// return from it without a word when it has timed out, and it waits for ever for
// a part that only a dead server has, whoever's that is. Each server is asked for
// the rows themselves instead.
const (
	// settleTimeout is how long replicas may take to have what was written. It
	// outlasts the 30 s after which ZooKeeper gives a silent server up.
	settleTimeout = 75 * time.Second
	// firstLook and lastLook are between two looks at a replica.
	firstLook = 20 * time.Millisecond
	lastLook  = 250 * time.Millisecond
	// deadPause is how long we wait after ZooKeeper has given a replica up. By then
	// the replica itself has noticed and says that it is behind to whoever asks, and
	// so does one that has just come back: both count in whole seconds.
	deadPause = 5 * time.Second
)

var errBehind = errors.New("it is behind the other servers of the cluster")

// group is rows that were written to some tables, and the servers that shall have them.
type group struct {
	name   string // for errors: "shard 1"
	nodes  []*node
	tables []string
	// has tells whether a server has all the rows.
	has func(context.Context, *node) (bool, error)
	// harmless says that a server without them, which does not know that it lacks
	// them, has the version before for whoever asks it.
	harmless bool
}

// look is what a server said when it was asked for the rows.
type look struct {
	node *node
	has  bool
	// behind says that the server does not have them and tells so to readers, who
	// pass it over then.
	behind bool
	err    error // why there was no answer
}

// settle returns when every live replica has the rows. A replica that does not
// have them is dead when ZooKeeper says so, and either it does not answer or it
// knows itself that it is behind. All others are waited for, in vain if need be.
func (w *Warehouse) settle(ctx context.Context, g group, doing string) error {
	began := time.Now()
	limited, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	looks := make(chan look)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	for _, n := range g.nodes {
		running.Go(func() { w.keepLooking(limited, n, g, looks) })
	}
	ticker := time.NewTicker(lastLook)
	defer ticker.Stop()
	seen := map[*node]look{}
	for {
		select {
		case l := <-looks:
			seen[l.node] = l
			if l.has {
				w.cluster.deaths.live(l.node)
			}
			if holders(seen) < len(g.nodes) {
				continue
			}
		case <-ticker.C:
		case <-limited.Done():
			if errors.Is(ctx.Err(), context.Canceled) {
				return fail(context.Cause(ctx), doing)
			}
			return g.unsettled(doing, time.Since(began), seen)
		}
		live, known := w.liveReplicas(limited, g, seen)
		switch {
		case !known:
		case g.settled(seen, live):
			return w.outliveDead(ctx, g, seen, doing)
		case holders(seen) == 0 && live <= answers(seen):
			return g.unsettled(doing, time.Since(began), seen) // only a dead one had them
		}
	}
}

func holders(seen map[*node]look) int {
	n := 0
	for _, l := range seen {
		if l.has {
			n++
		}
	}
	return n
}

func answers(seen map[*node]look) int {
	n := 0
	for _, l := range seen {
		if l.err == nil {
			n++
		}
	}
	return n
}

// settled tells whether so many live replicas are all those that have the rows,
// and no other one could be taken for one of them.
func (g group) settled(seen map[*node]look, live int) bool {
	if holders(seen) == 0 || live > holders(seen) {
		return false
	}
	for _, n := range g.nodes {
		if l, asked := seen[n]; !asked || !l.has && l.err == nil && !l.behind && !g.harmless {
			return false
		}
	}
	return true
}

// outliveDead waits until replicas that are thought dead know it themselves.
func (w *Warehouse) outliveDead(ctx context.Context, g group, seen map[*node]look, doing string) error {
	var away []*node
	for _, n := range g.nodes {
		if !seen[n].has {
			away = append(away, n)
		}
	}
	pause := w.cluster.deaths.pause(away, time.Now())
	if pause <= 0 {
		return nil
	}
	if !after(ctx, pause) {
		return fail(context.Cause(ctx), doing)
	}
	return nil
}

// unsettled says which replicas are in the way.
func (g group) unsettled(doing string, after time.Duration, seen map[*node]look) error {
	errs := []error{fmt.Errorf("%s: %d of %d replicas have the rows after %s", g.name, holders(seen), len(g.nodes), after.Round(time.Second))}
	for _, n := range g.nodes {
		switch l, asked := seen[n]; {
		case !asked:
			errs = append(errs, fmt.Errorf("%s: no answer yet", n))
		case l.err != nil:
			errs = append(errs, fmt.Errorf("%s: %w", n, l.err))
		case !l.has:
			errs = append(errs, fmt.Errorf("%s: answers and does not have them", n))
		}
	}
	return &Error{
		Class: Busy, Doing: doing, Err: errors.Join(errs...),
		Hint: "bring the replica back, or stop it: one that is down does not hold up loads, one that lives and cannot be reached from here, or is cut off from ZooKeeper or its replicas, does",
	}
}

// keepLooking asks until the server has the rows, and tells of every answer.
func (w *Warehouse) keepLooking(ctx context.Context, n *node, g group, looks chan<- look) {
	for pause := firstLook; ; pause = min(2*pause, lastLook) {
		l := w.lookAt(ctx, n, g)
		select {
		case looks <- l:
		case <-ctx.Done():
			return
		}
		if l.has {
			return
		}
		if !after(ctx, pause) {
			return
		}
	}
}

func (w *Warehouse) lookAt(ctx context.Context, n *node, g group) look {
	l := look{node: n}
	l.err = w.within(ctx, nodeTimeout, func(ctx context.Context) (err error) {
		if l.has, err = g.has(ctx, n); err != nil || l.has {
			return err
		}
		delay, _, err := w.delay(ctx, n.pools, g.tables)
		l.behind = delay > 0
		return err
	})
	if l.err != nil {
		l.err = cause(l.err)
	}
	return l
}

// liveReplicas asks ZooKeeper, through a replica that answers, how many of them
// live.
func (w *Warehouse) liveReplicas(ctx context.Context, g group, seen map[*node]look) (live int, known bool) {
	for n, l := range seen {
		if l.err != nil {
			continue
		}
		var count, connected uint64
		err := w.within(ctx, nodeTimeout, func(ctx context.Context) error {
			return n.admin.QueryRow(ctx, liveReplicasSQL(w.database, g.tables)).Scan(&count, &connected)
		})
		if err == nil && connected == uint64(len(g.tables)) {
			return int(count), true
		}
	}
	return 0, false
}

// settleLoad waits for the replicas of every shard that took rows of a load.
func (w *Warehouse) settleLoad(ctx context.Context, l *Load) error {
	if w.cluster == nil {
		return nil
	}
	doing := fmt.Sprintf("waiting for the replicas to have load %d", l.header.LoadID)
	errs := make([]error, len(l.lanes))
	var all sync.WaitGroup
	for i, lane := range l.lanes {
		if len(lane.sent) == 0 {
			continue
		}
		s := w.cluster.shards[i]
		g := group{name: fmt.Sprintf("shard %d", s.number), nodes: s.nodes}
		for table := range lane.sent {
			g.tables = append(g.tables, lane.to.table(table))
		}
		g.has = func(ctx context.Context, n *node) (bool, error) {
			for _, t := range schema.StoredTables() {
				var rows uint64
				if sent := lane.sent[t.Name]; sent > 0 {
					err := n.conn.QueryRow(ctx, heldRowsSQL(t, l.header)).Scan(&rows)
					if err != nil || rows != sent {
						return false, err
					}
				}
			}
			return true, nil
		}
		all.Go(func() { errs[i] = w.settle(ctx, g, doing) })
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// settleEverywhere waits for all servers to have rows of a table that each of
// them holds whole: so many as counted by sql.
func (w *Warehouse) settleEverywhere(ctx context.Context, doing, table, sql string, want int) error {
	if w.cluster == nil {
		return nil
	}
	return w.settle(ctx, group{
		name: "the cluster", nodes: w.cluster.nodes(), tables: []string{table}, harmless: true,
		has: func(ctx context.Context, n *node) (bool, error) {
			var have uint64
			err := n.conn.QueryRow(ctx, sql).Scan(&have)
			return have >= uint64(want), err //nolint:gosec // a count
		},
	}, doing)
}

// delay tells how far a server is behind with tables, in seconds, and whether it
// can write to them.
func (w *Warehouse) delay(ctx context.Context, p pools, tables []string) (seconds uint64, writable bool, err error) {
	var readOnly uint64
	err = p.admin.QueryRow(ctx, delaySQL(w.database, tables)).Scan(&seconds, &readOnly)
	return seconds, readOnly == 0, err
}

// newest asks the ledger's server for something in a table that all servers hold
// whole, once that one has all that is known of it.
func (w *Warehouse) newest(ctx context.Context, table string, ask func(context.Context) error) error {
	if w.cluster == nil {
		return ask(ctx)
	}
	if err := w.ledger.Ping(ctx); err != nil { // connects
		return err
	}
	dials := w.cluster.dials.dials.Load()
	delay, writable, err := w.delay(ctx, pools{admin: w.ledger}, []string{table})
	if err != nil {
		return err
	}
	if delay > 0 || !writable {
		// It may only miss what a dead server alone has, and what was never published.
		if err := w.asNewAsOthers(ctx, table); err != nil {
			return err
		}
	}
	if err := ask(ctx); err != nil {
		return err
	}
	if w.cluster.dials.dials.Load() != dials {
		return errMoved
	}
	return nil
}

// asNewAsOthers compares the ledger's server with all that answer.
func (w *Warehouse) asNewAsOthers(ctx context.Context, table string) error {
	var own uint64
	if err := w.ledger.QueryRow(ctx, countFinalSQL(table)).Scan(&own); err != nil {
		return err
	}
	for _, rows := range w.countEverywhere(ctx, table) {
		if rows > own {
			return errBehind
		}
	}
	return nil
}

// countEverywhere counts the rows of a table on all servers that answer.
func (w *Warehouse) countEverywhere(ctx context.Context, table string) map[*node]uint64 {
	counts := map[*node]uint64{}
	var mu sync.Mutex
	w.cluster.onEach(func(n *node) error {
		return w.within(ctx, nodeTimeout, func(ctx context.Context) error {
			var rows uint64
			if err := n.conn.QueryRow(ctx, countFinalSQL(table)).Scan(&rows); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			counts[n] = rows
			return nil
		})
	})
	return counts
}

// sameEverywhere is an error unless every server of the cluster answers and has
// the same rows of a table.
func (w *Warehouse) sameEverywhere(ctx context.Context, table, doing string) error {
	counts := w.countEverywhere(ctx, table)
	newest := slices.Max(append(slices.Collect(maps.Values(counts)), 0))
	var errs []error
	for _, n := range w.cluster.nodes() {
		switch rows, answered := counts[n]; {
		case !answered:
			errs = append(errs, fmt.Errorf("%s does not answer", n))
		case rows < newest:
			errs = append(errs, fmt.Errorf("%s: %w", n, errBehind))
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return &Error{
		Class: Busy, Doing: doing, Err: errors.Join(errs...),
		Hint: "nothing was deleted: that waits until every server of the cluster is back",
	}
}
