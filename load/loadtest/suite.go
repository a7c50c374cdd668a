package loadtest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/load"
	"github.com/meterhouse/meterhouse/schema"
)

// Harness is one ClickHouse engine, and one way to reach it, that the suite is
// run against.
type Harness struct {
	// Options reach the engine as a user who may do everything. Their Database
	// is not used: every test makes one of its own.
	Options load.Options
	// Servers are the addresses of a cluster's servers: whoever asks another one
	// shall see the same. Empty for a single server.
	Servers []string
	// sets are the migrations that the engine is new enough for.
	sets []string
}

// Exercise holds a warehouse to the whole contract of package load, as far as
// it can be seen from outside: every warehouse that passes can be filled and
// read. The tests run in parallel, each in a database of its own.
func Exercise(t *testing.T, h Harness) {
	t.Helper()
	o := h.Options
	o.Database = "default" // every server has it, and nothing is put there
	info, err := Open(t, o).Info(t.Context())
	require.NoError(t, err)
	h.sets = []string{schema.CoreSet}
	if atLeast(t, info.Version, 23, 3) {
		h.sets = append(h.sets, schema.ViewsSet)
	}
	t.Logf("ClickHouse %s, protocol %s, migrations %v", info.Version, o.Protocol, h.sets)
	for name, test := range map[string]func(*testing.T){
		"Info": h.info, "WrongPassword": h.wrongPassword, "Query": h.query, "QueryWriterFails": h.queryWriterFails, "Formats": h.formats,
		"Migrate": h.migrate, "MigrateAtOnce": h.migrateAtOnce, "SchemaOfAnotherProgram": h.schemaOfAnotherProgram,
		"Columns": h.columns, "ColumnMissing": h.columnMissing, "ColumnOfAnotherType": h.columnOfAnotherType,
		"Preflight": h.preflight, "PreflightOfNothing": h.preflightOfNothing,
		"LicenseUsageRow": h.licenseUsageRow, "LicenseTotalRow": h.licenseTotalRow, "MeteringDetailRow": h.meteringDetailRow,
		"ManyBlocks": h.manyBlocks, "Compressed": h.compressed, "Rejects": h.rejects,
		"Verify": h.verify, "VerifyTotals": h.verifyTotals,
		"CancelledMidInsert": h.cancelledMidInsert, "FinishIsBounded": h.finishIsBounded, "Abort": h.abort,
		"BeginRefuses": h.beginRefuses, "TimesOutsideOfDateTime": h.timesOutsideOfDateTime, "InsertWithoutTables": h.insertWithoutTables,
		"Publish": h.publish, "StatusesThatDoNotPublish": h.statusesThatDoNotPublish, "Tie": h.tie,
		"StoredAndDeleted": h.storedAndDeleted, "PrunedAt": h.prunedAt, "VerifyStored": h.verifyStored, "StoredTablesAreAll": h.storedTablesAreAll, "DiffOfLicenseUsage": h.diffOfLicenseUsage, "DiffEndsWithItsTaker": h.diffEndsWithItsTaker, "DiffOfNoKind": h.diffOfNoKind,
		"Shifts": h.shifts,
		"Ledger": h.ledger, "RecordAgain": h.recordAgain, "SeveralLoaders": h.severalLoaders,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

// atLeast compares a version as a server writes it, "25.8.1.5101".
func atLeast(t testing.TB, version string, year, release int) bool {
	t.Helper()
	var y, r int
	_, err := fmt.Sscanf(version, "%d.%d", &y, &r)
	require.NoError(t, err, version)
	return y > year || y == year && r >= release
}

// Database names a database that does not exist yet and is dropped, should it
// exist by then, when the test ends.
func (h Harness) Database(t testing.TB) load.Options {
	t.Helper()
	o := h.Options
	o.Database = "t_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	t.Cleanup(func() {
		require.NoError(t, statement(context.Background(), t, o, "", "DROP DATABASE IF EXISTS "+o.Database+onCluster(o)))
	})
	return o
}

// other are the options for the nth of several users, who each have a server of
// their own where there are several.
func (h Harness) other(o load.Options, n int) load.Options {
	if len(h.Servers) > 0 {
		o.Addrs = []string{h.Servers[n%len(h.Servers)]}
	}
	return o
}

// onCluster has a statement run on all servers of a cluster.
func onCluster(o load.Options) string {
	if o.Cluster == "" {
		return ""
	}
	return " ON CLUSTER " + o.Cluster
}

// holder is the table that holds the rows of a table of loads, for statements
// that change it.
func holder(o load.Options, table string) string {
	if o.Cluster == "" {
		return table
	}
	return o.Database + "." + table + "_local" + onCluster(o)
}

// Statement runs in the options' database what a Warehouse never would.
func Statement(t testing.TB, o load.Options, sql string) {
	t.Helper()
	require.NoError(t, statement(t.Context(), t, o, o.Database, sql), sql)
}

func statement(ctx context.Context, t testing.TB, o load.Options, database, sql string) error {
	t.Helper()
	protocol := clickhouse.Native
	if o.Protocol == load.HTTP {
		protocol = clickhouse.HTTP
	}
	auth := clickhouse.Auth{Database: database, Username: o.User}
	if o.Password != nil {
		auth.Password = o.Password()
	}
	conn, err := clickhouse.Open(&clickhouse.Options{Protocol: protocol, Addr: o.Addrs, Auth: auth, TLS: trusting(t, o.Secure, o.CAFile)})
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // one statement, whose error is given back
	return conn.Exec(ctx, sql)
}
