package load

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

const (
	// settleTimeout is how long replicas may take to have what was written. It
	// outlasts the 30 s after which ZooKeeper gives a silent server up.
	settleTimeout = 75 * time.Second
	// syncTimeout bounds one try to have a replica catch up.
	syncTimeout = 15 * time.Second
	// settlePause is between two looks at replicas that have not caught up.
	settlePause = 250 * time.Millisecond
	// deadPause is how long we wait after ZooKeeper has given a replica up. By then
	// the replica itself has noticed and says that it is behind to whoever asks, and
	// so does one that has just come back: both count in whole seconds.
	deadPause = 5 * time.Second
)

// group is some tables, and the servers that hold the same rows of them.
type group struct {
	name   string // for errors: "shard 1"
	nodes  []*node
	tables []string
}

// everywhere is a group of tables that every server holds whole.
func (c *cluster) everywhere(tables ...string) group {
	return group{"the cluster", c.nodes(), tables}
}

// settle returns when every live replica has all rows of the tables that are
// acknowledged by now. A replica that cannot be reached is dead when ZooKeeper
// says so, too. One that lives and cannot be reached is an error: readers may
// reach it.
func (w *Warehouse) settle(ctx context.Context, g group, doing string) error {
	limited, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	tried := make(chan syncTry)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	for _, n := range g.nodes {
		running.Go(func() { w.keepSyncing(limited, n, g.tables, tried) })
	}
	ticker := time.NewTicker(settlePause)
	defer ticker.Stop()
	why := map[*node]error{} // of the replicas that have not caught up
	for _, n := range g.nodes {
		why[n] = errors.New("no answer yet")
	}
	began := time.Now()
	var synced []*node
	var live uint64 // what ZooKeeper said last
	for {
		select {
		case t := <-tried:
			why[t.node] = t.err
			if t.err == nil {
				delete(why, t.node)
				w.cluster.deaths.live(t.node)
				synced = append(synced, t.node)
			}
			if len(why) > 0 {
				continue
			}
		case <-ticker.C:
		case <-limited.Done():
			if errors.Is(ctx.Err(), context.Canceled) {
				return fail(context.Cause(ctx), doing)
			}
			return g.unsettled(doing, len(synced), live, time.Since(began), why)
		}
		for _, n := range synced {
			count, err := w.liveReplicas(limited, n, g.tables)
			if err != nil {
				continue
			}
			if live = count; live <= uint64(len(synced)) {
				return w.outliveDead(ctx, why, doing)
			}
			break
		}
	}
}

// outliveDead waits until replicas that are thought dead know it themselves.
func (w *Warehouse) outliveDead(ctx context.Context, away map[*node]error, doing string) error {
	pause := w.cluster.deaths.pause(away, time.Now())
	if pause <= 0 {
		return nil
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fail(context.Cause(ctx), doing)
	}
}

// deaths remembers which servers were found dead, so that only the first load
// after that has to wait.
type deaths struct {
	mu    sync.Mutex
	found map[*node]death
}

// death is when a server was found dead first, and last.
type death struct{ first, last time.Time }

// pause notes that servers were found dead, and is how long to wait because of
// them. A server that was not looked at for a while may have lived meanwhile.
func (d *deaths) pause(away map[*node]error, now time.Time) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.found == nil {
		d.found = map[*node]death{}
	}
	var pause time.Duration
	for n := range away {
		known, ok := d.found[n]
		if !ok || now.Sub(known.last) > deadPause {
			known.first = now
		}
		known.last = now
		d.found[n] = known
		pause = max(pause, known.first.Add(deadPause).Sub(now))
	}
	return pause
}

// live notes that a server has answered.
func (d *deaths) live(n *node) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.found, n)
}

// unsettled says which replicas are in the way.
func (g group) unsettled(doing string, synced int, live uint64, after time.Duration, why map[*node]error) error {
	errs := []error{fmt.Errorf("%s: %d of %d replicas have the rows after %s", g.name, synced, len(g.nodes), after.Round(time.Second))}
	if synced > 0 {
		errs = append(errs, fmt.Errorf("ZooKeeper counts %d that live", live))
	}
	for n, err := range why {
		errs = append(errs, fmt.Errorf("%s: %w", n, err))
	}
	return &Error{
		Class: Busy, Doing: doing, Err: errors.Join(errs...),
		Hint: "bring the replica back, or stop it: one that is down does not hold up loads, one that lives and cannot be reached from here does",
	}
}

// syncTry is how a try to have a replica catch up went.
type syncTry struct {
	node *node
	err  error
}

// keepSyncing tries until the replica has caught up, and tells of every try.
func (w *Warehouse) keepSyncing(ctx context.Context, n *node, tables []string, tried chan<- syncTry) {
	for {
		err := w.syncReplicas(ctx, n.admin, tables)
		select {
		case tried <- syncTry{n, err}:
		case <-ctx.Done():
			return
		}
		if err == nil {
			return
		}
		timer := time.NewTimer(settlePause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// syncReplicas returns when the server has all that the other replicas have.
func (w *Warehouse) syncReplicas(ctx context.Context, conn driver.Conn, tables []string) error {
	// The server itself gives up after the setting, which is in seconds.
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"receive_timeout": int(syncTimeout.Seconds())}))
	for _, t := range tables {
		err := w.within(ctx, syncTimeout, func(ctx context.Context) error { return conn.Exec(ctx, syncReplicaSQL(w.database, t)) })
		if err != nil {
			return cause(err)
		}
	}
	return nil
}

// liveReplicas asks ZooKeeper, through a replica, how many of them live.
func (w *Warehouse) liveReplicas(ctx context.Context, n *node, tables []string) (uint64, error) {
	var live, connected uint64
	err := w.within(ctx, nodeTimeout, func(ctx context.Context) error {
		return n.admin.QueryRow(ctx, liveReplicasSQL(w.database, tables)).Scan(&live, &connected)
	})
	if err == nil && connected < uint64(len(tables)) {
		err = errReadOnly
	}
	return live, err
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
		var tables []string
		for t := range lane.sent {
			tables = append(tables, lane.to.table(t))
		}
		if len(tables) > 0 {
			s := w.cluster.shards[i]
			all.Go(func() { errs[i] = w.settle(ctx, group{fmt.Sprintf("shard %d", s.number), s.nodes, tables}, doing) })
		}
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// settleEverywhere waits for all servers to have the tables that each of them
// holds whole.
func (w *Warehouse) settleEverywhere(ctx context.Context, doing string, tables ...string) error {
	if w.cluster == nil {
		return nil
	}
	return w.settle(ctx, w.cluster.everywhere(tables...), doing)
}

// newest has the ledger's server catch up with the tables before it is asked.
func (w *Warehouse) newest(ctx context.Context, ask func(context.Context) error, tables ...string) error {
	if w.cluster == nil {
		return ask(ctx)
	}
	if err := w.ledger.Ping(ctx); err != nil { // connects
		return err
	}
	dials := w.cluster.dials.dials.Load()
	if err := w.syncReplicas(ctx, w.ledger, tables); err != nil {
		return err
	}
	if err := ask(ctx); err != nil {
		return err
	}
	if w.cluster.dials.dials.Load() != dials {
		return errMoved
	}
	return nil
}
