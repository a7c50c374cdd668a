package schema

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"path"
	"strings"
)

//go:embed migrations
var migrationFiles embed.FS

// Sets of migrations, in the order in which they are applied.
const (
	// CoreSet holds what loading and reading the current version needs. It keeps
	// to SQL that ClickHouse 18.16 understands.
	CoreSet = "core"
	// ViewsSet holds the analytical views. They need a ClickHouse with window
	// functions and parameterised views.
	ViewsSet = "views"
)

// Migration is one statement that brings a database to the current schema. It
// can be run again without harm. A file that was released never changes; what
// has to change comes in a new file.
type Migration struct {
	Set  string
	Name string // set and file without its ending: "core/0002_loads"
	// Description is the comment at the head of the file: what the table or
	// view is for and what its numbers mean.
	Description string
	// SQL is one statement without names of databases.
	SQL string
}

// Checksum is the SHA-256 of the statement, hex.
func (m Migration) Checksum() string {
	sum := sha256.Sum256([]byte(m.SQL))
	return hex.EncodeToString(sum[:])
}

// Object is the table or view that the migration is about: its file name
// without the number.
func (m Migration) Object() string {
	_, object, _ := strings.Cut(path.Base(m.Name), "_")
	return object
}

// Migrations lists all migrations in the order in which they are applied.
func Migrations() []Migration {
	var all []Migration
	for _, set := range []string{CoreSet, ViewsSet} {
		dir := path.Join("migrations", set)
		entries, err := migrationFiles.ReadDir(dir)
		if err != nil {
			panic(fmt.Sprintf("BUG: reading embedded migrations: %v", err))
		}
		for _, e := range entries {
			text, err := migrationFiles.ReadFile(path.Join(dir, e.Name()))
			if err != nil {
				panic(fmt.Sprintf("BUG: reading embedded migrations: %v", err))
			}
			all = append(all, parseMigration(set, e.Name(), string(text)))
		}
	}
	return all
}

// parseMigration takes the comment at the head of a file off its statement.
func parseMigration(set, file, text string) Migration {
	var description []string
	for {
		line, rest, _ := strings.Cut(text, "\n")
		comment, ok := strings.CutPrefix(line, "--")
		if !ok {
			break
		}
		description, text = append(description, strings.TrimSpace(comment)), rest
	}
	return Migration{
		Set:         set,
		Name:        set + "/" + strings.TrimSuffix(file, ".sql"),
		Description: strings.Join(description, " "),
		SQL:         strings.TrimSpace(text),
	}
}
