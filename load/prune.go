package load

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/meterhouse/meterhouse/schema"
)

// Tables that every server of a cluster holds whole.
const (
	ledgerTable     = "loads"
	prunedTable     = "pruned_loads"
	migrationsTable = "schema_migrations" // made by the first migration, records all of them
)

const (
	// deleteLoads is how many loads one DELETE names, to keep statements short.
	deleteLoads = 2_000
	// mutationPoll is how often a DELETE is asked whether it is through.
	mutationPoll = 200 * time.Millisecond
)

// MarkPruned writes down that the rows of the loads are about to be deleted, in
// one block. It comes before DeleteLoads, so that PrunedAt can tell.
func (w *Warehouse) MarkPruned(ctx context.Context, loads []schema.PrunedLoad) error {
	const doing = "marking loads as pruned"
	if len(loads) == 0 {
		return nil
	}
	batch, err := w.ledger.PrepareBatch(w.insertContext(ctx, nil), insertSQL(prunedTable,
		[]string{"load_id", "source", "feed", "day", "reason", "rows", "pruned_at", "host", "version"}))
	if err != nil {
		return fail(err, doing)
	}
	for _, l := range loads {
		err := batch.Append(l.LoadID, l.Source, l.Feed, l.Day.UTC(), l.Reason, l.Rows, l.PrunedAt.UTC(), l.Host, l.Version)
		if err != nil {
			return fail(errors.Join(err, batch.Abort()), doing)
		}
	}
	if err := batch.Send(); err != nil {
		return fail(err, doing)
	}
	ids := make([]uint64, len(loads))
	for i, l := range loads {
		ids[i] = l.LoadID
	}
	return w.settleEverywhere(ctx, doing, prunedTable, heldMarksSQL(ids), len(ids))
}

// PrunedAt tells when prune chose a load, UTC; zero when it never did.
func (w *Warehouse) PrunedAt(ctx context.Context, loadID uint64) (time.Time, error) {
	var n uint64
	var at time.Time
	err := w.newest(ctx, prunedTable, func(ctx context.Context) error {
		return w.ledger.QueryRow(ctx, prunedAtSQL(loadID)).Scan(&n, &at)
	})
	if err != nil || n == 0 {
		return time.Time{}, fail(err, "asking whether a load was pruned")
	}
	return at.UTC(), nil
}

// DeleteLoads deletes the rows of loads from one table and waits until the server
// has done so. A server that was told goes on when ctx ends. Nothing is deleted
// by partition: a load that is being inserted would lose its rows with it.
func (w *Warehouse) DeleteLoads(ctx context.Context, table string, loadIDs []uint64) error {
	doing := fmt.Sprintf("deleting loads from %s", table)
	if w.cluster != nil {
		return w.deleteEverywhere(ctx, table, loadIDs, doing)
	}
	for ids := range slices.Chunk(loadIDs, deleteLoads) {
		if err := w.conn.Exec(ctx, deleteLoadsSQL(table, ids)); err != nil {
			return fail(err, doing)
		}
	}
	return w.awaitMutations(ctx, table, doing)
}

// deleteEverywhere does so on every server of a cluster, and only when all of
// them have the newest ledger: one that comes back with an old one would show old
// versions, whose rows are gone elsewhere.
func (w *Warehouse) deleteEverywhere(ctx context.Context, table string, loadIDs []uint64, doing string) error {
	if err := w.sameEverywhere(ctx, ledgerTable, doing); err != nil {
		return err
	}
	table += localSuffix
	for ids := range slices.Chunk(loadIDs, deleteLoads) {
		for _, s := range w.cluster.shards {
			n, err := w.writable(ctx, s, 0)
			if err == nil {
				err = n.conn.Exec(ctx, deleteLoadsSQL(table, ids))
			}
			if err != nil {
				return fail(err, doing)
			}
		}
		for _, n := range w.cluster.nodes() {
			if err := w.awaitGone(ctx, n, table, ids, doing); err != nil {
				return err
			}
		}
	}
	return nil
}

// awaitGone looks for the rows: a replica may not have heard of the mutation yet.
func (w *Warehouse) awaitGone(ctx context.Context, n *node, table string, loadIDs []uint64, doing string) error {
	return w.poll(ctx, fmt.Sprintf("%s on %s", doing, n), func() (bool, string, error) {
		var remaining, unfinished uint64
		var failed string
		err := n.conn.QueryRow(ctx, remainingSQL(table, loadIDs)).Scan(&remaining)
		if err == nil && remaining > 0 {
			err = n.conn.QueryRow(ctx, mutationsSQL(table, w.atLeast(20, 1))).Scan(&unfinished, &failed)
		}
		return remaining == 0, failed, err
	})
}

// awaitMutations asks again and again, because the settings that make a DELETE
// wait are not known to old servers and run into time-outs where it takes long.
func (w *Warehouse) awaitMutations(ctx context.Context, table, doing string) error {
	return w.poll(ctx, doing, func() (bool, string, error) {
		var unfinished uint64
		var failed string
		err := w.conn.QueryRow(ctx, mutationsSQL(table, w.atLeast(20, 1))).Scan(&unfinished, &failed)
		return unfinished == 0, failed, err
	})
}

// poll asks until a DELETE is through, or it is known why it fails.
func (w *Warehouse) poll(ctx context.Context, doing string, ask func() (done bool, failed string, err error)) error {
	for {
		done, failed, err := ask()
		switch {
		case err != nil:
			return fail(err, doing)
		case failed != "":
			return &Error{
				Class: Invalid, Doing: doing, Err: errors.New(failed),
				Hint: "the server goes on trying by itself, system.mutations tells how far it is",
			}
		case done:
			return nil
		}
		if !after(ctx, mutationPoll) {
			return fail(context.Cause(ctx), doing)
		}
	}
}
