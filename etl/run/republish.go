package run

import (
	"context"
	"fmt"
	"time"

	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/schema"
)

// Versions is what publishing an existing load again needs of the warehouse.
type Versions interface {
	// VerifyStored fails when the warehouse does not hold all that the ledger row
	// says of a load.
	VerifyStored(ctx context.Context, l schema.Load) error
	// PrunedAt is when prune chose the load, zero when it never did.
	PrunedAt(ctx context.Context, loadID uint64) (time.Time, error)
	// Record is as in Warehouse.
	Record(ctx context.Context, loads []schema.Load) error
}

// Republish publishes an existing load again, if it is still there, whole. It
// returns the ledger row as it was recorded.
//
// A prune may run at the same moment. It marks a load, reads the ledger once
// more and deletes only what nobody published; here the load is published and
// then looked at once more for a mark. So one of the two sees the other: a load
// that was marked in between is not left to readers.
func Republish(ctx context.Context, w Versions, v plan.Version) (schema.Load, error) {
	id := v.Row.LoadID
	if err := StillStored(ctx, w, v.Row); err != nil {
		return schema.Load{}, err
	}
	ctx = context.WithoutCancel(ctx) // from here on it is seconds, and both steps belong together
	rows := []schema.Load{v.Row}
	if err := record(ctx, w, rows); err != nil {
		return schema.Load{}, fmt.Errorf("whether load %d was published is not known (`meterhouse status` tells, and doing it again is harmless): %w", id, err)
	}
	why := notPruned(ctx, w, id)
	if why == nil {
		return rows[0], nil
	}
	undo, ok := v.Undo(why.Error(), v.Row.FinishedAt)
	if !ok {
		return schema.Load{}, fmt.Errorf("readers see load %d, which may be incomplete and is the only version of its day; pull the day again: %w", id, why)
	}
	if err := record(ctx, w, []schema.Load{undo}); err != nil {
		return schema.Load{}, fmt.Errorf("readers see load %d, which may be incomplete, and going back to load %d did not work (%w); roll it back: %w", id, undo.LoadID, err, why)
	}
	return schema.Load{}, fmt.Errorf("load %d stays what readers see: %w", undo.LoadID, why)
}

// StillStored fails when rows of a load are gone.
func StillStored(ctx context.Context, w Versions, l schema.Load) error {
	if err := notPruned(ctx, w, l.LoadID); err != nil {
		return err
	}
	return w.VerifyStored(ctx, l) //nolint:wrapcheck // says what is missing
}

// notPruned fails when prune has chosen the load, or nobody can tell.
func notPruned(ctx context.Context, w Versions, loadID uint64) error {
	at, err := w.PrunedAt(ctx, loadID)
	if err != nil {
		return err //nolint:wrapcheck // says what was asked
	}
	if !at.IsZero() {
		return fmt.Errorf("load %d was pruned at %s UTC, its rows are gone", loadID, at.UTC().Format(time.DateTime))
	}
	return nil
}
