package run_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/etl/run"
	"github.com/meterhouse/meterhouse/schema"
)

func TestPruneReport(t *testing.T) {
	t.Parallel()
	s := newShelf()
	s.tables[1].Loads = []schema.StoredLoad{{LoadID: 1, Slice: shelfSlice, Rows: 3}}
	s.tables[1].Bytes = 90

	dry, err := run.PlanPrune(t.Context(), s, plan.Retention{Now: time.Unix(10, 0)})
	require.NoError(t, err)
	require.Equal(t, []plan.Prunable{{StoredLoad: schema.StoredLoad{LoadID: 1, Slice: shelfSlice, Rows: 13}, Why: "superseded"}}, dry.Loads)
	require.Len(t, dry.Tables, 2)
	for i, want := range []run.PrunedTable{{Name: "facts", Loads: 1, Rows: 10, Bytes: 333}, {Name: "rejects", Loads: 1, Rows: 3, Bytes: 90}} {
		require.Equal(t, [...]any{want.Name, want.Loads, want.Rows, want.Bytes},
			[...]any{dry.Tables[i].Name, dry.Tables[i].Loads, dry.Tables[i].Rows, dry.Tables[i].Bytes})
	}
	require.Len(t, s.tables[0].Loads, 2, "a plan deletes nothing")
	require.Empty(t, s.marks)

	done, err := s.prune(t.Context())
	require.NoError(t, err)
	require.Equal(t, dry, done)
	require.Len(t, s.tables[0].Loads, 1)
	require.Empty(t, s.tables[1].Loads)
	require.Contains(t, s.marks, uint64(1))

	again, err := s.prune(t.Context())
	require.NoError(t, err)
	require.Empty(t, again.Loads)
}

// TestPruneAfterAFailure goes on where the one before ended, and never deletes
// before it has written down what.
func TestPruneAfterAFailure(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"list", "read the ledger", "mark", "delete"} {
		s := newShelf()
		s.fail[step] = errors.New("no answer")
		_, err := s.prune(t.Context())
		require.ErrorContains(t, err, "no answer")
		if step != "delete" {
			require.Len(t, s.tables[0].Loads, 2, step)
		}
		s.fail = nil
		_, err = s.prune(t.Context())
		require.NoError(t, err)
		require.Len(t, s.tables[0].Loads, 1)
		s.requireWhole(t)
	}
}
