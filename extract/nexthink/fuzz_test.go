package nexthink_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/extract/extracttest"
	"github.com/meterhouse/meterhouse/extract/nexthink"
	"github.com/meterhouse/meterhouse/extract/nexthink/nexthinktest"
)

// FuzzJSON looks for bodies of any root that crash the decoder, take it too long
// or too much memory, or pass for an answer without being one.
func FuzzJSON(f *testing.F) {
	const row = `{"device":"PC1","averageUsagePerDay":1.50e2,"lastActivity":null,"binaries":["a.exe",{"name":"b"}],"os":"\ud83d\ude00"}`
	seeds := []string{
		`[` + row + `,` + row + `]`,
		"\xEF\xBB\xBF\r\n[" + row + "]\n",
		"[{\"device\":\"Z\xFCrich\x80\"},null,[],{}]",
		`{"total":1,"ok":true,"meta":{"a":[{"device":"no"}]},"grid":[[1]],"computers":[` + row + `],"more":null}`,
		`{"engines":[{"name":"engine-1"}],"details":[` + row + `],"warnings":[{"name":"old"}]}`,
		`{"headers":["Device","Entity"],"rows":[["PC1","x"],["PC2"],"z"]}`,
		`{"data":[["PC1","x"]],"columns":["device","entity"]}`,
		`{"details":[]}`, `[]`, `{}`, `[1]`, `null`, `<html>`, ``,
	}
	for _, root := range []nexthinktest.JSONRoot{nexthinktest.ArrayOfObjects, nexthinktest.ObjectWithList, nexthinktest.HeadersAndValues} {
		for _, keys := range []nexthinktest.KeyStyle{nexthinktest.Labels, nexthinktest.CamelCase, nexthinktest.PascalCase} {
			seeds = append(seeds, answered(f, "json", nexthinktest.Options{Root: root, Keys: keys}))
		}
	}
	fuzz(f, nexthink.FormatJSON, seeds)
}

// FuzzCSV does the same for CSV, of which no beginning is known to be one.
func FuzzCSV(f *testing.F) {
	fuzz(f, nexthink.FormatCSV, []string{
		csvHeader + "\n" + `PC1,Lausanne,12.5,1.2,2026-03-02,,"visio.exe yes, vviewer.exe no"` + "\n",
		"\xEF\xBB\xBFDevice;OS\r\nPC1;\"a;\"\"b\"\r\n\r\nPC2\r\n",
		"Device\tBinaries\nZ\xFCrich\ta.exe yes\n\"x\ny\"\tz",
		"Device,Entity\nPC1,\"x\nPC2,y\n", "Device,Entity\nPC1,x\"y\nPC2,z",
		csvHeader, "Device\n", "\"Device", "Name,Device\n,\n", "<html>", "null", "",
		answered(f, "csv", nexthinktest.Options{}), answered(f, "csv", nexthinktest.Options{Keys: nexthinktest.CamelCase}),
	})
}

// FuzzTable does the same for HTML.
func FuzzTable(f *testing.F) {
	fuzz(f, nexthink.FormatTable, []string{
		pageOf(`<tr><td>PC1</td><td>Lausanne</td><td>12.5</td><td>1.2</td><td>2026-03-02</td><td></td><td>visio.exe yes<br>vviewer.exe no</td></tr>`),
		pageOf(`<TR class="odd" data-x="<td>"><td id=1>PC&amp;1&#x20AC;<td>&nbsp;<td><table><tr><th>a</table><td><!-- </table> -->`),
		"<table><tr><th>Device<th>Binaries<tr><td>Z\xFCrich<td><ul><li>a.exe yes</li></ul></table><table>",
		"<table><tr><th>Device<tr><td>a<table></table>&amp;\xE8<br></table><table>", "<table><thead><tr></thead></tr></table></table>",
		"<table><tr><td>x</table>", "<table></table>", "<table", "<title>Sign in</title>", "<script><table></script>", "[]", "",
		answered(f, "table", nexthinktest.Options{}),
	})
}

func fuzz(f *testing.F, format string, seeds []string) {
	f.Helper()
	for _, body := range seeds {
		f.Add([]byte(body), uint8(0), uint16(len(body)/2))
		f.Add([]byte(body), uint8(255), uint16(len(body)-1))
	}
	o := setupOptions(f)
	o.Format = format
	source, err := nexthink.New(o)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, body []byte, piece uint8, cut uint16) {
		complete := extracttest.RequireDecodes(t, source, extract.Request{Feed: "visio/installed"}, body, piece, cut)
		if complete && format == nexthink.FormatTable {
			require.Contains(t, strings.ToLower(string(body)), "</table", "the one thing that ends a page's table")
		}
	})
}

// answered is a short answer of the simulated Portal.
func answered(f *testing.F, format string, o nexthinktest.Options) string {
	f.Helper()
	o.User, o.Password, o.Now, o.Devices = user, password, today, 150
	query := url.Values{"metric": {visio().Metric}, "program": {visio().Program}, "format": {format}}
	r := httptest.NewRequestWithContext(f.Context(), http.MethodGet, nexthinktest.DetailsPath+"?"+query.Encode(), nil)
	r.SetBasicAuth(user, password)
	w := httptest.NewRecorder()
	nexthinktest.New(o).ServeHTTP(w, r)
	require.Equal(f, http.StatusOK, w.Code)
	return w.Body.String()
}
