package load_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/load"
)

// TestCodesAreDocumented holds the table of ClickHouse's error codes in the
// documentation to what the program does.
func TestCodesAreDocumented(t *testing.T) {
	t.Parallel()
	const doc = "../deploy/docs/servers.md"
	text, err := os.ReadFile(doc)
	require.NoError(t, err)
	var documented, known []string
	for _, row := range regexp.MustCompile(`(?m)^\| (\d+) \| [A-Z_]+ \| (\w+) \| (yes|no) \|$`).FindAllStringSubmatch(string(text), -1) {
		documented = append(documented, fmt.Sprintf("%s %s %s", row[1], row[2], row[3]))
	}
	for code := range int32(2000) {
		class := load.ClassOf(code)
		if class == load.Invalid {
			continue
		}
		again := "no"
		if (&load.Error{Class: class}).Temporary() {
			again = "yes"
		}
		known = append(known, fmt.Sprintf("%d %s %s", code, class, again))
	}
	slices.Sort(documented)
	slices.Sort(known)
	require.Equal(t, known, documented, doc)
}
