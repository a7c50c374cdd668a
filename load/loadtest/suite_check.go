package loadtest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/load"
	"github.com/meterhouse/meterhouse/schema"
)

// preflight finds nothing wrong with an engine that every other test passes on.
func (on Harness) preflight(t *testing.T) {
	w := Migrated(t, on.Database(t))
	var what []string
	for _, f := range w.Preflight(t.Context()) {
		require.NotEqual(t, load.Fault, f.Level, "%s: %s", f.What, f.Says)
		require.NotEmpty(t, f.Says)
		what = append(what, f.What)
	}
	want := []string{"version", "clock", "database", "settings", "grants", "disk", "schema"}
	if on.Options.Cluster != "" {
		want = slices.Insert(want, 2, "cluster")
	}
	require.Equal(t, want, slices.Compact(what))
}

// preflightOfNothing says what is missing when nobody has migrated.
func (on Harness) preflightOfNothing(t *testing.T) {
	o := on.Database(t)
	says := map[string]load.Finding{}
	for _, f := range Open(t, o).Preflight(t.Context()) {
		says[f.What] = f
	}
	require.Equal(t, load.OK, says["database"].Level)
	require.Contains(t, says["database"].Says, o.Database+" does not exist yet; `meterhouse migrate` creates it")
	require.Equal(t, load.Fault, says["schema"].Level)
	require.Contains(t, says["schema"].Says, "run `meterhouse migrate`")
}

// columnMissing has somebody drop a column: what is checked before a pass says
// so, and so does a load that is tried nevertheless.
func (on Harness) columnMissing(t *testing.T) {
	o := on.Database(t)
	w := Migrated(t, o)
	Statement(t, o, "DROP TABLE "+holder(o, schema.LicenseTotalsTable().Name))
	Statement(t, o, "ALTER TABLE "+holder(o, "license_usage_versions")+" DROP COLUMN server_vendor")
	suffix := ""
	if o.Cluster != "" {
		suffix = "_local"
	}

	err := w.CheckSchema(t.Context())
	var wrong *load.SchemaError
	require.ErrorAs(t, err, &wrong)
	require.ErrorContains(t, err, "license_usage_versions"+suffix+" has no column server_vendor (ALTER TABLE `license_usage_versions"+suffix+"`")
	require.ErrorContains(t, err, " ADD COLUMN `server_vendor` ")
	require.ErrorContains(t, err, "license_totals_versions"+suffix+" has no column product_id")
	require.ErrorContains(t, err, "meterhouse migrate")

	err = insertOne(t, w)
	var e *load.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, load.Schema, e.Class, err)
	require.ErrorContains(t, err, "server_vendor")
	require.ErrorContains(t, err, "meterhouse migrate")
}

// columnOfAnotherType has somebody change a column.
func (on Harness) columnOfAnotherType(t *testing.T) {
	o := on.Database(t)
	w := Migrated(t, o)
	Statement(t, o, "ALTER TABLE "+holder(o, "license_usage_versions")+" MODIFY COLUMN server_vendor String")

	require.ErrorContains(t, w.CheckSchema(t.Context()), ".server_vendor is String, not LowCardinality(String)")
	if o.Protocol == load.HTTP { // there the server converts
		require.NoError(t, insertOne(t, w))
		return
	}
	err := insertOne(t, w)
	var e *load.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, load.Schema, e.Class, err)
	require.ErrorContains(t, err, "server_vendor")
}

// insertOne inserts a row and says how that went.
func insertOne(t *testing.T, w *load.Warehouse) error {
	t.Helper()
	l, err := w.Begin(t.Context(), schema.LoadHeader{LoadID: schema.NewLoadID(time.Now()), Slice: Slice("bfi", 1), Kind: schema.KindBigFix})
	require.NoError(t, err)
	row := Usage(1, 1, 1)
	require.NoError(t, l.LicenseUsage(&row))
	return l.Finish(t.Context())
}

// formats asks for an answer in a format of each protocol: over HTTP the server
// formats, over the native protocol this program does, as the server would.
func (on Harness) formats(t *testing.T) {
	w := Migrated(t, on.Database(t))
	const sql = "SELECT 1 AS n, 'a\\tb' AS s, NULL AS none, toDate('2026-03-31') AS d, toDateTime('2026-03-31 12:00:00', 'UTC') AS t, ['x', 'it\\'s'] AS l, 0.5 AS f"
	want := map[string]string{
		"TSV":          "1\ta\\tb\t\\N\t2026-03-31\t2026-03-31 12:00:00\t['x','it\\'s']\t0.5\n",
		"TSVWithNames": "n\ts\tnone\td\tt\tl\tf\n1\ta\\tb\t\\N\t2026-03-31\t2026-03-31 12:00:00\t['x','it\\'s']\t0.5\n",
		"JSONEachRow":  `{"n":1,"s":"a\tb","none":null,"d":"2026-03-31","t":"2026-03-31 12:00:00","l":["x","it's"],"f":0.5}` + "\n",
	}
	for format, text := range want {
		require.Equal(t, text, Answer(t, w, sql, format), format)
	}
	if on.Options.Protocol == load.Native {
		require.Equal(t, strings.Join([]string{
			"┌───┬──────┐", "│ n │ l    │", "├───┼──────┤", "│ 7 │ NULL │", "└───┴──────┘", "",
		}, "\n"), Answer(t, w, "SELECT 7 AS n, NULL AS l", "PrettyCompact"))
		require.ErrorContains(t, w.Query(t.Context(), "SELECT 1", "Parquet", t.Output()), "TSVWithNames")
		return
	}
	require.Equal(t, "\"n\",\"s\"\n1,\"a\"\n", Answer(t, w, "SELECT 1 AS n, 'a' AS s", "CSVWithNames"))
	require.Equal(t, "PAR1", Answer(t, w, "SELECT 1 AS n", "Parquet")[:4])
	require.ErrorContains(t, w.Query(t.Context(), "SELECT 1", "NoSuchFormat", t.Output()), "NoSuchFormat")
}
