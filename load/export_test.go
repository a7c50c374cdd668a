package load

import (
	"github.com/ClickHouse/ch-go/proto"

	"github.com/meterhouse/meterhouse/schema"
)

// Statements are the statements of this package, for their golden files.
func Statements() map[string]string {
	day, _ := schema.ParseDay("2026-03-31")
	slice := schema.Slice{Source: "it's", Feed: "default", Day: day}
	license, _ := schema.CompareBy(schema.KindBigFix)
	metering, _ := schema.CompareBy(schema.KindNexthink)
	return map[string]string{
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
	}
}

// ClassOf is the class of one of ClickHouse's error codes.
func ClassOf(code int32) Class { return classOf(proto.Error(code)) }
