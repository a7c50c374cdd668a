package load

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/meterhouse/meterhouse/schema"
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
	batch, err := w.conn.PrepareBatch(w.insertContext(ctx, nil), insertSQL("pruned_loads",
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
	return fail(batch.Send(), doing)
}

// PrunedAt tells when prune chose a load, UTC; zero when it never did.
func (w *Warehouse) PrunedAt(ctx context.Context, loadID uint64) (time.Time, error) {
	var n uint64
	var at time.Time
	err := w.conn.QueryRow(ctx, prunedAtSQL(loadID)).Scan(&n, &at)
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
	for ids := range slices.Chunk(loadIDs, deleteLoads) {
		if err := w.conn.Exec(ctx, deleteLoadsSQL(table, ids)); err != nil {
			return fail(err, doing)
		}
	}
	return w.awaitMutations(ctx, table, doing)
}

// awaitMutations polls, because the settings that make a DELETE wait are not
// known to old servers and run into time-outs where it takes long.
func (w *Warehouse) awaitMutations(ctx context.Context, table, doing string) error {
	ticker := time.NewTicker(mutationPoll)
	defer ticker.Stop()
	for {
		var unfinished uint64
		var failed string
		if err := w.conn.QueryRow(ctx, mutationsSQL(table, w.atLeast(20, 1))).Scan(&unfinished, &failed); err != nil {
			return fail(err, doing)
		}
		switch {
		case failed != "":
			return &Error{
				Class: Invalid, Doing: doing, Err: errors.New(failed),
				Hint: "the server goes on trying by itself, system.mutations tells how far it is",
			}
		case unfinished == 0:
			return nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fail(context.Cause(ctx), doing)
		}
	}
}
