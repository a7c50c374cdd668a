package load

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Level says how bad a Finding is.
type Level string

// The levels, as `meterhouse check` prints them.
const (
	OK      Level = "ok"
	Warning Level = "warning" // works, but somebody should know
	Fault   Level = "error"   // will not work
)

// Finding is one thing that Preflight looked at.
type Finding struct {
	What  string // "version", "grants", ...
	Level Level
	Says  string // what was found, and what to do about it
}

const (
	// clockTolerance is how far the server's clock may be off before it is said.
	clockTolerance = 10 * time.Second
	// Less free space than these is worth a warning, and cannot take a day's load.
	lowSpace = 10 << 30
	noSpace  = 1 << 30
)

// Preflight looks at everything on the server that a load depends on, and
// changes nothing. It stops early only when the server stops answering.
func (w *Warehouse) Preflight(ctx context.Context) []Finding {
	var found []Finding
	for _, look := range []struct {
		what string
		do   func(context.Context) ([]Finding, error)
	}{
		{"version", w.checkVersion},
		{"clock", w.checkClock},
		{"cluster", w.checkCluster},
		{"database", w.checkDatabase},
		{"settings", w.checkSettings},
		{"grants", w.checkGrants},
		{"disk", w.checkDisks},
		{"schema", w.checkTables},
	} {
		more, err := look.do(ctx)
		if err != nil {
			more = []Finding{{What: look.what, Level: Fault, Says: err.Error()}}
		}
		for _, f := range more {
			f.What = look.what
			found = append(found, f)
		}
		var e *Error
		if errors.As(err, &e) && (e.Temporary() || e.Class == Cancelled) {
			return found
		}
	}
	return found
}

func one(level Level, format string, args ...any) ([]Finding, error) {
	return []Finding{{Level: level, Says: fmt.Sprintf(format, args...)}}, nil
}

// checkVersion compares with the versions that this program was tested on.
func (w *Warehouse) checkVersion(context.Context) ([]Finding, error) {
	v := w.server.Version
	version := fmt.Sprintf("ClickHouse %d.%d.%d", v.Major, v.Minor, v.Patch)
	switch {
	case !w.atLeast(18, 16):
		return one(Fault, "%s is older than 18.16, the oldest version that was tested", version)
	case !w.atLeast(23, 3):
		return one(Warning, "%s takes loads and shows the current versions; the analytical views need 23.3 or newer and are left out", version)
	}
	return one(OK, "%s", version)
}

func (w *Warehouse) checkClock(ctx context.Context) ([]Finding, error) {
	info, err := w.Info(ctx)
	if err != nil {
		return nil, err
	}
	if off := time.Since(info.Now).Abs(); off > clockTolerance {
		return one(Warning, "the server's clock differs from this machine's by %s; times in the ledger are this machine's", off.Round(time.Second))
	}
	return one(OK, "agrees with this machine's")
}

func (w *Warehouse) checkDatabase(ctx context.Context) ([]Finding, error) {
	engine, err := w.databaseEngine(ctx)
	if err != nil {
		return nil, err
	}
	switch {
	case engine == "Replicated" && w.cluster != nil:
		return one(Fault, "%s has the engine Replicated, which runs no statements ON CLUSTER; name a new database in warehouse.url: `meterhouse migrate` creates it", w.database)
	case engine == "":
		return one(OK, "%s does not exist yet; `meterhouse migrate` creates it", w.database)
	case slices.Contains([]string{"Atomic", "Ordinary", "Replicated", "Shared"}, engine):
		return one(OK, "%s, engine %s", w.database, engine)
	default:
		return one(Fault, "%s has the engine %s, which keeps no tables of ours; name another database in warehouse.url", w.database, engine)
	}
}

// databaseEngine is "" when there is no such database.
func (w *Warehouse) databaseEngine(ctx context.Context) (string, error) {
	engines, err := w.texts(ctx, "looking for the database", databaseEngineSQL(w.database))
	if err != nil || len(engines) == 0 {
		return "", err
	}
	return engines[0], nil
}

// checkSettings looks for settings that would break a load, and for those that
// this program has to override and may not.
func (w *Warehouse) checkSettings(ctx context.Context) ([]Finding, error) {
	values, err := w.settings(ctx)
	if err != nil {
		return nil, err
	}
	if r := values["readonly"]; r.value != "0" && r.value != "" {
		return one(Fault, "the user has readonly = %s and can load nothing; give the user a profile without it", r.value)
	}
	var found []Finding
	for _, name := range []string{"async_insert", "insert_deduplicate"} {
		s, known := values[name]
		switch {
		case known && s.value != "0" && s.fixed:
			found = append(found, Finding{Level: Fault, Says: fmt.Sprintf(
				"%s = %s, and the user may not change it: an acknowledged insert would not be in the table once and at once; set it to 0 or lift the constraint", name, s.value)})
		case known && s.value != "0":
			found = append(found, Finding{Level: OK, Says: fmt.Sprintf("%s = %s; every insert of ours sets it to 0", name, s.value)})
		}
	}
	if len(found) == 0 {
		return one(OK, "nothing that matters is set")
	}
	return found, nil
}

type setting struct {
	value string
	fixed bool // the user may not change it
}

func (w *Warehouse) settings(ctx context.Context) (map[string]setting, error) {
	sql := settingsSQL
	if !w.atLeast(20, 1) { // which settings are fixed was not told then
		sql = oldSettingsSQL
	}
	values := map[string]setting{}
	lines, err := w.texts(ctx, "reading the settings", sql)
	for _, line := range lines {
		name, rest, _ := strings.Cut(line, " ")
		fixed, value, _ := strings.Cut(rest, " ")
		values[name] = setting{value, fixed == "1"}
	}
	return values, err
}

// checkGrants asks for every right, one by one.
func (w *Warehouse) checkGrants(ctx context.Context) ([]Finding, error) {
	if !w.atLeast(20, 4) {
		return one(OK, "a server this old has none: its users.xml says who may do what")
	}
	engine, err := w.databaseEngine(ctx)
	if err != nil {
		return nil, err
	}
	needed := neededGrants(w.database, engine == "")
	if w.cluster != nil {
		needed = append(needed, clusterGrants()...)
	}
	missing, err := w.missingGrants(ctx, needed)
	var e *Error
	switch {
	case errors.As(err, &e) && e.Code == int32(proto.ErrSyntaxError):
		return one(OK, "this server cannot be asked about each, as newer ones can; needed: %s", strings.Join(grantStatements(needed, w.user), "; "))
	case err != nil:
		return nil, err
	case len(missing) == 0:
		return one(OK, "all that are needed")
	}
	var found []Finding
	for i, statement := range grantStatements(missing, w.user) {
		found = append(found, Finding{Level: Fault, Says: fmt.Sprintf("%s may not %s; run: %s", w.user, missing[i].why, statement)})
	}
	return found, nil
}

// grant is a right on something, and what it is needed for.
type grant struct{ right, on, why string }

// neededGrants lists the rights that all the commands together need.
func neededGrants(database string, createIt bool) []grant {
	all := quoteName(database) + ".*"
	needed := []grant{
		{"SELECT", all, "read"},
		{"INSERT", all, "load and publish"},
		{"CREATE TABLE", all, "create tables (migrate)"},
		{"CREATE VIEW", all, "create views (migrate)"},
		{"ALTER DELETE", all, "delete what no reader can see (prune)"},
	}
	if createIt {
		needed = append(needed, grant{"CREATE DATABASE", all, "create the database (migrate)"})
	}
	return needed
}

// clusterGrants are needed beside them on a cluster.
func clusterGrants() []grant {
	return []grant{
		{"CLUSTER", "*.*", "run statements on all servers (migrate)"},
		{"REMOTE", "*.*", "create tables over all shards (migrate)"},
	}
}

func grantStatements(grants []grant, user string) []string {
	statements := make([]string, len(grants))
	for i, g := range grants {
		statements[i] = fmt.Sprintf("GRANT %s ON %s TO %s", g.right, g.on, quoteName(user))
	}
	return statements
}

func (w *Warehouse) missingGrants(ctx context.Context, needed []grant) ([]grant, error) {
	var missing []grant
	for _, g := range needed {
		var granted uint8
		err := w.again(ctx, ledgerTimeout, "reading the grants", func(ctx context.Context) error {
			return w.admin.QueryRow(ctx, "CHECK GRANT "+g.right+" ON "+g.on).Scan(&granted)
		})
		if err != nil {
			return nil, err
		}
		if granted == 0 {
			missing = append(missing, g)
		}
	}
	return missing, nil
}

func (w *Warehouse) checkDisks(ctx context.Context) ([]Finding, error) {
	if !w.atLeast(19, 15) {
		return one(OK, "a server this old does not tell how much space is free")
	}
	var name string
	var free uint64
	err := w.again(ctx, ledgerTimeout, "reading the disks", func(ctx context.Context) error {
		return w.admin.QueryRow(ctx, fullestDiskSQL).Scan(&name, &free)
	})
	if err != nil {
		return nil, err
	}
	says := fmt.Sprintf("%.1f GiB free on the server's disk %q", float64(free)/(1<<30), name)
	switch {
	case free < noSpace:
		return one(Fault, "%s: free some, or give it more", says)
	case free < lowSpace:
		return one(Warning, "%s: that is little", says)
	}
	return one(OK, "%s", says)
}

func (w *Warehouse) checkTables(ctx context.Context) ([]Finding, error) {
	err := w.CheckSchema(ctx)
	var wrong *SchemaError
	if errors.As(err, &wrong) {
		return one(Fault, "%s", wrong.Error())
	}
	if err != nil {
		return nil, err
	}
	return one(OK, "current, and every column is as it should be")
}

// texts reads a statement whose rows are one text each.
func (w *Warehouse) texts(ctx context.Context, doing, sql string) ([]string, error) {
	var texts []string
	err := w.again(ctx, ledgerTimeout, doing, func(ctx context.Context) (err error) {
		texts, err = readTexts(ctx, w.admin, sql)
		return err
	})
	return texts, err
}

func readTexts(ctx context.Context, conn driver.Conn, sql string) ([]string, error) {
	rows, err := conn.Query(ctx, sql)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var texts []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	return texts, rows.Err()
}
