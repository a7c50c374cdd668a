package load_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/load"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestStatements holds every statement to its golden file.
func TestStatements(t *testing.T) {
	t.Parallel()
	for name, sql := range load.Statements() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join("testdata", "sql", name+".sql")
			if *update {
				require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
				require.NoError(t, os.WriteFile(file, []byte(sql+"\n"), 0o600))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, string(want), sql+"\n")
		})
	}
}
