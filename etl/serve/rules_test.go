package serve_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/etl/serve"
)

// TestAlertRulesNameMetricsThatExist also holds the metrics to their description
// in the documentation.
func TestAlertRulesNameMetricsThatExist(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../deploy/prometheus/meterhouse.rules.yml")
	require.NoError(t, err)
	var file struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	require.NoError(t, yaml.UnmarshalWithOptions(text, &file, yaml.Strict()))
	require.Len(t, file.Groups, 1)

	m := serve.NewMetrics("v1", feeds())
	m.Finished(outcome(load(t, "bfi", "group-5", "2026-03-09", "refused"), os.ErrInvalid)) // makes the last series
	exists := map[string]bool{}
	for sample := range scrape(t, m) {
		name := regexp.MustCompile(`^\w+`).FindString(sample)
		exists["meterhouse_"+regexp.MustCompile(`(duration_seconds)_(bucket|sum|count)$`).ReplaceAllString(name, "$1")] = true
	}
	docs, err := os.ReadFile("../../deploy/docs/operations.md")
	require.NoError(t, err)
	for name := range exists {
		require.Contains(t, string(docs), "`"+name, "deploy/docs/operations.md describes every metric")
	}
	for _, r := range file.Groups[0].Rules {
		require.NotEmpty(t, r.Annotations["summary"], r.Alert)
		for _, name := range regexp.MustCompile(`meterhouse_\w+`).FindAllString(r.Expr, -1) {
			require.True(t, exists[name], "%s asks for %s, which is no metric", r.Alert, name)
		}
	}
}
