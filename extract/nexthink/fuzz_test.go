package nexthink_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
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

func fuzz(f *testing.F, format string, seeds []string) {
	f.Helper()
	for _, body := range seeds {
		f.Add([]byte(body), uint8(0), uint16(len(body)/2))
		f.Add([]byte(body), uint8(255), uint16(len(body)-1))
	}
	source, err := nexthink.New(nexthink.Options{
		Name: "hq", URL: &url.URL{Scheme: "https", Host: "portal.example.com"}, User: user, Password: func() string { return password },
		Format: format, Targets: []nexthink.Target{visio()},
	})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, body []byte, piece uint8, cut uint16) {
		extracttest.RequireDecodes(t, source, extract.Request{Feed: "visio/installed"}, body, piece, cut)
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
