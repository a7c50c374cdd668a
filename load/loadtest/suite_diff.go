package loadtest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/load"
	"github.com/meterhouse/meterhouse/schema"
)

// DiffLines writes the rows of a diff as "change key: column old -> new, ...".
func DiffLines(t *testing.T, w *load.Warehouse, d load.Diff) []string {
	t.Helper()
	c, ok := schema.CompareBy(d.Kind)
	require.True(t, ok)
	var lines []string
	require.NoError(t, w.DiffRows(t.Context(), d, func(r load.DiffRow) error {
		require.Len(t, r.Key, len(c.Key))
		var values []string
		for i, column := range c.Values {
			before, after := at(r.Old, i), at(r.New, i)
			if r.Change == load.RowChanged && before != after {
				values = append(values, fmt.Sprintf("%s %s -> %s", column.Name, before, after))
			}
		}
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s: %s", r.Change, strings.Join(r.Key, " "), strings.Join(values, ", "))))
		return nil
	}))
	return lines
}

func at(values []*string, i int) string {
	switch {
	case values == nil:
		return "-"
	case values[i] == nil:
		return "NULL"
	default:
		return *values[i]
	}
}

// diffOfLicenseUsage changes, adds and removes rows, and leaves some alone.
func (on Harness) diffOfLicenseUsage(t *testing.T) {
	w := Migrated(t, on.Database(t))
	s := Slice("it's", 1)
	renamed, unknown := Usage(5, 1, 1), Usage(6, 1, 1)
	renamed.Server.Name = "renamed"
	unknown.Server.Cores.Valid = false
	from, _ := Store(t, w, s, Usage(1, 1, 100), Usage(1, 2, 50), Usage(2, 1, 7), Usage(5, 1, 1), Usage(6, 1, 1))
	to, _ := Store(t, w, s, Usage(6, 1, 2), Usage(3, 1, 9), renamed, Usage(1, 2, 50), Usage(1, 1, 120))
	null, _ := Store(t, w, s, unknown)
	d := load.Diff{Kind: schema.KindBigFix, Slice: s, From: from, To: to}

	counts, err := w.DiffCounts(t.Context(), d)
	require.NoError(t, err)
	require.Equal(t, load.DiffCounts{Added: 1, Removed: 1, Changed: 3, Unchanged: 1}, counts)
	require.Equal(t, []string{
		"changed 1 4 0 1: hwm_quantity 100 -> 120, hwm_cores 10 -> 12",
		"removed 2 4 0 1:",
		"added 3 4 0 1:",
		"changed 5 4 0 1: server_name server-1 -> renamed",
		"changed 6 4 0 1: hwm_quantity 1 -> 2",
	}, DiffLines(t, w, d))

	d.From = null
	require.Contains(t, DiffLines(t, w, d), "changed 6 4 0 1: server_cores NULL -> 8, hwm_quantity 1 -> 2")
}

// diffEndsWithItsTaker hands the taker's error on, and reads no further.
func (on Harness) diffEndsWithItsTaker(t *testing.T) {
	w := Migrated(t, on.Database(t))
	from, _ := Store(t, w, Slice("bfi", 1), Usage(1, 1, 100), Usage(2, 1, 100), Usage(4, 1, 5))
	to, _ := Store(t, w, Slice("bfi", 1), Usage(3, 1, 100), Usage(4, 1, 6))
	enough := errors.New("enough")
	for limit := 1; limit <= 4; limit++ {
		n := 0
		err := w.DiffRows(t.Context(), load.Diff{Kind: schema.KindBigFix, Slice: Slice("bfi", 1), From: from, To: to}, func(load.DiffRow) error {
			if n++; n == limit {
				return enough
			}
			return nil
		})
		require.Equal(t, enough, err)
		require.Equal(t, limit, n)
	}
}

func (on Harness) diffOfNoKind(t *testing.T) {
	w := Migrated(t, on.Database(t))
	_, err := w.DiffCounts(t.Context(), load.Diff{Kind: "excel"})
	require.ErrorContains(t, err, `no kind of source "excel"`)
}
