package bigfix_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/extract"
)

// vendorExample is the response body of the example conversation on HCL's page
// on license_usage_per_server.
const vendorExample = `[{
  "product_id": 24,
  "metric_id": 3,
  "bundle_id": 0,
  "server_id": 19,
  "product_name": "IBM InfoSphere QualityStage Address Verification Interface",
  "metric_code_name": "PVU_FULL_CAP",
  "bundle_name": null,
  "hwm_quantity": 8800,
  "hwm_cores": 88,
  "server": {
    "name":"LENOVO XXXXXX.hcl.com"
  }
}]`

// shown writes a record as text, one field a line, so that a test can say what
// it expects in one string.
func shown(r *extract.Record) string {
	kinds := []string{"absent", "null", "text", "number", "bool", "json"}
	names := []string{
		"product_id", "product_name", "product_family_guid", "metric_id", "metric_code_name", "bundle_id", "bundle_name",
		"bundle_guid", "server_id", "hwm_quantity", "hwm_cores", "server.name", "server.type", "server.serial", "server.vendor",
		"server.model", "server.total_processors", "server.cores", "server.pvu_per_core", "server.active_computers",
	}
	var lines []string
	for i, v := range r.Values {
		if v.Kind != extract.Absent {
			lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s %s", names[i], kinds[v.Kind], v.Bytes)))
		}
	}
	for _, f := range r.Extra {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("+%s %s %s", f.Name, kinds[f.Value.Kind], f.Value.Bytes)))
	}
	return strings.Join(lines, "\n")
}

// decode pulls from prepared bodies and shows every record.
func decode(t *testing.T, bodies ...string) ([]string, extract.Answer, error) {
	t.Helper()
	var records []string
	answer, err := offline(t, nil).Pull(t.Context(), &answers{bodies: bodies}, extract.Request{Feed: "default", Day: someDay},
		func(r *extract.Record) error {
			records = append(records, shown(r))
			return nil
		})
	return records, answer, err
}

func TestDecodeReadsTheVendorsExampleInBothShapes(t *testing.T) {
	t.Parallel()
	want := strings.Join([]string{
		"product_id number 24",
		"product_name text IBM InfoSphere QualityStage Address Verification Interface",
		"metric_id number 3",
		"metric_code_name text PVU_FULL_CAP",
		"bundle_id number 0",
		"bundle_name null",
		"server_id number 19",
		"hwm_quantity number 8800",
		"hwm_cores number 88",
		"server.name text LENOVO XXXXXX.hcl.com",
	}, "\n")
	for name, body := range map[string]string{
		"array":                  vendorExample,
		"object":                 `{"total":1,"rows":` + vendorExample + `}`,
		"rows before total":      `{"rows":` + vendorExample + `,"total":1}`,
		"without total":          "\r\n{ \"rows\" : " + vendorExample + " }\n",
		"total null":             `{"total":null,"rows":` + vendorExample + `}`,
		"other keys are skipped": `{"meta":{"rows":[1,"]}"],"a\\":"\\\""},"x":[],"rows":` + vendorExample + `,"y":-1.5e3,"z":null}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			records, answer, err := decode(t, body)
			require.NoError(t, err)
			require.Equal(t, []string{want}, records)
			require.Equal(t, extract.Answer{Requests: 1, Bytes: int64(len(body)), Records: 1}, answer)
		})
	}
}

func TestDecodeOneRow(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]struct{ row, want string }{
		"all server columns": {
			`{"server":{"id":493,"name":"TLM_VM_1","type":1,"hardware_vendor":"-","hardware_model":"-","total_processors":1,` +
				`"hardware_serial_number":"S","cores":2,"pvu_per_core":120,"active_computers":1}}`,
			"server.name text TLM_VM_1\nserver.type number 1\nserver.serial text S\nserver.vendor text -\nserver.model text -\n" +
				"server.total_processors number 1\nserver.cores number 2\nserver.pvu_per_core number 120\nserver.active_computers number 1\n" +
				"+server.id number 493",
		},
		"numbers as they are written": {
			`{"metric_id":"-32603","product_id":1e2,"hwm_quantity":12345678901234567890.5}`,
			"product_id number 1e2\nmetric_id text -32603\nhwm_quantity number 12345678901234567890.5",
		},
		"escapes":            {`{"product_name":"IBM\u00ae \"Db2\"\\ \ud83d\ude00","bundle_name":""}`, "product_name text IBM® \"Db2\"\\ 😀\nbundle_name text"},
		"escaped key":        {`{"product\u005fid":7}`, "product_id number 7"},
		"unknown keys":       {`{"a":true,"b":{"c":[1, 2]},"d":null,"name":"n"}`, "+a bool true\n+b json {\"c\":[1, 2]}\n+d null\n+name text n"},
		"server null":        {`{"server":null}`, "+server null"},
		"server as text":     {`{"server":"S1"}`, "+server text S1"},
		"empty server":       {`{"server":{}}`, ""},
		"server is no row":   {`{"server":{"product_id":1,"server":{"name":"x"}}}`, "+server.product_id number 1\n+server.server json {\"name\":\"x\"}"},
		"the last one wins":  {`{"product_id":1,"product_id":2}`, "product_id number 2"},
		"an empty object":    {`{}`, ""},
		"null":               {`null`, ""},
		"a number":           {`-1.5`, ""},
		"a text with braces": {`"}]\"{"`, ""},
		"an array":           {`[{"product_id":1}]`, ""},
		"totals' columns":    {`{"flex_id":1,"hwm_peak_time":"x"}`, "+flex_id number 1\n+hwm_peak_time text x"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var raw []string
			var got []string
			body := "[" + f.row + ` , {"product_id":99}]`
			_, err := offline(t, nil).Pull(t.Context(), &answers{bodies: []string{body}}, extract.Request{Feed: "default", Day: someDay},
				func(r *extract.Record) error {
					raw = append(raw, string(r.Raw))
					got = append(got, shown(r))
					return nil
				})
			require.NoError(t, err)
			require.Equal(t, []string{f.row, `{"product_id":99}`}, raw)
			require.Equal(t, []string{f.want, "product_id number 99"}, got, "and nothing is left of the row before")
		})
	}
}

func TestDecodeRefusesWhatIsNotTheDocumentedAnswer(t *testing.T) {
	t.Parallel()
	row := `{"product_id":1}`
	for name, f := range map[string]struct {
		body  string
		class extract.Class
		says  string
	}{
		"nothing":                {"", extract.BadAnswer, "the body is empty"},
		"only white space":       {" \n", extract.BadAnswer, "the body is empty"},
		"a page":                 {"<html><title>Sign in</title></html>", extract.BadAnswer, `"HTML page: Sign in"`},
		"a text":                 {`"no"`, extract.BadAnswer, "not a JSON array or object"},
		"an error object":        {`{"error":"import is running"}`, extract.BadAnswer, "import is running"},
		"an empty object":        {`{}`, extract.BadAnswer, `an object without "rows"`},
		"only the count":         {`{"total":7}`, extract.BadAnswer, "only a count"},
		"only a number":          {`7`, extract.BadAnswer, "not a JSON array or object"},
		"rows are null":          {`{"rows":null}`, extract.BadAnswer, `"rows" is not an array`},
		"rows twice":             {`{"rows":[],"rows":[]}`, extract.BadAnswer, `"rows" twice`},
		"total too high":         {`{"total":2,"rows":[` + row + `]}`, extract.BadAnswer, "counts 2 rows and sent 1"},
		"total too low":          {`{"total":0,"rows":[` + row + `]}`, extract.BadAnswer, "counts 0 rows and sent 1"},
		"total a text":           {`{"total":"many","rows":[]}`, extract.BadAnswer, `"total" is "many"`},
		"text behind":            {`[` + row + `]oops`, extract.BadAnswer, "text behind the end"},
		"a second answer behind": {`[` + row + `][` + row + `]`, extract.BadAnswer, "text behind the end"},
		"a broken row":           {`[` + row + `,{"product_id":01}]`, extract.BadAnswer, "row 2 is not valid JSON"},
		"crossed brackets":       {`[{"a":[}]]`, extract.BadAnswer, "row 1 is not valid JSON"},
		"a bare word":            {`[` + row + `,nil]`, extract.BadAnswer, "row 2 is not valid JSON"},
		"no comma":               {`[` + row + row + `]`, extract.BadAnswer, "instead of a comma"},
		"a comma too much":       {`[` + row + `,]`, extract.BadAnswer, "where a value should be"},
		"no colon":               {`{"total" 1}`, extract.BadAnswer, "instead of a colon"},
		"a key that is none":     {`{1:2}`, extract.BadAnswer, "where a key should be"},
		"cut in a row":           {`[` + row + `,{"product_`, extract.Interrupted, "ended in the middle, after 1 rows"},
		"cut in a string":        {`{"rows":[` + row + `,{"a":"\"`, extract.Interrupted, "ended in the middle"},
		"cut between rows":       {`[` + row, extract.Interrupted, "ended in the middle"},
		"cut behind a comma":     {`[` + row + `,`, extract.Interrupted, "ended in the middle"},
		"cut behind the rows":    {`{"rows":[` + row + `]`, extract.Interrupted, "ended in the middle"},
		"cut in the total":       {`{"rows":[` + row + `],"total":1`, extract.Interrupted, "ended in the middle"},
		"cut behind a key":       {`{"rows"`, extract.Interrupted, "ended in the middle"},
		"cut at the start":       {`[`, extract.Interrupted, "ended in the middle"},
		"a row without end":      {`[{"a":"` + strings.Repeat("x", 5<<20) + `"}]`, extract.BadAnswer, "longer than 4194304 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := decode(t, f.body)
			requireClass(t, f.class, err)
			require.ErrorContains(t, err, f.says)
			require.ErrorContains(t, err, `asking "bfi" for license usage of `+someDay)
		})
	}
}

func TestDecodeAcceptsRowsOfAnyPlaceInTheBuffer(t *testing.T) {
	t.Parallel()
	var body strings.Builder
	var want []string
	body.WriteString(`{"rows":[`)
	for i := range 3000 {
		if i > 0 {
			body.WriteString(",")
		}
		name := strings.Repeat(`\"[{`, i%700)
		fmt.Fprintf(&body, `{"product_id":%d,"product_name":"%s"}`, i, name)
		line := fmt.Sprintf("product_id number %d\nproduct_name text %s", i, strings.ReplaceAll(name, `\`, ""))
		want = append(want, strings.TrimSpace(line))
	}
	body.WriteString("]}")
	records, answer, err := decode(t, body.String())
	require.NoError(t, err)
	require.Equal(t, want, records)
	require.Equal(t, int64(body.Len()), answer.Bytes)
}

func TestPullReturnsTheErrorOfEmitAsItIs(t *testing.T) {
	t.Parallel()
	full := errors.New("the spool is full")
	calls := 0
	_, err := offline(t, nil).Pull(t.Context(), &answers{bodies: []string{`[{},{},{}]`}}, extract.Request{Feed: "default", Day: someDay},
		func(*extract.Record) error {
			if calls++; calls == 2 {
				return full
			}
			return nil
		})
	require.Same(t, full, err)
	require.Equal(t, 2, calls)
}

// BenchmarkDecode decodes rows of the size that the vendor's columns and the
// server's name give. Rows per second are the metric to look at.
func BenchmarkDecode(b *testing.B) {
	row := bytes.ReplaceAll([]byte(strings.Trim(vendorExample, "[]")), []byte("\n"), nil)
	row = bytes.ReplaceAll(row, []byte("  "), nil)
	row = bytes.Replace(row, []byte(`"bundle_name"`),
		[]byte(`"product_family_guid":"7b6ba0d54f4e4a9c8b6c0d5f4e4a9c8b","bundle_guid":null,"bundle_name"`), 1)
	const rows = 20_000
	body := "[" + strings.Repeat(string(row)+",", rows-1) + string(row) + "]"
	source := offline(b, nil)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		answer, err := source.Pull(b.Context(), &answers{bodies: []string{body}}, extract.Request{Feed: "default", Day: someDay},
			func(*extract.Record) error { return nil })
		if err != nil || answer.Records != rows {
			b.Fatalf("%d records, %v", answer.Records, err)
		}
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
