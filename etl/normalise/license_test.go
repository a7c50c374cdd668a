package normalise_test

import (
	"database/sql"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/etl/normalise"
	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/schema"
)

func TestLicenseUsageGolden(t *testing.T) {
	t.Parallel()
	n := normalise.NewLicenseUsage()
	var outcomes []outcome
	for i, tr := range testRecords(t, "license_usage.json") {
		var row schema.LicenseUsage
		err := n.Row(record(t, i+1, string(tr.Record), licenseColumns()), &row)
		outcomes = append(outcomes, outcomeOf(t, tr.About, row, err))
	}
	requireGolden(t, "license_usage.golden.json", outcomes)
}

func TestLicenseUsageExampleOfTheVendor(t *testing.T) {
	t.Parallel()
	var row schema.LicenseUsage
	example := testRecords(t, "license_usage.json")[0].Record
	require.NoError(t, normalise.NewLicenseUsage().Row(record(t, 1, string(example), licenseColumns()), &row))
	require.Equal(t, schema.LicenseUsage{
		ProductID: 24, ProductName: "IBM InfoSphere QualityStage Address Verification Interface",
		MetricID: 3, MetricCodeName: "PVU_FULL_CAP", ServerID: 19,
		Server:      schema.Server{Name: "LENOVO XXXXXX.hcl.com"},
		HWMQuantity: 8800, HWMCores: 88,
	}, row)
}

// licenseText is a record with the given quantity and server name.
func licenseText(server int, quantity, name string) string {
	return fmt.Sprintf(`{"product_id":1,"metric_id":3,"bundle_id":0,"server_id":%d,"hwm_quantity":%s,"hwm_cores":2,"server":{"name":%q}}`,
		server, quantity, name)
}

func TestLicenseUsageNumbers(t *testing.T) {
	t.Parallel()

	f := func(quantity string, want int64) {
		t.Helper()
		for _, text := range []string{quantity, `"` + quantity + `"`} { // as a number and as text
			var row schema.LicenseUsage
			err := normalise.NewLicenseUsage().Row(record(t, 1, licenseText(1, text, "a"), licenseColumns()), &row)
			if want < 0 {
				var reject *normalise.Reject
				require.ErrorAs(t, err, &reject, text)
				require.Equal(t, "hwm_quantity is "+text+
					", which is not a whole number from 0 to 9223372036854775807", reject.Reason)
				continue
			}
			require.NoError(t, err, text)
			require.Equal(t, want, row.HWMQuantity, text)
		}
	}

	f("0", 0)
	f("-0", 0)
	f("0.0", 0)
	f("0e999999", 0)
	f("7", 7)
	f("8800.0", 8800)
	f("8800.000000", 8800)
	f("88e2", 8800)
	f("88E+2", 8800)
	f("880000e-2", 8800)
	f("0.00088e7", 8800)
	f("999999999999999999", 999999999999999999)
	f("1000000000000000000", 1000000000000000000)
	f("9223372036854775807", 9223372036854775807)
	f("9223372036854775807.0", 9223372036854775807)
	f("9.223372036854775807e18", 9223372036854775807)
	f("9223372036854775808", -1)
	f("99999999999999999999", -1)
	f("1e19", -1)
	f("1e99999999", -1)
	f("8800.5", -1)
	f("1e-1", -1)
	f("0.1", -1)
	f("-1", -1)
	f("-9223372036854775808", -1)
}

func TestLicenseUsageTextThatIsNoNumber(t *testing.T) {
	t.Parallel()

	f := func(text string) {
		t.Helper()
		rec := record(t, 1, licenseText(1, "1", "a"), licenseColumns())
		rec.Values[extract.LicenseHWMQuantity] = extract.Value{Kind: extract.Text, Bytes: []byte(text)}
		var row schema.LicenseUsage
		var reject *normalise.Reject
		require.ErrorAs(t, normalise.NewLicenseUsage().Row(rec, &row), &reject)
	}

	for _, text := range []string{
		"", " ", "-", "--1", "+1", "1 000", "1,000", "1_000", "1.", ".5", ".", "1.2.3", "1.e3", "e3", "1e", "1e+", "1e3.0",
		"0x10", "ten", "NaN", "Infinity", "１", "1\x00",
	} {
		f(text)
	}
}

func TestLicenseUsageKeepsTheSmallestNumbers(t *testing.T) {
	t.Parallel()
	rec := record(t, 1, `{"product_id":-9223372036854775808,"metric_id":-2147483648,"server_id":-9.223372036854775808e18,
		"hwm_quantity":1,"hwm_cores":1}`, licenseColumns())
	var row schema.LicenseUsage
	require.NoError(t, normalise.NewLicenseUsage().Row(rec, &row))
	require.EqualValues(t, -1<<63, row.ProductID)
	require.EqualValues(t, -1<<31, row.MetricID)
	require.EqualValues(t, -1<<63, row.ServerID)
}

func TestLicenseUsageOverwritesTheRow(t *testing.T) {
	t.Parallel()
	row := schema.LicenseUsage{
		BundleID: 9, BundleName: "of the row before",
		Server: schema.Server{Model: "of the row before", Cores: sql.Null[int32]{V: 4, Valid: true}},
	}
	require.NoError(t, normalise.NewLicenseUsage().Row(record(t, 1, licenseText(1, "5", "a"), licenseColumns()), &row))
	require.Equal(t, schema.LicenseUsage{
		ProductID: 1, MetricID: 3, ServerID: 1, HWMQuantity: 5, HWMCores: 2, Server: schema.Server{Name: "a"},
	}, row)
}

func TestLicenseUsageRepeatedRows(t *testing.T) {
	t.Parallel()

	f := func(name string, texts []string, want string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := normalise.NewLicenseUsage()
			var row schema.LicenseUsage
			var err error
			for i, text := range texts {
				err = n.Row(record(t, i+1, text, licenseColumns()), &row)
				if i < len(texts)-1 {
					var conflict *normalise.Conflict
					require.NotErrorAs(t, err, &conflict)
				}
			}
			if want == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, want)
			_, isReject := errors.AsType[*normalise.Reject](err)
			_, isConflict := errors.AsType[*normalise.Conflict](err)
			require.Equal(t, strings.HasPrefix(want, "duplicate"), isReject)
			require.Equal(t, strings.HasPrefix(want, "rows"), isConflict)
		})
	}

	same := licenseText(1, "5", "a")
	f("another server", []string{same, licenseText(2, "5", "a")}, "")
	f("an identical row", []string{same, same}, "duplicate of the row before")
	f("the same written differently", []string{same, licenseText(1, "5.0", "a")}, "duplicate of the row before")
	f("with a reject between", []string{same, licenseText(1, "-1", "a"), same}, "duplicate of the row before")
	f("another quantity", []string{same, licenseText(1, "6", "a")},
		"rows 1 and 2 disagree about product 1, metric 3, bundle 0, server 1: hwm_quantity 5 and 6, hwm_cores 2 and 2")
	f("after a duplicate", []string{same, same, licenseText(1, "6", "a")},
		"rows 1 and 3 disagree about product 1, metric 3, bundle 0, server 1: hwm_quantity 5 and 6, hwm_cores 2 and 2")
	f("another name", []string{same, licenseText(1, "5", "b")},
		"rows 1 and 2 disagree about product 1, metric 3, bundle 0, server 1: the figures are the same, names or attributes are not")
	f("not adjacent: left to verification", []string{same, licenseText(2, "5", "a"), licenseText(1, "6", "a")}, "")
}

func TestRejectRow(t *testing.T) {
	t.Parallel()

	f := func(raw string, want string) {
		t.Helper()
		rec := &extract.Record{Ordinal: 7, Raw: []byte(raw)}
		got := (&normalise.Reject{Reason: "why"}).Row(rec)
		require.Equal(t, schema.Reject{Ordinal: 7, Reason: "why", Raw: want}, got)
		require.LessOrEqual(t, len(got.Raw), 4096)
	}

	long := strings.Repeat("x", 4095)
	f("", "")
	f(`{"a":1}`, `{"a":1}`)
	f(long+"y", long+"y")
	f(long+"yz", long+"y")
	f(long+"é", long) // the character does not fit whole
	f(long[1:]+"é", long[1:]+"é")
	f("a\xffb", "a\uFFFDb")
	f(strings.Repeat("a\xff", 4096), strings.Repeat("a\uFFFD", 1024))
}

func TestReasonsQuoteOnlyTheBeginning(t *testing.T) {
	t.Parallel()
	rec := record(t, 1, licenseText(1, `"`+strings.Repeat("9", 5000)+`"`, "a"), licenseColumns())
	var row schema.LicenseUsage
	err := normalise.NewLicenseUsage().Row(rec, &row)
	require.Error(t, err)
	require.Less(t, len(err.Error()), 200)
}

func TestNamesBecomeValidUTF8(t *testing.T) {
	t.Parallel()
	rec := record(t, 1, licenseText(1, "1", "a"), licenseColumns())
	rec.Values[extract.LicenseServerName].Bytes = []byte("caf\xe9")
	rec.Values[extract.LicenseProductName] = extract.Value{Kind: extract.Text, Bytes: []byte(strings.Repeat("\xe9x", 300))}
	var row schema.LicenseUsage
	require.NoError(t, normalise.NewLicenseUsage().Row(rec, &row))
	require.Equal(t, "caf\uFFFD", row.Server.Name)
	require.Equal(t, strings.Repeat("\uFFFDx", 300), row.ProductName)
}

func TestRowsDoNotChangeWithTheBytesTheyCameFrom(t *testing.T) {
	t.Parallel()
	n := normalise.NewLicenseUsage()
	rec := record(t, 1, licenseText(1, "1", "first"), licenseColumns())
	var first, second schema.LicenseUsage
	require.NoError(t, n.Row(rec, &first))
	copy(rec.Values[extract.LicenseServerName].Bytes, "other")
	rec.Values[extract.LicenseServerID].Bytes = []byte("2")
	require.NoError(t, n.Row(rec, &second))
	require.Equal(t, "first", first.Server.Name)
	require.Equal(t, "other", second.Server.Name)
}

func TestNamesStayRightHoweverManyPass(t *testing.T) {
	t.Parallel()
	n, servers := normalise.NewLicenseUsage(), newEstate(t, 60_000)
	var row schema.LicenseUsage
	for range 2 * servers.servers {
		rec := servers.row()
		require.NoError(t, n.Row(rec, &row))
		if row.Server.Name != string(rec.Values[extract.LicenseServerName].Bytes) || row.Server.Vendor != "LENOVO" {
			require.Fail(t, "names of another row", "%+v", row)
		}
	}
}

func FuzzQuantity(f *testing.F) {
	for _, seed := range []string{"0", "-0", "8800.0", "8.8e3", "1e-1", "9223372036854775807", "9223372036854775808", "1e19", "0.5", "abc", "1e99999999"} {
		f.Add(seed)
	}
	base := record(f, 1, licenseText(1, "1", "a"), licenseColumns())
	f.Fuzz(func(t *testing.T, text string) {
		rec := *base
		rec.Values = append([]extract.Value(nil), base.Values...)
		rec.Values[extract.LicenseHWMQuantity] = extract.Value{Kind: extract.Text, Bytes: []byte(text)}
		var row schema.LicenseUsage
		if normalise.NewLicenseUsage().Row(&rec, &row) != nil {
			return
		}
		require.GreaterOrEqual(t, row.HWMQuantity, int64(0))
		if len(text) < 100 {
			exact, ok := new(big.Rat).SetString(strings.TrimSpace(text))
			require.True(t, ok, "%q is no number", text)
			require.Equal(t, new(big.Rat).SetInt64(row.HWMQuantity), exact)
		}
	})
}
