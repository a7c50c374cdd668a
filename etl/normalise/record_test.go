package normalise_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/etl/normalise"
	"github.com/meterhouse/meterhouse/extract"
)

var update = flag.Bool("update", false, "write the golden files anew")

// licenseColumns and meteringColumns map the keys of test data to columns; what
// they do not name is an extra field.
func licenseColumns() map[string]int {
	return map[string]int{
		"product_id": extract.LicenseProductID, "product_name": extract.LicenseProductName,
		"product_family_guid": extract.LicenseProductFamilyGUID,
		"metric_id":           extract.LicenseMetricID, "metric_code_name": extract.LicenseMetricCodeName,
		"bundle_id": extract.LicenseBundleID, "bundle_name": extract.LicenseBundleName, "bundle_guid": extract.LicenseBundleGUID,
		"server_id": extract.LicenseServerID, "hwm_quantity": extract.LicenseHWMQuantity, "hwm_cores": extract.LicenseHWMCores,
		"server.name": extract.LicenseServerName, "server.type": extract.LicenseServerType,
		"server.hardware_serial_number": extract.LicenseServerSerialNumber,
		"server.hardware_vendor":        extract.LicenseServerVendor, "server.hardware_model": extract.LicenseServerModel,
		"server.total_processors": extract.LicenseServerTotalProcessors, "server.cores": extract.LicenseServerCores,
		"server.pvu_per_core": extract.LicenseServerPVUPerCore, "server.active_computers": extract.LicenseServerActiveComputers,
	}
}

func meteringColumns() map[string]int {
	return map[string]int{
		"device": extract.MeteringDevice, "entity": extract.MeteringEntity,
		"avg_usage": extract.MeteringAvgUsage, "avg_executions": extract.MeteringAvgExecutions,
		"first_seen": extract.MeteringFirstSeen, "last_activity": extract.MeteringLastActivity,
		"binaries": extract.MeteringBinaries,
	}
}

// record is a JSON object as a source would hand it over: its members as the
// columns name them, "server" with its members, all else as extra fields.
func record(tb testing.TB, ordinal int, text string, columns map[string]int) *extract.Record {
	tb.Helper()
	rec := &extract.Record{Ordinal: uint64(ordinal), Raw: []byte(text), Values: make([]extract.Value, len(columns))}
	addMembers(tb, rec, "", text, columns)
	return rec
}

func addMembers(tb testing.TB, rec *extract.Record, prefix, object string, columns map[string]int) {
	tb.Helper()
	dec := json.NewDecoder(bytes.NewReader([]byte(object)))
	_, err := dec.Token()
	require.NoError(tb, err)
	for dec.More() {
		key, err := dec.Token()
		require.NoError(tb, err)
		var member json.RawMessage
		require.NoError(tb, dec.Decode(&member))
		name := prefix + key.(string)
		if name == "server" && member[0] == '{' {
			addMembers(tb, rec, "server.", string(member), columns)
			continue
		}
		v := value(tb, member)
		if col, ok := columns[name]; ok {
			rec.Values[col] = v
		} else {
			rec.Extra = append(rec.Extra, extract.Field{Name: name, Value: v})
		}
	}
}

// value is a JSON value as a source would hand it over.
func value(tb testing.TB, raw json.RawMessage) extract.Value {
	tb.Helper()
	switch raw[0] {
	case 'n':
		return extract.Value{Kind: extract.Null}
	case '"':
		var s string
		require.NoError(tb, json.Unmarshal(raw, &s))
		return extract.Value{Kind: extract.Text, Bytes: []byte(s)}
	case 't', 'f':
		return extract.Value{Kind: extract.Bool, Bytes: raw}
	case '{', '[':
		return extract.Value{Kind: extract.JSON, Bytes: raw}
	default:
		return extract.Value{Kind: extract.Number, Bytes: raw}
	}
}

// testRecord is one entry of a file of test data: what it shows, and the object.
type testRecord struct {
	About  string          `json:"about"`
	Record json.RawMessage `json:"record"`
}

func testRecords(t *testing.T, name string) []testRecord {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	var records []testRecord
	require.NoError(t, json.Unmarshal(text, &records))
	require.NotEmpty(t, records)
	return records
}

// outcome is what became of one record of test data.
type outcome struct {
	About  string `json:"about"`
	Row    any    `json:"row,omitempty"`
	Reject string `json:"reject,omitempty"`
}

func outcomeOf(t *testing.T, about string, row any, err error) outcome {
	t.Helper()
	if err != nil {
		var reject *normalise.Reject
		require.ErrorAs(t, err, &reject)
		return outcome{About: about, Reject: reject.Reason}
	}
	text, err := json.Marshal(row)
	require.NoError(t, err)
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var said any
	require.NoError(t, dec.Decode(&said))
	return outcome{About: about, Row: plain(said)}
}

// plain writes a row for reading: the value of a Null or null, and no members
// that are blank.
func plain(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case map[string]any:
		if valid, isNull := v["Valid"].(bool); isNull {
			if !valid {
				return nil
			}
			return v["V"]
		}
		for k := range v {
			if v[k] = plain(v[k]); v[k] == nil || v[k] == "" {
				delete(v, k)
			}
		}
	}
	return v
}

// requireGolden compares got, written as JSON, with a file. `go test
// ./etl/normalise -update` writes the file anew.
func requireGolden(t *testing.T, name string, got any) {
	t.Helper()
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	require.NoError(t, enc.Encode(got))
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, text.Bytes(), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), text.String())
}
