package load_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/load"
	"github.com/meterhouse/meterhouse/schema"
)

// expected are the migrations that apply to the server under test.
func expected() []string {
	var names []string
	for _, m := range schema.Migrations() {
		if slices.Contains(expectedSets(), m.Set) {
			names = append(names, m.Name)
		}
	}
	return names
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	w := open(t, newDatabase(t))

	states, err := w.Migrations(t.Context())
	require.NoError(t, err, "showing what would be done needs no database")
	for _, s := range states {
		require.NotEqual(t, load.Applied, s.State, s.Name)
		require.NotEmpty(t, s.SQL)
	}
	var missing *load.SchemaError
	require.ErrorAs(t, w.CheckSchema(t.Context()), &missing)
	require.Equal(t, expected(), missing.Pending)
	require.ErrorContains(t, missing, "meterhouse migrate")

	applied, err := w.Migrate(t.Context())
	require.NoError(t, err)
	require.Equal(t, expected(), applied)
	require.NoError(t, w.CheckSchema(t.Context()))

	again, err := w.Migrate(t.Context())
	require.NoError(t, err)
	require.Empty(t, again, "what is applied is not applied again")

	states, err = w.Migrations(t.Context())
	require.NoError(t, err)
	for _, s := range states {
		if slices.Contains(expectedSets(), s.Set) {
			require.Equal(t, load.Applied, s.State, s.Name)
			require.False(t, s.AppliedAt.IsZero(), s.Name)
		} else {
			require.Equal(t, load.NotHere, s.State, s.Name)
		}
	}
}

// TestMigrateAtOnce lets several processes migrate the same new database.
func TestMigrateAtOnce(t *testing.T) {
	t.Parallel()
	o := newDatabase(t)
	var all sync.WaitGroup
	errs := make([]error, 3)
	for i := range errs {
		w := open(t, o)
		all.Go(func() { _, errs[i] = w.Migrate(t.Context()) })
	}
	all.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	require.NoError(t, open(t, o).CheckSchema(t.Context()))
}

func TestSchemaOfAnotherProgram(t *testing.T) {
	t.Parallel()
	const insert = "INSERT INTO schema_migrations (name, checksum, applied_at) SELECT '%s', '%s', toDateTime('2020-01-01 00:00:00')"
	for name, test := range map[string]struct {
		row      string
		wantText string
		want     load.SchemaError
	}{
		"an applied migration has another text here": {
			row:      "core/0002_loads",
			want:     load.SchemaError{Changed: []string{"core/0002_loads"}},
			wantText: "differ",
		},
		"a newer program migrated": {
			row:      "core/9999_future",
			want:     load.SchemaError{TooNew: []string{"core/9999_future"}},
			wantText: "newer meterhouse",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newDatabase(t)
			w := migrated(t, o)
			exec(t, o, fmt.Sprintf(insert, test.row, strings.Repeat("0", 64)))

			err := w.CheckSchema(t.Context())
			var wrong *load.SchemaError
			require.ErrorAs(t, err, &wrong)
			test.want.Database = o.Database
			require.Equal(t, test.want, *wrong)
			require.ErrorContains(t, err, test.wantText)

			_, err = w.Migrate(t.Context())
			require.ErrorAs(t, err, &wrong, "nothing may be applied on top of it")
		})
	}
}

// TestColumns holds the columns that are sent to the columns of the tables, and
// every column to having a comment.
func TestColumns(t *testing.T) {
	t.Parallel()
	o := newDatabase(t)
	w := migrated(t, o)
	for table, columns := range load.Columns() {
		for i := range columns { // as TSV writes it
			columns[i] = strings.ReplaceAll(columns[i], "'", `\'`)
		}
		require.Equal(t, columns, rows(t, w, "SELECT name, type FROM system.columns WHERE database = '"+o.Database+"' AND table = '"+table+"'"), table)
	}
	require.Equal(t, load.LedgerColumns(), rows(t, w, "SELECT name FROM system.columns WHERE database = '"+o.Database+"' AND table = 'loads'"))
	require.Empty(t, rows(t, w, "SELECT table, name FROM system.columns WHERE database = '"+o.Database+
		"' AND comment = '' AND table IN (SELECT name FROM system.tables WHERE database = '"+o.Database+"' AND engine LIKE '%MergeTree')"),
		"columns without a comment")
}
