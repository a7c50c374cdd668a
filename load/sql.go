package load

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/meterhouse/meterhouse/schema"
)

// quoteName makes an identifier of any text.
func quoteName(name string) string {
	return "`" + strings.NewReplacer(`\`, `\\`, "`", "\\`").Replace(name) + "`"
}

// quoteText makes a string literal of any text.
func quoteText(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + "'"
}

func quoteNames(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = quoteName(n)
	}
	return strings.Join(quoted, ", ")
}

func quoteTexts(texts []string) string {
	quoted := make([]string, len(texts))
	for i, t := range texts {
		quoted[i] = quoteText(t)
	}
	return strings.Join(quoted, ", ")
}

func createDatabaseSQL(database string) string {
	return "CREATE DATABASE IF NOT EXISTS " + quoteName(database)
}

func tableExistsSQL(database, table string) string {
	return "SELECT count() FROM system.tables WHERE database = " + quoteText(database) + " AND name = " + quoteText(table)
}

func tableColumnsSQL(database string) string {
	return "SELECT table, name, type FROM system.columns WHERE database = " + quoteText(database)
}

func insertSQL(table string, columns []string) string {
	return fmt.Sprintf("INSERT INTO %s (%s)", quoteName(table), quoteNames(columns))
}

// ledgerSQL reads the ledger. FINAL merges a row that was written twice.
func ledgerSQL(q LedgerQuery) string {
	var where []string
	if q.Source != "" {
		where = append(where, "source = "+quoteText(q.Source))
	}
	if len(q.Feeds) > 0 {
		where = append(where, "feed IN ("+quoteTexts(q.Feeds)+")")
	}
	if q.From != 0 {
		where = append(where, "day >= toDate("+quoteText(q.From.String())+")")
	}
	if q.To != 0 {
		where = append(where, "day <= toDate("+quoteText(q.To.String())+")")
	}
	sql := "SELECT " + quoteNames(ledgerColumns()) + "\nFROM loads FINAL"
	if len(where) > 0 {
		sql += "\nWHERE " + strings.Join(where, " AND ")
	}
	return sql + "\nORDER BY source, feed, day, load_id, published_seq, status"
}

// verifySQL counts what the warehouse holds of one load, in the order rows,
// distinct natural keys, rejects, controls.
func verifySQL(t schema.Table, loadID uint64) string {
	id := strconv.FormatUint(loadID, 10)
	sums := make([]string, len(t.Controls))
	for i, c := range t.Controls {
		sums[i] = "toInt64(" + c + ")"
	}
	return fmt.Sprintf("SELECT count(), uniqExact(%s), (SELECT count() FROM rejected_rows WHERE load_id = %s), %s\nFROM %s\nWHERE load_id = %s",
		quoteNames(t.Key), id, strings.Join(sums, ", "), quoteName(t.Name), id)
}

// duplicateSQL finds one natural key that several rows of a load share: how
// often, and the key in words.
func duplicateSQL(t schema.Table, loadID uint64) string {
	words := make([]string, len(t.Key))
	for i, k := range t.Key {
		words[i] = fmt.Sprintf("%s, toString(%s)", quoteText(k+" "), quoteName(k))
	}
	key := quoteNames(t.Key)
	return fmt.Sprintf("SELECT count() AS times, concat(%s) AS example\nFROM %s\nWHERE load_id = %d\nGROUP BY %s\nHAVING times > 1\nORDER BY %s\nLIMIT 1",
		strings.Join(words, ", ', ', "), quoteName(t.Name), loadID, key, key)
}

// storedLoadsSQL lists the loads that a table holds rows of.
func storedLoadsSQL(t schema.Table) string {
	return fmt.Sprintf("SELECT load_id, toString(any(source)), toString(any(feed)), any(%s), count()\nFROM %s\nGROUP BY load_id\nORDER BY load_id",
		quoteName(t.Day), quoteName(t.Name))
}

func tableBytesSQL(table string) string {
	return "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase() AND table = " + quoteText(table)
}

func prunedAtSQL(loadID uint64) string {
	return fmt.Sprintf("SELECT count(), min(pruned_at) FROM pruned_loads WHERE load_id = %d", loadID)
}

func deleteLoadsSQL(table string, loadIDs []uint64) string {
	return fmt.Sprintf("ALTER TABLE %s DELETE WHERE load_id IN (%s)", quoteName(table), joinIDs(loadIDs))
}

func joinIDs(loadIDs []uint64) string {
	ids := make([]string, len(loadIDs))
	for i, id := range loadIDs {
		ids[i] = strconv.FormatUint(id, 10)
	}
	return strings.Join(ids, ", ")
}

// mutationsSQL counts a table's unfinished mutations. Only newer servers say why
// one does not come to its end.
func mutationsSQL(table string, reasons bool) string {
	reason := "''"
	if reasons {
		reason = "max(latest_fail_reason)"
	}
	return "SELECT count(), " + reason + " FROM system.mutations WHERE database = currentDatabase() AND table = " + quoteText(table) + " AND NOT is_done"
}

const maxPublishedSeqSQL = "SELECT max(published_seq) FROM loads"

func databaseEngineSQL(database string) string {
	return "SELECT engine FROM system.databases WHERE name = " + quoteText(database)
}

// settingsSQL gives "name fixed value" of the settings that matter to a load.
const (
	settingsSQL    = "SELECT concat(name, ' ', toString(readonly), ' ', value) FROM system.settings WHERE name IN ('readonly', 'async_insert', 'insert_deduplicate')"
	oldSettingsSQL = "SELECT concat(name, ' 0 ', value) FROM system.settings WHERE name IN ('readonly', 'async_insert', 'insert_deduplicate')"
)

const fullestDiskSQL = "SELECT name, free_space FROM system.disks ORDER BY free_space LIMIT 1"

const infoSQL = "SELECT version(), timezone(), now()"

// appliedMigrationsSQL ends with the first application of each migration, the one
// that made what is there.
const appliedMigrationsSQL = "SELECT name, checksum, min(applied_at) FROM schema_migrations GROUP BY name, checksum ORDER BY name, min(applied_at) DESC"
