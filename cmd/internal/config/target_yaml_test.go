package config_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/meterhouse/meterhouse/cmd/internal/config"
)

func TestTargetYAML(t *testing.T) {
	t.Parallel()
	require.Equal(t, `      - name: lausanne-8b37ddb4
        metric: 52fa2b8b-b35e-4d7a-9db3-830617c5b6b2
        program: 8b37ddb4-29fe-469a-bdc0-ca3497d7c7f9
        hierarchy: Business units
        path: [Europe, "R&D / Lab 3", "東京", "No", "5", "a, b"]
        lists: [installed, underusage]
        window_days: 30
`, config.TargetYAML(config.Target{
		Name: "lausanne-8b37ddb4", Metric: "52fa2b8b-b35e-4d7a-9db3-830617c5b6b2", Program: "8b37ddb4-29fe-469a-bdc0-ca3497d7c7f9",
		Hierarchy: "Business units", Path: []string{"Europe", "R&D / Lab 3", "東京", "No", "5", "a, b"},
		Lists: []string{"installed", "underusage"}, WindowDays: 30,
	}))
	require.Equal(t, "      - name: m\n        metric: m\n        lists: [installed]\n",
		config.TargetYAML(config.Target{Name: "m", Metric: "m", Lists: []string{"installed"}}))
}

// Whatever names a portal has, what is written is read as it was.
func TestTargetYAMLIsReadBack(t *testing.T) {
	t.Parallel()
	dir := setup(t, complete)
	const entry = "      - name: visio\n        metric: 52fa2b8b\n        program: 8b37ddb4\n        path: [Europe]\n"
	require.Contains(t, complete, entry)
	rapid.Check(t, func(r *rapid.T) {
		text := rapid.OneOf(rapid.StringN(1, 20, -1), rapid.SampledFrom([]string{
			"true", "Null", "~", "1e3", "0x1F", "2026-03-01", "- a", "a: b", "a #b", "#", "'", `"`, `\`, "[a]", "{a}", "&a", "*a", "!a", "%a", "@a", "`a`", "|", ">", " a ", "a\tb", "a\nb", "=", "<<", "12:30", "${A}",
		}))
		want := config.Target{
			Name: "visio", Metric: text.Draw(r, "metric"), Program: text.Draw(r, "program"), Hierarchy: text.Draw(r, "hierarchy"),
			Path: rapid.SliceOfN(text, 1, 4).Draw(r, "path"), Lists: []string{"underusage"}, WindowDays: rapid.Uint16().Draw(r, "window"),
		}
		put(t, dir, "meterhouse.yaml", strings.Replace(complete, entry, config.TargetYAML(want), 1))
		got := load(t, dir)
		require.Equal(t, []config.Target{want}, got.Sources[1].Targets)
	})
}
