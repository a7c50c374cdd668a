package schema_test

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/schema"
)

var update = flag.Bool("update", false, "write the golden files anew")

// withoutTexts takes the string literals out of a statement.
func withoutTexts(sql string) string {
	return regexp.MustCompile(`'(\\'|[^'])*'`).ReplaceAllString(sql, "''")
}

// TestMigrationFiles holds every file to the form that the migrator relies on.
func TestMigrationFiles(t *testing.T) {
	t.Parallel()
	next := map[string]int{schema.CoreSet: 1, schema.ViewsSet: 1}
	for _, m := range schema.Migrations() {
		require.Equal(t, fmt.Sprintf("%s/%04d_%s", m.Set, next[m.Set], m.Object()), m.Name, "numbered without a gap")
		next[m.Set]++
		require.NotEmpty(t, m.Description, "%s says what it is for", m.Name)
		require.NotContains(t, withoutTexts(m.SQL), ";", "%s is one statement", m.Name)
		require.NotContains(t, withoutTexts(m.SQL), "--", "%s: comments go to the head of the file", m.Name)
		require.Regexp(t, `^CREATE (TABLE|VIEW) IF NOT EXISTS `+m.Object()+`\s`, m.SQL, "%s can be run again", m.Name)
	}
	require.Greater(t, next[schema.CoreSet], 1)
	require.Greater(t, next[schema.ViewsSet], 1)
}

// TestColumnsAreDocumented wants a comment on every column of every table.
func TestColumnsAreDocumented(t *testing.T) {
	t.Parallel()
	column := regexp.MustCompile(`^    \w+ .* COMMENT '.+',?$`)
	for _, m := range schema.Migrations() {
		if !strings.HasPrefix(m.SQL, "CREATE TABLE") {
			continue
		}
		_, columns, _ := strings.Cut(m.SQL, "\n(\n")
		columns, _, _ = strings.Cut(columns, "\n)\n")
		for line := range strings.SplitSeq(columns, "\n") {
			require.Regexp(t, column, line, m.Name)
		}
	}
}

// TestCoreIsForOldServers refuses what ClickHouse 18.16 does not parse.
func TestCoreIsForOldServers(t *testing.T) {
	t.Parallel()
	newer := regexp.MustCompile(`(?i)\bCODEC\b|DateTime64|\bOR REPLACE\b|\bEXCEPT\b|\bTTL\b|\bOVER\b|\bWITH\s+\w+\s+AS\s*\(|\bBool\b|\bMap\(`)
	for _, m := range schema.Migrations() {
		if m.Set == schema.CoreSet {
			require.NotRegexp(t, newer, withoutTexts(m.SQL), m.Name)
		}
	}
}

// TestReleasedMigrationsDoNotChange holds the checksums to a file: databases out
// there have these statements applied. What has to change comes in a new file;
// `go test ./schema -update` adds it to the list.
func TestReleasedMigrationsDoNotChange(t *testing.T) {
	t.Parallel()
	const file = "testdata/checksums.txt"
	var have strings.Builder
	for _, m := range schema.Migrations() {
		fmt.Fprintf(&have, "%s  %s\n", m.Checksum(), m.Name)
	}
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(have.String()), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), have.String())
}
