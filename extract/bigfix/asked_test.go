package bigfix_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/extract/bigfix"
)

func TestAskedFor(t *testing.T) {
	t.Parallel()
	const usage, totals = "api/sam/v2/license_usage_per_server", "api/sam/v2/license_usage"
	f := func(want bigfix.Asked, queries ...extract.Query) {
		t.Helper()
		require.Equal(t, want, bigfix.AskedFor(queries))
	}
	f(bigfix.Asked{})
	f(bigfix.Asked{ServerColumns: []string{"name"}},
		extract.Query{Path: usage, Values: url.Values{"columns[]": {"product_id", "server.name"}}})
	f(bigfix.Asked{ServerColumns: []string{"name", "cores"}, PageSize: 50, Criteria: "{}", ProductTotals: true},
		extract.Query{Path: usage, Values: url.Values{"columns[]": {"server.name", "server.cores"}, "limit": {"50"}, "criteria": {"{}"}}},
		extract.Query{Path: usage, Values: url.Values{"columns[]": {"server.name", "server.cores"}, "limit": {"50"}, "criteria": {"{}"}, "offset": {"50"}}},
		extract.Query{Path: totals, Values: url.Values{"columns[]": {"product_id"}, "limit": {"50"}}})
}
