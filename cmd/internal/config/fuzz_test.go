package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/cmd/internal/config"
)

// FuzzLoad looks for files that crash the reader, for faults that are no use
// (no place, more than one line), and for a secret in what is printed.
func FuzzLoad(f *testing.F) {
	const secret = "Fr0mTheEnvironment"
	f.Add(complete)
	f.Add(strings.Replace(complete, "token_file: token", "token_env: T", 1))
	f.Add(config.Starter())
	for _, name := range []string{"every_key", "faulty", "documented"} {
		text, err := os.ReadFile("testdata/" + name + ".yaml")
		require.NoError(f, err)
		f.Add(string(text))
	}
	f.Add("a: [1, {b: *c}]\n? [x]\n: - y\n---\n")
	f.Add("warehouse: {url: 'http://[::1]:1,h:2/d?secure=1&ca_file=.#x'}")
	f.Add("sources: [{kind: nexthink, targets: [{path: [~, 1.5, .nan, 0x1F]}]}]")

	dir := setup(f, "")
	path := filepath.Join(dir, "meterhouse.yaml")
	f.Fuzz(func(t *testing.T, text string) {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		c, err := config.Load(path, func(name string) string {
			if name == config.EnvLibchdb {
				return ""
			}
			return secret
		})
		if err == nil {
			require.NotContains(t, fmt.Sprintf("%+v %#v", c, c.Sources), secret)
			require.NotEmpty(t, c.Warehouse.Kind)
			return
		}
		require.Nil(t, c)
		require.NotContains(t, err.Error(), secret)
		var all *config.Error
		require.ErrorAs(t, err, &all)
		require.NotEmpty(t, all.Faults)
		lines := strings.Count(text, "\n") + strings.Count(text, "\r") + 1
		for _, fault := range all.Faults {
			require.LessOrEqual(t, fault.Line, lines, fault.String())
			require.NotContains(t, fault.String(), "\n")
			require.NotEmpty(t, fault.Rule)
		}
	})
}
