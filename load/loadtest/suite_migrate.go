package loadtest

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
func (on Harness) migrations() []string {
	var names []string
	for _, m := range schema.Migrations() {
		if slices.Contains(on.sets, m.Set) {
			names = append(names, m.Name)
		}
	}
	return names
}

func (on Harness) migrate(t *testing.T) {
	w := Open(t, on.Database(t))

	states, err := w.Migrations(t.Context())
	require.NoError(t, err, "showing what would be done needs no database")
	for _, s := range states {
		require.NotEqual(t, load.Applied, s.State, s.Name)
		require.NotEmpty(t, s.SQL)
	}
	var missing *load.SchemaError
	require.ErrorAs(t, w.CheckSchema(t.Context()), &missing)
	require.Equal(t, on.migrations(), missing.Pending)
	require.ErrorContains(t, missing, "meterhouse migrate")

	applied, err := w.Migrate(t.Context())
	require.NoError(t, err)
	require.Equal(t, on.migrations(), applied)
	require.NoError(t, w.CheckSchema(t.Context()))

	again, err := w.Migrate(t.Context())
	require.NoError(t, err)
	require.Empty(t, again, "what is applied is not applied again")

	states, err = w.Migrations(t.Context())
	require.NoError(t, err)
	for _, s := range states {
		if slices.Contains(on.sets, s.Set) {
			require.Equal(t, load.Applied, s.State, s.Name)
			require.False(t, s.AppliedAt.IsZero(), s.Name)
		} else {
			require.Equal(t, load.NotHere, s.State, s.Name)
		}
	}
}

// migrateAtOnce lets several processes migrate the same new database.
func (on Harness) migrateAtOnce(t *testing.T) {
	o := on.Database(t)
	var all sync.WaitGroup
	errs := make([]error, 3)
	for i := range errs {
		w := Open(t, o)
		all.Go(func() { _, errs[i] = w.Migrate(t.Context()) })
	}
	all.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	require.NoError(t, Open(t, o).CheckSchema(t.Context()))
}

func (on Harness) schemaOfAnotherProgram(t *testing.T) {
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
			o := on.Database(t)
			w := Migrated(t, o)
			Statement(t, o, fmt.Sprintf(insert, test.row, strings.Repeat("0", 64)))

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

// columns holds the columns that are sent to the columns of the tables, and
// every column to having a comment. Of a cluster of old servers only the tables
// over the shards have any.
func (on Harness) columns(t *testing.T) {
	o := on.Database(t)
	w := Migrated(t, o)
	require.NoError(t, w.CheckColumns(t.Context()))
	engines := "engine LIKE '%MergeTree'"
	if o.Cluster != "" && len(on.sets) == 1 {
		engines = "engine = 'Distributed'"
	}
	require.Empty(t, Rows(t, w, "SELECT table, name FROM system.columns WHERE database = '"+o.Database+
		"' AND comment = '' AND table IN (SELECT name FROM system.tables WHERE database = '"+o.Database+"' AND "+engines+")"),
		"columns without a comment")
}
