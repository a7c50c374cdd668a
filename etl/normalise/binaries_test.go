package normalise_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/etl/normalise"
	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/schema"
)

// listed writes the binaries of a row as "name yes", "name no" or "name ?".
func listed(row *schema.MeteringDetail) []string {
	out := []string{}
	for i, name := range row.Binaries {
		used := "?"
		if u := row.BinariesUsed[i]; u.Valid {
			used = map[bool]string{true: "yes", false: "no"}[u.V]
		}
		out = append(out, fmt.Sprintf("%s %s", name, used))
	}
	return out
}

func requireBinaries(t *testing.T, v extract.Value, wantExtra string, want ...string) {
	t.Helper()
	var row schema.MeteringDetail
	require.NoError(t, normalise.NewMetering(normalise.MeteringOptions{}).Row(device(extract.MeteringBinaries, v), &row))
	require.Len(t, row.BinariesUsed, len(row.Binaries))
	require.Equal(t, append([]string{}, want...), listed(&row), "%s", v.Bytes)
	require.Equal(t, wantExtra, row.Extra, "%s", v.Bytes)
}

func TestBinariesInText(t *testing.T) {
	t.Parallel()

	f := func(s string, want ...string) {
		t.Helper()
		requireBinaries(t, text(s), "", want...)
	}

	f("visio.exe yes", "visio.exe yes")
	f("visio.exe no", "visio.exe no")
	f("visio.exe YES, winproj.exe No", "visio.exe yes", "winproj.exe no")
	f("a.exe yes;b.exe no", "a.exe yes", "b.exe no")
	f("a.exe yes|b.exe no", "a.exe yes", "b.exe no")
	f("a.exe yes\r\nb.exe no\n", "a.exe yes", "b.exe no")
	f("a.exe yes<br>b.exe no<BR/>c.exe yes<br />", "a.exe yes", "b.exe no", "c.exe yes")
	f("a.exe: yes, b.exe=no, c.exe (yes), d.exe\tno", "a.exe yes", "b.exe no", "c.exe yes", "d.exe no")
	f("my program 2.0.exe yes", "my program 2.0.exe yes")

	// Nobody can tell whether these were used.
	f("visio.exe", "visio.exe ?")
	f("a.exe, b.exe yes", "a.exe ?", "b.exe yes")
	f("casino", "casino ?")
	f("eyes", "eyes ?")
	f("yes", "yes ?")
	f(" no ", "no ?")
	f("a<b>.exe", "a<b>.exe ?")
	f("a.exe <", "a.exe < ?")

	f("")
	f(" ")
	f("-")
	f("N/A")
	f(", ;|")
}

func TestBinariesInJSON(t *testing.T) {
	t.Parallel()

	f := func(s string, want ...string) {
		t.Helper()
		requireBinaries(t, value(t, json.RawMessage(s)), "", want...)
	}

	f(`null`)
	f(`[]`)
	f(`{}`)
	f(`["visio.exe","winproj.exe"]`, "visio.exe yes", "winproj.exe yes")
	f(`["visio.exe no", "winproj.exe (yes)"]`, "visio.exe no", "winproj.exe yes")
	f(`["caf\u00e9.exe", "a\"b.exe"]`, "café.exe yes", `a"b.exe yes`)
	f(`["a.exe", null, ""]`, "a.exe yes")
	f(`[{"name":"a.exe"},{"binary":"b.exe"},{"binaryName":"c.exe"},{"Executable":"d.exe"}]`,
		"a.exe yes", "b.exe yes", "c.exe yes", "d.exe yes")
	f(`[{"used":false,"name":"a.exe"},{"name":"b.exe","used":"yes"},{"name":"c.exe","used":0},{"name":"d.exe","used":null}]`,
		"a.exe no", "b.exe yes", "c.exe no", "d.exe ?")
	f(`{"name":"a.exe","used":false}`, "a.exe no")
	f(`{"a.exe":true,"b.exe":"No","c.exe":1,"d.exe":null}`, "a.exe yes", "b.exe no", "c.exe yes", "d.exe ?")
	f(`{"name":"yes","used":"no"}`, "name yes", "used no") // a map all the same
	f(`"a.exe yes, b.exe no"`, "a.exe yes", "b.exe no")
	f(`"a.exe"`, "a.exe ?")
}

func TestBinariesThatAreNotUnderstoodAreKept(t *testing.T) {
	t.Parallel()

	f := func(s string, want ...string) {
		t.Helper()
		requireBinaries(t, value(t, json.RawMessage(s)), `{"binaries":`+s+`}`, want...)
	}

	f(`7`)
	f(`true`)
	f(`["a.exe",7]`, "a.exe yes")
	f(`[["a.exe"]]`)
	f(`[{"path":"a.exe"},"b.exe"]`, "b.exe yes")
	f(`[{"name":7}]`)
	f(`[{"name":"a.exe","version":"1.2"}]`, "a.exe yes")
	f(`[{"name":"a.exe","used":"often"}]`, "a.exe ?")
	f(`{"a.exe":3}`, "a.exe ?")
	f(`{"a.exe":[1]}`, "a.exe ?")
}

func TestBinariesInBrokenJSONAreKept(t *testing.T) {
	t.Parallel()
	broken := extract.Value{Kind: extract.JSON, Bytes: []byte(`["a.exe",`)}
	requireBinaries(t, broken, `{"binaries":"[\"a.exe\","}`, "a.exe yes")
}

func FuzzBinaries(f *testing.F) {
	for _, seed := range []string{
		`["a.exe"]`, `[{"name":"a","used":1}]`, `{"a":true}`, `{"name":"a"}`, `"a"`, `[`, `{`, "a yes, b no<br>c", "<br", "yes", ")", "\xff yes",
	} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, s string, isJSON bool) {
		v := text(s)
		if isJSON {
			v.Kind = extract.JSON
		}
		var row schema.MeteringDetail
		require.NoError(t, normalise.NewMetering(normalise.MeteringOptions{}).Row(device(extract.MeteringBinaries, v), &row))
		require.Len(t, row.BinariesUsed, len(row.Binaries))
		for _, name := range row.Binaries {
			require.True(t, utf8.ValidString(name))
		}
		require.True(t, row.Extra == "" || json.Valid([]byte(row.Extra)))
		require.True(t, isJSON || row.Extra == "", "text is never dropped to extra")
	})
}
