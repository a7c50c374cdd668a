package config_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/cmd/internal/config"
)

// faults loads text and gives the error's lines without the folder.
func faults(t *testing.T, dir, text string) string {
	t.Helper()
	put(t, dir, "meterhouse.yaml", text)
	c, err := config.Load(filepath.Join(dir, "meterhouse.yaml"), environment("EMPTY", "", "EXTRA", "x"))
	if err == nil {
		return ""
	}
	require.Nil(t, c)
	var all *config.Error
	require.ErrorAs(t, err, &all)
	require.Len(t, strings.Split(err.Error(), "\n"), len(all.Faults), "one line per fault")
	return strings.ReplaceAll(err.Error(), dir+string(filepath.Separator), "")
}

// faultCase is the configuration `complete` with one thing replaced.
type faultCase struct{ old, new, want string }

func runFaultCases(t *testing.T, cases []faultCase) {
	t.Helper()
	dir := setup(t, complete)
	for _, c := range cases {
		require.Equal(t, 1, strings.Count(complete, c.old), "%q must be there once", c.old)
		got := faults(t, dir, strings.Replace(complete, c.old, c.new, 1))
		require.Equal(t, "meterhouse.yaml:"+c.want, got, "%q -> %q", c.old, c.new)
	}
}

func TestFaultsOfTheFile(t *testing.T) {
	t.Parallel()
	runFaultCases(t, []faultCase{
		{complete, "", `1:1: the file is empty; ` + "`meterhouse init` writes a starter"},
		{complete, "# nothing\n", `1:1: the file is empty; ` + "`meterhouse init` writes a starter"},
		{complete, "- a", `1:1: is a list, must be a block of keys; write its keys below it, indented by two spaces`},
	})
}
