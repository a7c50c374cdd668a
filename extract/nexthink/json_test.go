package nexthink_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/extract/nexthink"
	"github.com/meterhouse/meterhouse/extract/nexthink/nexthinktest"
)

// Every form of JSON that the documented output can have gives the same record.
func TestJSONForms(t *testing.T) {
	t.Parallel()
	const want = `PC1 Lausanne 12.5:number 1.2:number 2026-03-02 null ["visio.exe"]:json`
	const object = `{"device":"PC1","entity":"Lausanne","averageUsagePerDay":12.5,"averageExecutionsPerDay":1.2,` +
		`"firstDateWithPackage":"2026-03-02","lastActivity":null,"binaries":["visio.exe"]}`
	const header = `["Device","Entity","Average usage per day (seconds)","Average executions per day",` +
		`"First date with package","Last activity","Binaries"]`
	const row = `["PC1","Lausanne",12.5,1.2,"2026-03-02",null,["visio.exe"]]`
	for name, body := range map[string]string{
		"array of objects":               `[` + object + `]`,
		"byte order mark":                "\xEF\xBB\xBF[" + object + "]",
		"white space everywhere":         "\r\n [\n\t" + strings.ReplaceAll(object, ",", " ,\n ") + "\n]\n\n",
		"any key order":                  `[{"binaries":["visio.exe"],"lastActivity":null,"firstDateWithPackage":"2026-03-02","averageExecutionsPerDay":1.2,"averageUsagePerDay":12.5,"entity":"Lausanne","device":"PC1"}]`,
		"labels as keys":                 `[{"Device":"PC1","Entity":"Lausanne","Average usage per day (seconds)":12.5,"Average executions per day":1.2,"First date with package":"2026-03-02","Last activity":null,"Binaries":["visio.exe"]}]`,
		"snake_case":                     `[{"device_name":"PC1","entity_name":"Lausanne","avg_usage_per_day":12.5,"avg_executions_per_day":1.2,"first_package_date":"2026-03-02","last_used":null,"used_binaries":["visio.exe"]}]`,
		"escaped keys and values":        `[{"d\u0065vice":"P\u00431","Entity":"Lausanne","averageUsage":12.5,"averageExecutions":1.2,"firstSeen":"2026\u002d03-02","lastActivityDate":null,"binary":["visio.exe"]}]`,
		"object with details":            `{"details":[` + object + `]}`,
		"object with a list of any name": `{"total":1,"ok":true,"meta":{"a":[{"device":"no"}]},"tags":["x"],"grid":[[1]],"computers":[` + object + `],"more":null}`,
		"usual name beats another":       `{"engines":[{"name":"engine-1"}],"details":[` + object + `],"warnings":[{"name":"old"}]}`,
		"empty usual list, then the one": `{"tags":[],"computers":[` + object + `]}`,
		"headers and rows":               `{"headers":` + header + `,"rows":[` + row + `]}`,
		"columns and data":               `{"total":1,"columns":` + header + `,"data":[` + row + `]}`,
		"rows before headers":            `{"data":[` + row + `],"headers":` + header + `}`,
		"columns that are no header":     `{"columns":[{"name":"Device"}],"rows":[` + object + `]}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			records, answer, err := pullBody(t, nexthink.FormatJSON, body)
			require.NoError(t, err)
			require.Equal(t, []string{want}, records)
			require.Equal(t, uint64(1), answer.Records)
			require.Equal(t, int64(len(body)+len(noEngines)), answer.Bytes)
			require.Equal(t, 2, answer.Requests, "the second asks for the engines")
		})
	}
}

// Values keep the form in which the Portal wrote them: what they mean is not
// decided here.
func TestJSONValues(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		body string
		want []string
		note string
	}{
		"numbers as written": {
			body: `[{"device":"PC1","averageUsage":1.50e2,"averageExecutions":"1,5"}]`,
			want: []string{`PC1 - 1.50e2:number 1,5 - - -`},
		},
		"null, blank and false are three things": {
			body: `[{"device":"","entity":null,"averageUsage":false}]`,
			want: []string{` null false:bool - - - -`},
		},
		"binaries as objects": {
			body: `[{"device":"PC1","binaries":[{"name":"a.exe","used":true}, {"name":"b.exe"}]}]`,
			want: []string{`PC1 - - - - - [{"name":"a.exe","used":true}, {"name":"b.exe"}]:json`},
		},
		"binaries as a map":  {body: `[{"device":"PC1","binaries":{"a.exe":"yes"}}]`, want: []string{`PC1 - - - - - {"a.exe":"yes"}:json`}},
		"binaries as a text": {body: `[{"device":"PC1","binaries":"a.exe yes"}]`, want: []string{`PC1 - - - - - a.exe yes`}},
		"unknown keys are kept": {
			body: `[{"device":"PC1","os":"Windows","ram":16},{"device":"PC2"}]`,
			want: []string{`PC1 - - - - - - | os=Windows | ram=16:number`, `PC2 - - - - - -`},
			note: `the answer has keys that no column was made for, kept in extra: "os", "ram"`,
		},
		"the better key wins, whatever the order": {
			body: `[{"name":"Visio","device":"PC1"},{"device":"PC2","name":"Visio"}]`,
			want: []string{`PC1 - - - - - - | name=Visio`, `PC2 - - - - - - | name=Visio`},
			note: `the answer has keys that no column was made for, kept in extra: "name"`,
		},
		"a key twice": {body: `[{"device":"PC1","device":"PC2"}]`, want: []string{`PC1 - - - - - - | device=PC2`}, note: `the answer has keys that no column was made for, kept in extra: "device"`},
		"only the first record must have a device": {body: `[{"device":"PC1"},{"entity":"x"}]`, want: []string{`PC1 - - - - - -`, `- x - - - - -`}},
		"an element that is no object": {
			body: `[{"device":"PC1"},null,{"device":"PC2"}]`,
			want: []string{`PC1 - - - - - -`, `odd row: null`, `PC2 - - - - - -`},
			note: "rows that do not have the form of a record: 1, the first is row 2",
		},
		"a row with a value too many or too few": {
			body: `{"headers":["device","entity"],"rows":[["PC1","x"],["PC2"],["PC3","x","y"],"z",["PC4","x"]]}`,
			want: []string{`PC1 x - - - - -`, `odd row: ["PC2"]`, `odd row: ["PC3","x","y"]`, `odd row: "z"`, `PC4 x - - - - -`},
			note: "rows that do not have the form of a record: 3, the first is row 2",
		},
		"not UTF-8": {
			body: "[{\"device\":\"PC1\"},{\"device\":\"Z\xFCrich\x80\"}]",
			want: []string{`PC1 - - - - - -`, `Zürich€ - - - - - -`},
			note: "rows that are not UTF-8 and were read as Windows-1252: 1, the first is row 2",
		},
		"names of other scripts": {body: `[{"device":"東京","entity":"\u6771\u4eac \ud83d\ude00"}]`, want: []string{`東京 東京 😀 - - - - -`}},
		"another list is named": {
			body: `{"details":[{"device":"PC1"}],"engines":[{"name":"e"}]}`,
			want: []string{`PC1 - - - - - -`},
			note: `the answer holds further lists, which were not read: "engines"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			records, answer, err := pullBody(t, nexthink.FormatJSON, tc.body)
			require.NoError(t, err)
			require.Equal(t, tc.want, records)
			if tc.note == "" {
				require.Empty(t, answer.Notes)
			} else {
				require.Equal(t, []string{tc.note}, answer.Notes)
			}
		})
	}
}

// An empty list is an answer; nothing else without rows is.
func TestJSONEmpty(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"array":                 `[]`,
		"array in white space":  " [\n] \n",
		"usual list":            `{"total":0,"details":[]}`,
		"header without rows":   `{"headers":["Device","Entity"],"rows":[]}`,
		"rows without a header": `{"rows":[],"engines":[]}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			records, answer, err := pullBody(t, nexthink.FormatJSON, body)
			require.NoError(t, err)
			require.Empty(t, records)
			require.Zero(t, answer.Records)
		})
	}
}

func TestJSONThatIsNotTheAnswer(t *testing.T) {
	t.Parallel()
	long := strings.Repeat(`{"device":"PC1","entity":"`+strings.Repeat("x", 1000)+`"},`, 1100)
	for name, tc := range map[string]struct {
		body  string
		class extract.Class
		says  string
	}{
		"nothing":                     {``, extract.BadAnswer, "the answer is empty"},
		"white space":                 {" \r\n", extract.BadAnswer, "the answer is empty"},
		"byte order mark only":        {"\xEF\xBB\xBF", extract.BadAnswer, "the answer is empty"},
		"a page":                      {"\n <!DOCTYPE html><title>Log in</title>", extract.BadAnswer, `begins with "\n <!DOCTYPE html><title>Log in</title>"`},
		"a page behind a mark":        {"\xEF\xBB\xBF<html>", extract.BadAnswer, `begins with "<html>"`},
		"text":                        {"Service starting", extract.BadAnswer, `begins with "Service starting"`},
		"csv":                         {"Device,Entity\nPC1,x\n", extract.BadAnswer, `begins with "Device,Entity\nPC1,x\n"`},
		"a number":                    {"404", extract.BadAnswer, "not an array or object"},
		"null":                        {"null", extract.BadAnswer, "not an array or object"},
		"list of texts":               {`["PC1"]`, extract.BadAnswer, "not one of objects"},
		"list of lists":               {`[["PC1"]]`, extract.BadAnswer, "not one of objects"},
		"no device":                   {`[{"entity":"Lausanne","os":"Windows"}]`, extract.BadAnswer, `its keys are "entity", "os"`},
		"empty object first":          {`[{}]`, extract.BadAnswer, "stands for the device"},
		"no device in the header":     {`{"headers":["Entity"],"rows":[["Lausanne"]]}`, extract.BadAnswer, "stands for the device"},
		"the same without rows":       {`{"headers":["Entity"],"rows":[]}`, extract.BadAnswer, "no key of the header stands for the device"},
		"an error":                    {`{"error":"down","code":7}`, extract.BadAnswer, `its members are "code", "error"`},
		"no list where one is usual":  {`{"details":null}`, extract.BadAnswer, "no member of the answer is a list of devices"},
		"empty list of another name":  {`{"errors":[]}`, extract.BadAnswer, "no member of the answer is a list of devices"},
		"empty beside errors":         {`{"details":[],"errors":[{"name":"denied"}]}`, extract.BadAnswer, `empty but another is not: "errors"`},
		"rows and no header":          {`{"rows":[["PC1"]]}`, extract.BadAnswer, "no member of the answer is a list of devices"},
		"two lists, one nameless":     {`{"":[{"device":"PC1"}],"b":[{"device":"PC2"}]}`, extract.BadAnswer, `it is not clear which`},
		"two lists of other names":    {`{"a":[{"device":"PC1"}],"b":[{"device":"PC2"}]}`, extract.BadAnswer, `it is not clear which`},
		"two usual lists":             {`{"data":[{"device":"PC1"}],"rows":[{"device":"PC2"}]}`, extract.BadAnswer, `two lists that could be the devices: "data", "rows"`},
		"a long list, then the usual": {`{"a":[` + long + `{"device":"PC1"}],"details":[{"device":"PC2"}]}`, extract.BadAnswer, `two lists that could be the devices: "a", "details"`},
		"a long list, then another":   {`{"a":[` + long + `{"device":"PC1"}],"b":[{"device":"PC2"}]}`, extract.BadAnswer, `two lists that could be the devices: "a", "b"`},
		"a list, then a long one":     {`{"b":[{"device":"PC2"}],"a":[` + long + `{"device":"PC1"}]}`, extract.BadAnswer, `it is not clear which`},
		"text behind the end":         {`[{"device":"PC1"}]<!-- cached -->`, extract.BadAnswer, "goes on behind the end"},
		"a second value":              {`[] []`, extract.BadAnswer, "goes on behind the end"},
		"two values without comma":    {`[{"device":"PC1"} {"device":"PC2"}]`, extract.BadAnswer, "cannot be read"},
		"a bad number":                {`[{"device":"PC1","averageUsage":NaN}]`, extract.BadAnswer, "cannot be read"},
		"a number without its end":    {`[{"device":"PC1","averageUsage":1.}]`, extract.BadAnswer, "cannot be read"},
		"ends behind the bracket":     {`[`, extract.Interrupted, "ends in the middle, after 1 bytes"},
		"ends in a key":               {`[{"dev`, extract.Interrupted, "ends in the middle"},
		"ends behind a key":           {`{"details":`, extract.Interrupted, "ends in the middle"},
		"ends in a text":              {`[{"device":"PC1`, extract.Interrupted, "ends in the middle"},
		"ends behind a record":        {`[{"device":"PC1"},{"device":"PC2"}`, extract.Interrupted, "ends in the middle"},
		"ends behind a comma":         {`[{"device":"PC1"},`, extract.Interrupted, "ends in the middle"},
		"ends in a list of a member":  {`{"details":[{"device":"PC1"}`, extract.Interrupted, "ends in the middle"},
		"ends behind the list":        {`{"details":[{"device":"PC1"}]`, extract.Interrupted, "ends in the middle"},
		"ends in a member not wanted": {`{"details":[{"device":"PC1"}],"x":{"y":[1,`, extract.Interrupted, "ends in the middle"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := pullBody(t, nexthink.FormatJSON, tc.body)
			e := asError(t, err)
			require.Equal(t, tc.class, e.Class, "%v", err)
			require.ErrorContains(t, err, tc.says)
			require.ErrorContains(t, err, `asking "hq" for metering details of visio/installed`)
		})
	}
}

// Wherever an answer that HTTP calls complete is cut, it is never taken for one.
func TestJSONCutAnywhere(t *testing.T) {
	t.Parallel()
	const object = `{"device":"PC1","entity":"L\u0061","averageUsage":-1.5e3,"lastActivity":null,"os":true,"binaries":["a"]}`
	for name, body := range map[string]string{
		"array":  `[` + object + `,` + object + `]`,
		"object": `{"x":{"y":[1]},"details":[` + object + `],"n":1}`,
		"table":  `{"headers":["device","os"],"rows":[["PC1",true],["PC2",null]]}`,
	} {
		b := setup(t, nexthinktest.Options{})
		for cut := range len(body) {
			b.answer(body[:cut])
			_, _, err := b.pull(t, "visio/installed")
			e := asError(t, err)
			want := extract.Interrupted
			if cut == 0 {
				want = extract.BadAnswer
			}
			require.Equal(t, want, e.Class, "%s cut after %q: %v", name, body[:cut], err)
		}
		b.answer(body)
		_, _, err := b.pull(t, "visio/installed")
		require.NoError(t, err)
	}
}

// A list under a name of its own is held back only until it is clear that it is
// the one; a table only where its header comes last.
func TestJSONLongLists(t *testing.T) {
	t.Parallel()
	const n = 30_000
	var objects, rows []string
	for i := range n {
		objects = append(objects, fmt.Sprintf(`{"device":"PC%05d","entity":"a city with a long name, to be sure"}`, i))
		rows = append(rows, fmt.Sprintf(`["PC%05d","a city with a long name, to be sure"]`, i))
	}
	for name, body := range map[string]string{
		"array":               `[` + strings.Join(objects, ",") + `]`,
		"usual name":          `{"details":[` + strings.Join(objects, ",") + `]}`,
		"empty name":          `{"":[` + strings.Join(objects, ",") + `]}`,
		"beside a matrix":     `{"grid":[[1]],"computers":[` + strings.Join(objects, ",") + `]}`,
		"name of its own":     `{"computers":[` + strings.Join(objects, ",") + `],"n":1}`,
		"header first":        `{"columns":["device","entity"],"data":[` + strings.Join(rows, ",") + `]}`,
		"rows first":          `{"data":[` + strings.Join(rows, ",") + `],"headers":["device","entity"]}`,
		"held and overtaken":  `{"small":[` + strings.Join(objects[:5000], ",") + `],"items":[` + strings.Join(objects, ",") + `]}`,
		"long member ignored": `{"details":[` + strings.Join(objects, ",") + `],"other":[` + strings.Join(objects, ",") + `]}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			records, answer, err := pullBody(t, nexthink.FormatJSON, body)
			require.NoError(t, err)
			require.Len(t, records, n)
			require.Equal(t, uint64(n), answer.Records)
			for i, r := range records {
				require.Equal(t, fmt.Sprintf("PC%05d a city with a long name, to be sure - - - - -", i), r)
			}
		})
	}
}

func TestJSONRowWithoutEnd(t *testing.T) {
	t.Parallel()
	_, _, err := pullBody(t, nexthink.FormatJSON, `[{"device":"`+strings.Repeat("x", 5<<20)+`"}]`)
	require.Equal(t, extract.BadAnswer, asError(t, err).Class)
	require.ErrorContains(t, err, "a row is longer than the 4194304 bytes that are allowed")
}
