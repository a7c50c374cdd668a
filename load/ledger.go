package load

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/meterhouse/meterhouse/schema"
)

// LedgerQuery says which part of the ledger to read. Zero values mean all.
type LedgerQuery struct {
	Source   string
	Feeds    []string
	From, To schema.Day // both inclusive
}

func ledgerColumns() []string {
	return []string{
		"load_id", "run_id", "source", "kind", "feed", "day", "status", "reason",
		"rows", "rejects", "requests", "bytes", "content_hash", "source_as_of", "partial",
		"previous_load_id", "started_at", "finished_at", "published_seq", "host", "version",
	}
}

// Ledger reads the ledger, ordered by source, feed, day, load id and
// publication. A row that was written twice comes once.
func (w *Warehouse) Ledger(ctx context.Context, q LedgerQuery) ([]schema.Load, error) {
	var loads []schema.Load
	err := w.again(ctx, w.readTimeout, "reading the ledger", func(ctx context.Context) error {
		return w.newest(ctx, ledgerTable, func(ctx context.Context) (err error) {
			loads, err = w.readLoads(ctx, q)
			return err
		})
	})
	return loads, err
}

func (w *Warehouse) readLoads(ctx context.Context, q LedgerQuery) ([]schema.Load, error) {
	rows, err := w.ledger.Query(ctx, ledgerSQL(q))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var loads []schema.Load
	for rows.Next() {
		l, err := scanLoad(rows)
		if err != nil {
			return nil, err
		}
		loads = append(loads, l)
	}
	return loads, rows.Err()
}

func scanLoad(rows driver.Rows) (schema.Load, error) {
	var l schema.Load
	var day time.Time
	var status string
	err := rows.Scan(
		&l.LoadID, &l.RunID, &l.Source, &l.Kind, &l.Feed, &day, &status, &l.Reason,
		&l.Rows, &l.Rejects, &l.Requests, &l.Bytes, &l.ContentHash, &l.SourceAsOf, &l.Partial,
		&l.PreviousLoadID, &l.StartedAt, &l.FinishedAt, &l.PublishedSeq, &l.Host, &l.Version,
	)
	l.Day, l.Status = schema.DayOf(day, time.UTC), schema.Status(status)
	l.StartedAt, l.FinishedAt = l.StartedAt.UTC(), l.FinishedAt.UTC()
	if l.SourceAsOf.Valid {
		l.SourceAsOf.V = l.SourceAsOf.V.UTC()
	}
	return l, err
}

// NextSeq is the number that follows those of all publications so far. A load
// takes it for its PublishedSeq before it asks its source: whoever asked last then
// has the higher number, or the same one and the higher load id, and wins, also if
// another load of the slice, with an older answer, is published after it.
func (w *Warehouse) NextSeq(ctx context.Context) (uint64, error) {
	var seq uint64
	err := w.again(ctx, ledgerTimeout, "numbering a load", func(ctx context.Context) error {
		return w.newest(ctx, ledgerTable, func(ctx context.Context) error {
			return w.ledger.QueryRow(ctx, maxPublishedSeqSQL).Scan(&seq)
		})
	})
	return seq + 1, err
}

// Record writes ledger rows, all in one block, so that readers see either none
// or all of them: this is what publishes. Before that it numbers the loads whose
// status publishes and that have no PublishedSeq yet, in place: those that an
// operator publishes. Their numbers are above what NextSeq gave to any load that
// is still in hand, so that the operator's word stands.
//
// While the server is unreachable or busy it tries again, for as long as the
// warehouse's patience lasts, and on a cluster it returns when every server that
// lives has the rows. It may be called again with the same loads: they
// keep their numbers, so that a row that did arrive is written once more as the
// same row.
func (w *Warehouse) Record(ctx context.Context, loads []schema.Load) error {
	if len(loads) == 0 {
		return nil
	}
	doing := fmt.Sprintf("writing %d rows to the ledger", len(loads))
	err := w.again(ctx, ledgerTimeout, doing, func(ctx context.Context) error {
		return w.newest(ctx, ledgerTable, func(ctx context.Context) error { return w.numberPublications(ctx, loads) })
	})
	if err != nil {
		return err
	}
	err = w.again(ctx, ledgerTimeout, doing, func(ctx context.Context) error { return w.insertLoads(ctx, loads) })
	if err != nil {
		return err
	}
	// A server that is lost for good must not take publications with it.
	return w.settleEverywhere(ctx, doing, ledgerTable, heldLoadsSQL(loads), distinct(loads))
}

// distinct counts rows that are one row to the ledger once.
func distinct(loads []schema.Load) int {
	rows := map[[2]uint64]bool{}
	for _, l := range loads {
		rows[[2]uint64{l.LoadID, l.PublishedSeq}] = true
	}
	return len(rows)
}

func (w *Warehouse) insertLoads(ctx context.Context, loads []schema.Load) error {
	batch, err := w.ledger.PrepareBatch(w.insertContext(ctx, nil), insertSQL(ledgerTable, ledgerColumns()))
	if err != nil {
		return err
	}
	for i := range loads {
		if err := appendLoad(batch, &loads[i]); err != nil {
			return errors.Join(err, batch.Abort())
		}
	}
	return batch.Send()
}

func (w *Warehouse) numberPublications(ctx context.Context, loads []schema.Load) error {
	var seq uint64
	if err := w.ledger.QueryRow(ctx, maxPublishedSeqSQL).Scan(&seq); err != nil {
		return err
	}
	seq++ // the loads in hand have that one, or a lower one
	for i := range loads {
		switch {
		case !loads[i].Status.Publishes():
			loads[i].PublishedSeq = 0
		case loads[i].PublishedSeq == 0:
			seq++
			loads[i].PublishedSeq = seq
		}
	}
	return nil
}

func appendLoad(batch driver.Batch, l *schema.Load) error {
	hash := l.ContentHash
	if hash == "" {
		hash = schema.NoContent
	}
	var asOf *time.Time
	if l.SourceAsOf.Valid {
		asOf = &l.SourceAsOf.V
	}
	return batch.Append(
		l.LoadID, l.RunID, l.Source, l.Kind, l.Feed, l.Day.UTC(), string(l.Status), l.Reason,
		l.Rows, l.Rejects, l.Requests, l.Bytes, hash, asOf, l.Partial,
		l.PreviousLoadID, l.StartedAt.UTC(), l.FinishedAt.UTC(), l.PublishedSeq, l.Host, l.Version,
	)
}
