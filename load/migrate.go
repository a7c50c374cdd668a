package load

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"go.uber.org/zap"

	"github.com/meterhouse/meterhouse/schema"
)

// MigrationState is one migration and what the database says of it.
type MigrationState struct {
	// Migration's SQL is what is run: on a cluster several statements.
	schema.Migration
	statements []string
	checksum   string // of the migration as it is for one server
	State      MigrationStatus
	// AppliedAt is when it was applied, UTC; zero unless State is Applied or Changed.
	AppliedAt time.Time
}

// MigrationStatus says whether a migration is in the database.
type MigrationStatus string

// What can be said of a migration.
const (
	Applied MigrationStatus = "applied"
	Pending MigrationStatus = "pending"
	// Changed: it was applied with another text than this program holds.
	Changed MigrationStatus = "changed"
	// TooNew: it was applied by a newer program; this one does not know it.
	TooNew MigrationStatus = "too new"
	// NotHere: the server is too old for it. Nothing but analytical views is
	// ever left out.
	NotHere MigrationStatus = "needs a newer server"
)

// SchemaError says that the database does not have the schema that this program
// needs, and why.
type SchemaError struct {
	Database string
	Pending  []string // migrations that are not applied yet
	Changed  []string // migrations that were applied with another text
	TooNew   []string // migrations that only a newer program knows
	Columns  []string // columns that somebody took away or changed, in words
}

// Error names the migrations and what to do about them.
func (e *SchemaError) Error() string {
	switch {
	case len(e.Changed) > 0:
		return fmt.Sprintf("database %q was made by another build of meterhouse, whose migrations differ: %s; use that build, or a new database (for an embedded warehouse: a new folder)",
			e.Database, strings.Join(e.Changed, ", "))
	case len(e.TooNew) > 0:
		return fmt.Sprintf("database %q has migrations of a newer meterhouse: %s; use that version",
			e.Database, strings.Join(e.TooNew, ", "))
	case len(e.Columns) > 0:
		return fmt.Sprintf("database %q: its tables are not those that `meterhouse migrate` made: %s; put the columns back, or migrate a new database",
			e.Database, strings.Join(e.Columns, "; "))
	}
	return fmt.Sprintf("database %q lacks %d migrations (%s); run `meterhouse migrate`",
		e.Database, len(e.Pending), strings.Join(e.Pending, ", "))
}

// Migrate creates the database if it is missing, applies what is pending, in
// order, and returns the names of what it applied. It can be run again, and by
// several processes at once: every statement is a CREATE ... IF NOT EXISTS. It
// applies nothing and returns a *SchemaError when the database was migrated by a
// newer or a differing program.
func (w *Warehouse) Migrate(ctx context.Context) ([]string, error) {
	if err := w.createDatabase(ctx); err != nil {
		return nil, err
	}
	states, err := w.Migrations(ctx)
	if err != nil {
		return nil, err
	}
	if e := w.schemaError(states); e != nil && len(e.Changed)+len(e.TooNew) > 0 {
		return nil, e
	}
	absent, err := w.cluster.absent(ctx, w)
	if err != nil {
		return nil, err
	}
	var applied []string
	for _, s := range states {
		if s.State != Pending && (s.State != Applied || !absent[s.Object()]) {
			continue
		}
		if err := w.apply(ctx, s); err != nil {
			return applied, err
		}
		applied = append(applied, s.Name)
	}
	if len(applied) == 0 {
		return nil, nil
	}
	return applied, w.settleEverywhere(ctx, "recording migrations", migrationsTable, heldMigrationsSQL(applied), len(applied))
}

// createDatabase does so only when it has to: where an administrator has made
// the database, the right to make one is not needed.
func (w *Warehouse) createDatabase(ctx context.Context) error {
	doing := fmt.Sprintf("creating database %q", w.database)
	if w.cluster != nil {
		if err := w.checkEngines(ctx); err != nil {
			return err
		}
		if w.cluster.haveDatabase(ctx, w) {
			return nil
		}
		return fail(w.admin.Exec(ctx, w.cluster.createDatabase()), doing)
	}
	engine, err := w.databaseEngine(ctx)
	if err != nil || engine != "" {
		return err
	}
	return fail(w.admin.Exec(ctx, createDatabaseSQL(w.database)), doing)
}

func (w *Warehouse) apply(ctx context.Context, m MigrationState) error {
	for _, sql := range m.statements {
		if err := w.conn.Exec(w.migrationContext(ctx), sql); err != nil {
			return fail(err, "applying migration "+m.Name)
		}
	}
	if m.State == Applied { // and recorded
		return nil
	}
	batch, err := w.ledger.PrepareBatch(w.insertContext(ctx, nil), insertSQL(migrationsTable, []string{"name", "checksum", "applied_at", "version"}))
	if err == nil {
		err = batch.Append(m.Name, m.checksum, time.Now().UTC(), w.version)
	}
	if err == nil {
		err = batch.Send()
	}
	if err != nil {
		return fail(err, "recording migration "+m.Name)
	}
	w.log.Info("migration applied", zap.String("migration", m.Name))
	return nil
}

// migrationContext allows LowCardinality where it was still an experiment.
func (w *Warehouse) migrationContext(ctx context.Context) context.Context {
	if w.atLeast(19, 12) {
		return ctx
	}
	return clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{
		"allow_experimental_low_cardinality_type": 1,
	}))
}

// Migrations lists what this program knows, and what the database has beyond it,
// each with its state. A database that does not exist has everything pending.
func (w *Warehouse) Migrations(ctx context.Context) ([]MigrationState, error) {
	applied, err := w.appliedMigrations(ctx)
	if err != nil {
		return nil, err
	}
	var states []MigrationState
	for _, m := range schema.Migrations() {
		state := MigrationState{Migration: m, State: Pending, statements: []string{m.SQL}, checksum: m.Checksum()}
		if w.cluster != nil {
			state.statements = w.cluster.statements(m)
			state.SQL = strings.Join(state.statements, ";\n\n")
		}
		if m.Set == schema.ViewsSet && !w.hasViews() {
			state.State = NotHere
		}
		if done, ok := applied[m.Name]; ok {
			state.State, state.AppliedAt = Applied, done.at
			if done.checksum != state.checksum {
				state.State = Changed
			}
			delete(applied, m.Name)
		}
		states = append(states, state)
	}
	for _, name := range slices.Sorted(maps.Keys(applied)) {
		states = append(states, MigrationState{
			Migration: schema.Migration{Name: name}, State: TooNew, AppliedAt: applied[name].at,
		})
	}
	return states, nil
}

type appliedMigration struct {
	checksum string
	at       time.Time
}

func (w *Warehouse) appliedMigrations(ctx context.Context) (map[string]appliedMigration, error) {
	const doing = "reading the applied migrations"
	var applied map[string]appliedMigration
	err := w.again(ctx, ledgerTimeout, doing, func(ctx context.Context) error {
		exists, err := w.migrationsTableExists(ctx)
		if err != nil || !exists {
			return err
		}
		applied, err = w.readMigrations(ctx)
		return err
	})
	return applied, err
}

func (w *Warehouse) readMigrations(ctx context.Context) (map[string]appliedMigration, error) {
	rows, err := w.conn.Query(ctx, appliedMigrationsSQL)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	applied := map[string]appliedMigration{}
	for rows.Next() {
		var name string
		var m appliedMigration
		if err := rows.Scan(&name, &m.checksum, &m.at); err != nil {
			return nil, err
		}
		m.at = m.at.UTC()
		applied[name] = m
	}
	return applied, rows.Err()
}

// migrationsTableExists is asked without the database, which may not exist.
func (w *Warehouse) migrationsTableExists(ctx context.Context) (bool, error) {
	var n uint64
	err := w.admin.QueryRow(ctx, tableExistsSQL(w.database, migrationsTable)).Scan(&n)
	return n > 0, err
}

// CheckSchema returns nil when the database has the schema that this program
// needs, a *SchemaError when it has not, and an *Error when it cannot tell.
func (w *Warehouse) CheckSchema(ctx context.Context) error {
	states, err := w.Migrations(ctx)
	if err != nil {
		return err
	}
	if e := w.schemaError(states); e != nil {
		return e
	}
	if err := w.checkEngines(ctx); err != nil {
		return err
	}
	return w.CheckColumns(ctx)
}

// schemaError is nil when nothing is wrong.
func (w *Warehouse) schemaError(states []MigrationState) *SchemaError {
	e := &SchemaError{Database: w.database}
	for _, s := range states {
		switch s.State {
		case Pending:
			e.Pending = append(e.Pending, s.Name)
		case Changed:
			e.Changed = append(e.Changed, s.Name)
		case TooNew:
			e.TooNew = append(e.TooNew, s.Name)
		case Applied, NotHere:
		}
	}
	if len(e.Pending)+len(e.Changed)+len(e.TooNew) == 0 {
		return nil
	}
	return e
}

// hasViews tells whether the server is new enough for the analytical views.
func (w *Warehouse) hasViews() bool { return w.atLeast(23, 3) }
