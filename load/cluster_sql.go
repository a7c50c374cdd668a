package load

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/meterhouse/meterhouse/schema"
)

// localSuffix is what the tables that hold a shard's rows end with. The name
// without it is a Distributed table over all shards, which everybody reads from.
const localSuffix = "_local"

// wholeAnswers makes a reader's query fail rather than leave rows out: a shard
// without a server is an error, and a replica that lacks parts of more than a
// second ago is passed over, the one that was asked included. The views carry
// these settings, so that no profile of a reader is stronger, and our own
// connections have them.
func wholeAnswers() clickhouse.Settings {
	return clickhouse.Settings{
		"max_replica_delay_for_distributed_queries":          1,
		"fallback_to_stale_replicas_for_distributed_queries": 0,
		"skip_unavailable_shards":                            0,
	}
}

// settingsClause is the end of a SELECT.
func settingsClause(settings clickhouse.Settings) string {
	var assignments []string
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		assignments = append(assignments, fmt.Sprintf("%s = %v", name, settings[name]))
	}
	return "SETTINGS " + strings.Join(assignments, ", ")
}

// clusterDDL says how migrations are rewritten for a cluster.
type clusterDDL struct {
	cluster, database string
	// comments is false for servers that cannot read the comments of replicated
	// tables back from ZooKeeper, and then take them for another structure.
	comments bool
}

// statements makes of a migration, which is for one server, the statements that
// do the same on a cluster. The files stay the only home of the columns.
func (c clusterDDL) statements(m schema.Migration) []string {
	if head, _, _ := strings.Cut(m.SQL, " IF NOT EXISTS "); head == "CREATE VIEW" {
		return []string{c.view(m)}
	}
	columns, engine, found := strings.Cut(m.SQL, "\nENGINE = ")
	_, columns, named := strings.Cut(columns, m.Object()+"\n")
	engine, order, ordered := strings.Cut(engine, "\n")
	if !found || !named || !ordered {
		panic("BUG: migration " + m.Name + " is neither a table nor a view as it is expected here")
	}
	replicated := columns
	if !c.comments {
		replicated = regexp.MustCompile(` COMMENT '[^']*'`).ReplaceAllString(columns, "")
	}
	if !sharded(m.Object()) {
		// One path for all shards: every server has every row.
		return []string{c.table(m.Object(), replicated, fmt.Sprintf("Replicated%s(%s, '{shard}-{replica}')\n%s",
			engine, quoteText("/clickhouse/tables/"+c.database+"/"+m.Object()), order))}
	}
	local := m.Object() + localSuffix
	return []string{
		c.table(local, replicated, fmt.Sprintf("Replicated%s(%s, '{replica}')\n%s",
			engine, quoteText("/clickhouse/tables/{shard}/"+c.database+"/"+local), order)),
		// Without a sharding key nobody can insert through it.
		c.table(m.Object(), columns, fmt.Sprintf("Distributed(%s, %s, %s)", quoteText(c.cluster), quoteText(c.database), quoteText(local))),
	}
}

func (c clusterDDL) table(name, columns, engine string) string {
	return fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s.%s ON CLUSTER %s\n%s\nENGINE = %s",
		quoteName(c.database), quoteName(name), quoteName(c.cluster), columns, engine)
}

// view names the database everywhere, which servers that run a statement for
// others would not know. GLOBAL has the server that was asked read the ledger
// once, for all shards and before any of them reads its rows.
func (c clusterDDL) view(m schema.Migration) string {
	_, query, _ := strings.Cut(m.SQL, " AS\n")
	var objects []string
	for _, other := range schema.Migrations() {
		objects = append(objects, other.Object())
	}
	query = regexp.MustCompile(`\b(FROM|JOIN) (`+strings.Join(objects, "|")+`)\b`).
		ReplaceAllString(query, "$1 "+quoteName(c.database)+".$2")
	query = regexp.MustCompile(`\bIN(\s*\(\s*SELECT\b)`).ReplaceAllString(query, "GLOBAL IN$1")
	query = regexp.MustCompile(`\b(INNER|LEFT) JOIN\b`).ReplaceAllString(query, "GLOBAL $1 JOIN")
	return fmt.Sprintf("CREATE VIEW IF NOT EXISTS %s.%s ON CLUSTER %s AS\n%s\n%s",
		quoteName(c.database), quoteName(m.Object()), quoteName(c.cluster), query, settingsClause(wholeAnswers()))
}

// sharded tells which tables are spread over the shards: those that hold the
// rows of loads. All others are on every server whole.
func sharded(table string) bool {
	for _, t := range schema.StoredTables() {
		if t.Name == table {
			return true
		}
	}
	return false
}

func (c clusterDDL) createDatabase() string {
	return createDatabaseSQL(c.database) + " ON CLUSTER " + quoteName(c.cluster)
}

// clusterNodesSQL lists the servers of a cluster, as the server that is asked
// knows them.
func clusterNodesSQL(cluster string) string {
	return "SELECT shard_num, host_name, port FROM system.clusters WHERE cluster = " + quoteText(cluster) + " ORDER BY shard_num, replica_num"
}

const clusterNamesSQL = "SELECT DISTINCT cluster FROM system.clusters ORDER BY cluster"

// liveReplicasSQL asks ZooKeeper, through one replica of the tables, how many
// replicas of them live, and how many tables the answer is about; tables whose
// connection to ZooKeeper is gone do not count.
func liveReplicasSQL(database string, tables []string) string {
	return "SELECT toUInt64(max(active_replicas)), toUInt64(countIf(active_replicas > 0 AND NOT is_session_expired)) FROM system.replicas WHERE database = " +
		quoteText(database) + " AND table IN (" + quoteTexts(tables) + ")"
}

// delaySQL tells how many seconds a server is behind with tables, as readers see
// it, and how many of them take no rows.
func delaySQL(database string, tables []string) string {
	return "SELECT toUInt64(max(absolute_delay)), toUInt64(countIf(is_readonly OR is_session_expired)) FROM system.replicas WHERE database = " +
		quoteText(database) + " AND table IN (" + quoteTexts(tables) + ")"
}

// heldRowsSQL counts the rows of a load that one server has.
func heldRowsSQL(t schema.Table, h schema.LoadHeader) string {
	return fmt.Sprintf("SELECT count() FROM %s WHERE source = %s AND %s = toDate(%s) AND load_id = %d",
		quoteName(t.Name+localSuffix), quoteText(h.Source), quoteName(t.Day), quoteText(h.Day.String()), h.LoadID)
}

// heldLoadsSQL counts which of some rows the ledger has, each once.
func heldLoadsSQL(loads []schema.Load) string {
	rows := make([]string, len(loads))
	for i, l := range loads {
		rows[i] = fmt.Sprintf("(%d, %d)", l.LoadID, l.PublishedSeq)
	}
	return "SELECT uniqExact(load_id, published_seq) FROM loads WHERE (load_id, published_seq) IN (" + strings.Join(rows, ", ") + ")"
}

func heldMarksSQL(loadIDs []uint64) string {
	return "SELECT uniqExact(load_id) FROM pruned_loads WHERE load_id IN (" + joinIDs(loadIDs) + ")"
}

func heldMigrationsSQL(names []string) string {
	return "SELECT uniqExact(name) FROM schema_migrations WHERE name IN (" + quoteTexts(names) + ")"
}

// countFinalSQL counts rows, one that was written twice once.
func countFinalSQL(table string) string { return "SELECT count() FROM " + quoteName(table) + " FINAL" }

func tableNamesSQL(database string) string {
	return "SELECT name FROM system.tables WHERE database = " + quoteText(database)
}

func tableEngineSQL(database, table string) string {
	return "SELECT engine FROM system.tables WHERE database = " + quoteText(database) + " AND name = " + quoteText(table)
}

// remainingSQL counts the rows of loads that a table still holds.
func remainingSQL(table string, loadIDs []uint64) string {
	return "SELECT count() FROM " + quoteName(table) + " WHERE load_id IN (" + joinIDs(loadIDs) + ")"
}

// Questions that preflight asks every server.
const (
	keeperSQL         = "SELECT count() FROM system.zookeeper WHERE path = '/'"
	macrosSQL         = "SELECT anyIf(substitution, macro = 'shard'), anyIf(substitution, macro = 'replica') FROM system.macros"
	lowCardinalitySQL = "SELECT value FROM system.settings WHERE name = 'allow_experimental_low_cardinality_type'"
)
