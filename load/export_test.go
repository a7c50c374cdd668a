package load

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/meterhouse/meterhouse/schema"
)

// Statements are the statements of this package, for their golden files.
func Statements() map[string]string {
	day, _ := schema.ParseDay("2026-03-31")
	slice := schema.Slice{Source: "it's", Feed: "default", Day: day}
	license, _ := schema.CompareBy(schema.KindBigFix)
	metering, _ := schema.CompareBy(schema.KindNexthink)
	statements := clusterStatements(slice)
	maps.Copy(statements, map[string]string{
		"create_database": createDatabaseSQL("it's a \\ `name`"),
		"table_exists":    tableExistsSQL("it's", "loads"),
		"insert":          insertSQL("loads", []string{"load_id", "day"}),
		"ledger_all":      ledgerSQL(LedgerQuery{}),
		"ledger_some":     ledgerSQL(LedgerQuery{Source: "bfi'); DROP TABLE loads; --", Feeds: []string{"default", `group\5`}, From: day, To: day + 1}),
		"verify_bigfix":   verifySQL(schema.LicenseUsageTable(), 42),
		"verify_totals":   verifySQL(schema.LicenseTotalsTable(), 42),
		"verify_nexthink": verifySQL(schema.MeteringDetailsTable(), 42),
		"seen_bigfix":     seenSQL(schema.LicenseUsageTable(), schema.Slice{Source: "b'fi", Feed: "group-5", Day: day}),
		"seen_nexthink":   seenSQL(schema.MeteringDetailsTable(), schema.Slice{Source: "portal", Feed: "visio/installed", Day: day}),
		"duplicate":       duplicateSQL(schema.LicenseUsageTable(), 42),
		"applied":         appliedMigrationsSQL,
		"max_seq":         maxPublishedSeqSQL,
		"stored_loads":    storedLoadsSQL(schema.LicenseUsageTable()),
		"table_bytes":     tableBytesSQL("license_usage_versions"),
		"pruned_at":       prunedAtSQL(42),
		"delete_loads":    deleteLoadsSQL("license_usage_versions", []uint64{42, 43}),
		"mutations":       mutationsSQL("license_usage_versions", true),
		"mutations_old":   mutationsSQL("license_usage_versions", false),
		"diff_counts":     diffCountsSQL(license, slice, 42, 43),
		"diff_rows":       diffRowsSQL(license, slice, 42, 43),
		"diff_numbered":   diffRowsSQL(metering, slice, 42, 43),
		"shifts":          shiftsSQL(slice, 42, 43),
		"info":            infoSQL,
		"table_columns":   tableColumnsSQL("it's"),
		"database_engine": databaseEngineSQL("it's"),
		"settings":        settingsSQL,
		"settings_old":    oldSettingsSQL,
		"disk":            fullestDiskSQL,
	})
	return statements
}

// clusterStatements are those of clusters, every migration among them.
func clusterStatements(slice schema.Slice) map[string]string {
	of := clusterDDL{cluster: "ma`in", database: "meterhouse", comments: true}
	old := of
	old.comments = false
	statements := map[string]string{
		"cluster/create_database":   of.createDatabase(),
		"cluster/nodes":             clusterNodesSQL("it's"),
		"cluster/names":             clusterNamesSQL,
		"cluster/delay":             delaySQL("it's", []string{"loads"}),
		"cluster/held_rows":         heldRowsSQL(schema.LicenseUsageTable(), schema.LoadHeader{LoadID: 42, Slice: slice}),
		"cluster/held_loads":        heldLoadsSQL([]schema.Load{{LoadID: 42, PublishedSeq: 7}, {LoadID: 43}}),
		"cluster/held_marks":        heldMarksSQL([]uint64{42, 43}),
		"cluster/held_migrations":   heldMigrationsSQL([]string{"core/0002_loads"}),
		"cluster/count_final":       countFinalSQL("loads"),
		"cluster/live_replicas":     liveReplicasSQL("it's", []string{"loads", "pruned_loads"}),
		"cluster/table_names":       tableNamesSQL("it's"),
		"cluster/table_engine":      tableEngineSQL("it's", "loads"),
		"cluster/remaining":         remainingSQL("license_usage_versions_local", []uint64{42, 43}),
		"cluster/keeper":            keeperSQL,
		"cluster/macros":            macrosSQL,
		"cluster/low_cardinality":   lowCardinalitySQL,
		"cluster/old_server_ledger": strings.Join(old.statements(schema.Migrations()[1]), ";\n\n"),
	}
	for _, m := range schema.Migrations() {
		statements["cluster/"+m.Name] = strings.Join(of.statements(m), ";\n\n")
	}
	return statements
}

// ClassOf is the class of one of ClickHouse's error codes.
func ClassOf(code int32) Class { return classOf(proto.Error(code)) }

// ClusterViews are the views as they are made in a database of a cluster, in
// their order and without the clause ON CLUSTER.
func ClusterViews(database string) []string {
	of := clusterDDL{cluster: "main", database: database, comments: true}
	var views []string
	for _, m := range schema.Migrations() {
		if strings.HasPrefix(m.SQL, "CREATE VIEW") {
			views = append(views, strings.Replace(of.view(m), " ON CLUSTER `main`", "", 1))
		}
	}
	return views
}

// Deaths are how long loads wait for a server that was found dead at these
// moments, counted from the first.
func Deaths(found ...time.Duration) []time.Duration {
	var d deaths
	n := &node{}
	start := time.Now()
	pauses := make([]time.Duration, len(found))
	for i, at := range found {
		pauses[i] = d.pause([]*node{n}, start.Add(at))
	}
	return pauses
}

// Shards says which of so many shards takes the rows of a server, and those of a
// device.
func Shards(shards int, server int64, device string) (ofServer, ofDevice int) {
	l := &Load{}
	for range shards {
		l.lanes = append(l.lanes, &lane{})
	}
	return slices.Index(l.lanes, l.number(uint64(server))), slices.Index(l.lanes, l.text(device))
}
