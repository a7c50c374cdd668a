package bigfix_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/extract/bigfix"
	"github.com/meterhouse/meterhouse/extract/bigfix/bigfixtest"
	"github.com/meterhouse/meterhouse/extract/extracttest/simfault"
)

func (b testBundle) discover(t *testing.T) (string, []extract.Finding, error) {
	t.Helper()
	var out strings.Builder
	findings, err := b.source.Discover(t.Context(), &out)
	return out.String(), findings, err
}

func TestDiscoverShowsTheSchemaAsItCame(t *testing.T) {
	t.Parallel()
	const shape = `{"any": ["product_id product_name", "product_family_guid/metric_id", {"metric_code_name": "server_id."},
		"bundle_id-bundle_name", "bundle_guid", "hwm_quantity", "hwm_cores"]}`
	b := setup(t, bigfixtest.Options{Version: "11.0.8.0"}, nil)
	b.server.Faults.Always(bigfixtest.SchemasPath+"license_usage_per_server.json", simfault.Body("application/json", shape))
	out, findings, err := b.discover(t)
	require.NoError(t, err)
	require.Equal(t, shape+"\n", out) //nolint:testifylint // byte for byte, not as JSON
	require.Equal(t, []extract.Finding{{What: "version", Says: "11.0.8.0"}}, findings)
}

func TestDiscoverWarnsOfColumnsThatAreNotNamed(t *testing.T) {
	t.Parallel()
	b := setup(t, bigfixtest.Options{Unknown: []string{"bundle_guid", "flex_id"}, ServerColumns: []string{"name", "cores"}}, func(o *bigfix.Options) {
		o.ProductTotals, o.ServerColumns = true, []string{"name", "cores", "core"}
	})
	out, findings, err := b.discover(t)
	require.NoError(t, err)
	schemas := json.NewDecoder(strings.NewReader(out))
	for range 3 { // license_usage_per_server, license_usage, server
		var schema map[string]any
		require.NoError(t, schemas.Decode(&schema))
	}
	require.False(t, schemas.More())
	require.Equal(t, []extract.Finding{
		{What: "version", Says: "11.0.7.0"},
		{What: "columns", Warn: true, Says: "bundle_guid is asked for, and schemas/license_usage_per_server.json does not name it"},
		{What: "columns", Warn: true, Says: "bundle_guid is asked for, and schemas/license_usage.json does not name it"},
		{What: "columns", Warn: true, Says: "flex_id is asked for, and schemas/license_usage.json does not name it"},
		{What: "columns", Warn: true, Says: "core is asked for, and schemas/server.json does not name it"},
	}, findings)
}

func TestDiscoverOfAServerThatDescribesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t, bigfixtest.Options{}, nil)
	b.server.Faults.Always(bigfixtest.SchemasPath+"license_usage_per_server.json", simfault.Status(404, ""))
	_, findings, err := b.discover(t)
	requireClass(t, extract.BadRequest, err)
	require.ErrorContains(t, err, "9.2.24")
	require.Equal(t, "version", findings[0].What, "what was learned is still told")
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("the disk is full") }

func TestDiscoverSaysWhenItCannotWrite(t *testing.T) {
	t.Parallel()
	b := setup(t, bigfixtest.Options{}, nil)
	_, err := b.source.Discover(t.Context(), fullDisk{})
	require.ErrorContains(t, err, "the disk is full")
}
