package run_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/etl/run"
	"github.com/meterhouse/meterhouse/schema"
)

// shelf is a ledger, marks and rows in memory. between is called after each step
// of the work under test, with its name: there the other party has its turn.
type shelf struct {
	ledger  []schema.Load
	tables  []schema.StoredTable
	marks   map[uint64]time.Time
	between func(step string)
	fail    map[string]error // by step
}

func (s *shelf) step(name string) error {
	if s.between != nil {
		s.between(name)
	}
	return s.fail[name]
}

func (s *shelf) VerifyStored(_ context.Context, l schema.Load) error {
	for _, t := range s.tables {
		for _, stored := range t.Loads {
			if stored.LoadID == l.LoadID && stored.Rows == l.Rows {
				return s.step("verify")
			}
		}
	}
	return errors.New("rows are missing")
}

func (s *shelf) PrunedAt(_ context.Context, id uint64) (time.Time, error) {
	at := s.marks[id]
	return at, s.step("look for a mark")
}

func (s *shelf) Record(_ context.Context, loads []schema.Load) error {
	for i := range loads {
		loads[i].PublishedSeq = uint64(len(s.ledger)) + 1
		s.ledger = append(s.ledger, loads[i])
	}
	return s.step("record")
}

func (s *shelf) Stored(context.Context) ([]schema.StoredTable, error) {
	return s.tables, s.step("list")
}

func (s *shelf) AllLoads(context.Context) ([]schema.Load, error) {
	ledger := append([]schema.Load(nil), s.ledger...)
	return ledger, s.step("read the ledger")
}

func (s *shelf) MarkPruned(_ context.Context, loads []schema.PrunedLoad) error {
	for _, l := range loads {
		s.marks[l.LoadID] = l.PrunedAt
	}
	return s.step("mark")
}

func (s *shelf) DeleteLoads(_ context.Context, table string, ids []uint64) error {
	for i, t := range s.tables {
		if t.Name != table {
			continue
		}
		var left []schema.StoredLoad
		for _, l := range t.Loads {
			gone := false
			for _, id := range ids {
				gone = gone || id == l.LoadID
			}
			if !gone {
				left = append(left, l)
			}
		}
		s.tables[i].Loads = left
	}
	return s.step("delete")
}

var shelfSlice = schema.Slice{Source: "bfi", Feed: "default", Day: 20543}

// newShelf holds a superseded load 1 and the load 2 that readers see.
func newShelf() *shelf {
	s := &shelf{marks: map[uint64]time.Time{}, fail: map[string]error{}}
	table := schema.StoredTable{Name: "facts", Bytes: 1000}
	for id := uint64(1); id <= 2; id++ {
		s.ledger = append(s.ledger, schema.Load{
			LoadID: id, Slice: shelfSlice, Status: schema.Published, PublishedSeq: id, Rows: 10 * id, FinishedAt: time.Unix(int64(id), 0),
		})
		table.Loads = append(table.Loads, schema.StoredLoad{LoadID: id, Slice: shelfSlice, Rows: 10 * id})
	}
	s.tables = []schema.StoredTable{table, {Name: "rejects"}}
	return s
}

func (s *shelf) rollback(ctx context.Context) (schema.Load, error) {
	v, err := plan.Rollback(s.ledger, plan.Publication{Slice: shelfSlice, Note: "wrong", Now: time.Unix(3, 0)})
	if err != nil {
		return schema.Load{}, err
	}
	return run.Republish(ctx, s, v)
}

func (s *shelf) prune(ctx context.Context) (run.PruneReport, error) {
	r := plan.Retention{Now: time.Unix(10, 0)}
	chosen, err := run.PlanPrune(ctx, s, r)
	if err != nil {
		return chosen, err
	}
	return run.Prune(ctx, s, r, chosen, schema.PrunedLoad{PrunedAt: r.Now})
}

// requireWhole holds the promise: what readers see is there.
func (s *shelf) requireWhole(t *testing.T) {
	t.Helper()
	s.between, s.fail = nil, nil
	require.NoError(t, s.VerifyStored(t.Context(), *plan.Current(s.ledger, shelfSlice)))
}

func TestRepublish(t *testing.T) {
	t.Parallel()
	s := newShelf()
	row, err := s.rollback(t.Context())
	require.NoError(t, err)
	require.Equal(t, schema.RolledBack, row.Status)
	require.EqualValues(t, 3, row.PublishedSeq)
	require.EqualValues(t, 1, plan.Current(s.ledger, shelfSlice).LoadID)
	s.requireWhole(t)

	s = newShelf()
	s.tables[0].Loads[0].Rows-- // one row is gone
	_, err = s.rollback(t.Context())
	require.ErrorContains(t, err, "rows are missing")
	require.Len(t, s.ledger, 2)

	s = newShelf()
	s.marks[1] = time.Unix(0, 0)
	_, err = s.rollback(t.Context())
	require.ErrorContains(t, err, "load 1 was pruned at 1970-01-01 00:00:00 UTC")
	require.Len(t, s.ledger, 2)

	s = newShelf()
	s.fail["look for a mark"] = errors.New("no answer")
	_, err = s.rollback(t.Context())
	require.ErrorContains(t, err, "no answer")
	require.Len(t, s.ledger, 2, "nobody knows whether its rows are there")
}

// TestRepublishOfTheOnlyVersion cannot go back, and says so loudly.
func TestRepublishOfTheOnlyVersion(t *testing.T) {
	t.Parallel()
	s := newShelf()
	s.ledger = s.ledger[:1]
	s.ledger[0].Status, s.ledger[0].PublishedSeq = schema.Refused, 0
	v, err := plan.Accept(s.ledger, plan.Publication{Slice: shelfSlice, Note: "right", Now: time.Unix(3, 0)})
	require.NoError(t, err)
	s.at("verify", 1, func() { s.marks[1] = time.Unix(0, 0) })
	_, err = run.Republish(t.Context(), s, v)
	require.ErrorContains(t, err, "which may be incomplete and is the only version of its day; pull the day again")
}

// TestRepublishGoesOnWhenInterrupted: once the ledger may have the row, an
// interrupt does not keep it from being looked at again.
func TestRepublishGoesOnWhenInterrupted(t *testing.T) {
	t.Parallel()
	s := newShelf()
	ctx, cancel := context.WithCancel(t.Context())
	s.between = func(step string) {
		if step == "record" {
			cancel()
		}
	}
	_, err := s.rollback(ctx)
	require.NoError(t, err)
	s.requireWhole(t)
}

// TestPruneAndRollbackAtOnce has a whole prune happen between any two steps of a
// rollback, and the other way round.
func TestPruneAndRollbackAtOnce(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"look for a mark", "verify", "record"} {
		for nth := 1; nth <= 2; nth++ {
			s := newShelf()
			s.at(at, nth, func() {
				_, err := s.prune(t.Context())
				require.NoError(t, err)
			})
			_, err := s.rollback(t.Context())
			t.Logf("prune after %q number %d: %v", at, nth, err)
			s.requireWhole(t)
		}
	}
	for _, at := range []string{"list", "read the ledger", "mark", "delete"} {
		for nth := 1; nth <= 2; nth++ {
			s := newShelf()
			s.at(at, nth, func() {
				_, err := s.rollback(t.Context())
				t.Logf("rollback after %q number %d: %v", at, nth, err)
			})
			_, err := s.prune(t.Context())
			require.NoError(t, err)
			s.requireWhole(t)
		}
	}
}

// at calls do after the nth step of that name.
func (s *shelf) at(name string, nth int, do func()) {
	s.between = func(step string) {
		if step != name {
			return
		}
		if nth--; nth == 0 {
			s.between = nil
			do()
		}
	}
}
