package bigfix_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/extract/bigfix/bigfixtest"
	"github.com/meterhouse/meterhouse/extract/extracttest"
)

// FuzzAnswer looks for bodies of either shape that crash the decoder, take it too
// long or too much memory, or pass for an answer without being one.
func FuzzAnswer(f *testing.F) {
	const row = `{"product_id":1,"metric_id":"-32603","server":{"name":"\u00fc\"\\","cores":2},"x":[1,{"y":null}]}`
	for _, body := range []string{
		vendorExample,
		`{"total":1,"rows":` + vendorExample + `}`,
		`{"rows":[` + row + `,` + row + `],"total":2}`,
		`{"meta":{"rows":[1,"]}"],"a\\":"\\\""},"x":[],"rows":[` + row + `],"y":-1.5e3,"z":null}`,
		`[` + row + `,null,1,"}]\"{",[[]],true]`,
		`[]`, `{"total":0,"rows":[]}`, "\r\n[ ]\n", `{"error":"import is running"}`, `[{"a":[}]]`,
		`<!DOCTYPE html><title>Sign in</title>`, `"text"`, `null`, ``,
		simulated(f, bigfixtest.ShapeArray), simulated(f, bigfixtest.ShapeObject),
	} {
		f.Add([]byte(body), uint8(0), uint16(len(body)/2))
		f.Add([]byte(body), uint8(255), uint16(len(body)-1))
	}
	source := offline(f, nil)
	f.Fuzz(func(t *testing.T, body []byte, piece uint8, cut uint16) {
		extracttest.RequireDecodes(t, source, extract.Request{Feed: "default", Day: someDay}, body, piece, cut)
	})
}

// simulated is a short answer of the simulator.
func simulated(f *testing.F, shape string) string {
	f.Helper()
	sim, err := bigfixtest.New(bigfixtest.Options{Shape: shape})
	require.NoError(f, err)
	query := url.Values{"date": {someDay}, "limit": {"3"}, "order[]": {"product_id", "metric_id", "bundle_id", "server_id"}}
	r := httptest.NewRequestWithContext(f.Context(), http.MethodGet, bigfixtest.UsagePath+"?"+query.Encode(), nil)
	r.Header.Set("Token", sim.Token())
	w := httptest.NewRecorder()
	sim.ServeHTTP(w, r)
	require.Equal(f, http.StatusOK, w.Code)
	return w.Body.String()
}
