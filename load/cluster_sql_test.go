package load_test

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/load"
	"github.com/meterhouse/meterhouse/load/embedded"
	"github.com/meterhouse/meterhouse/load/loadtest"
	"github.com/meterhouse/meterhouse/schema"
)

// TestViewsOfAClusterOnANewServer holds the views of a cluster, the analytical
// ones among them, to what those of a single server answer. The servers that a
// cluster can be tried on are too old for most of them.
func TestViewsOfAClusterOnANewServer(t *testing.T) {
	t.Parallel()
	o := newDatabase(t)
	w := migrated(t, o)
	for _, quantity := range []int64{100, 120} { // a restatement
		id, _ := store(t, w, slice("bfi", 1), usage(1, 1, quantity), usage(2, 1, quantity))
		row := ledgerRow(slice("bfi", 1), schema.KindBigFix, id, schema.Published)
		row.ContentHash = fmt.Sprintf("%032d", quantity)
		require.NoError(t, w.Record(t.Context(), []schema.Load{row}))
	}
	name := regexp.MustCompile("`(\\w+)` AS\n")
	ask := func(view string) []string {
		if view == "license_usage_as_of" {
			view += "(ts = '2027-01-01 00:00:00')"
		}
		return rows(t, w, "SELECT * FROM "+view+" ORDER BY ALL")
	}
	want := map[string][]string{}
	views := load.ClusterViews(o.Database)
	for _, create := range views {
		view := name.FindStringSubmatch(create)[1]
		want[view] = ask(view)
	}
	require.NotEmpty(t, want["license_restatements"])
	for _, create := range views {
		view := name.FindStringSubmatch(create)[1]
		loadtest.Statement(t, o, "DROP VIEW "+view)
		loadtest.Statement(t, o, create)
	}
	for view, answer := range want {
		require.Equal(t, answer, ask(view), view)
	}
	e := loadtest.Engine(t)
	reader := embedded.Endpoint{Addr: e.Addr, User: e.ReaderUser, Key: e.ReaderKey}
	require.NoError(t, loadtest.Exec(t.Context(), reader, "SELECT * FROM "+o.Database+".license_usage"),
		"a reader who may change no setting is none of those that the views' settings stop")
	require.Len(t, want, len(schema.Migrations())-len(schema.StoredTables())-3)
}
