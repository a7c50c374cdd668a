package bigfixtest_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/extract/bigfix/bigfixtest"
)

// get sends a request for any path with the right token.
func get(t *testing.T, s *bigfixtest.Simulator, path string, v url.Values) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/"+path+"?"+v.Encode(), nil)
	r.Header.Set("Token", s.Token())
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// totalOf is what a client sees of a row of license_usage.
type totalOf struct {
	ProductID  int64  `json:"product_id"`
	MetricID   int32  `json:"metric_id"`
	Metric     string `json:"metric_code_name"`
	BundleID   *int64 `json:"bundle_id"`
	BundleName string `json:"bundle_name"`
	Quantity   int64  `json:"hwm_quantity"`
}

func TestTotalsAreAtMostTheSumOfTheirParts(t *testing.T) {
	t.Parallel()
	s := simulator(t, bigfixtest.Options{Rows: 2000})
	for group, name := range map[int64]string{0: "", bigfixtest.GroupEurope: "5"} {
		v := url.Values{"startdate": {wednesday}, "enddate": {wednesday}, "computerGroupId": {name}, "columns[]": {
			"product_id", "metric_id", "metric_code_name", "bundle_id", "bundle_name", "hwm_quantity",
		}}
		w := get(t, s, "sam/v2/license_usage", v)
		require.Equal(t, http.StatusOK, w.Code)
		require.Equal(t, wednesday, w.Header().Get("startdate"))
		require.Equal(t, wednesday, w.Header().Get("enddate"))
		var answer struct {
			Total uint64
			Rows  []totalOf
		}
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer))
		require.Len(t, answer.Rows, int(answer.Total))

		type key struct {
			product, bundle int64
			metric          int32
		}
		sums, most := map[key]int64{}, map[key]int64{}
		for _, u := range rows(t, s, wednesday, url.Values{"computerGroupId": {name}}) {
			k := key{u.ProductID, u.BundleID, u.MetricID}
			sums[k] += u.Quantity
			most[k] = max(most[k], u.Quantity)
		}
		sum, less, missing := int64(0), 0, 0
		for _, total := range answer.Rows {
			k := key{product: total.ProductID, metric: total.MetricID}
			if total.BundleID != nil {
				k.bundle = *total.BundleID
				require.NotEmpty(t, total.BundleName)
			}
			if total.Quantity == -1 {
				missing++
				continue
			}
			sum += total.Quantity
			require.LessOrEqual(t, total.Quantity, sums[k])
			require.GreaterOrEqual(t, total.Quantity, most[k])
			if total.Quantity < sums[k] {
				less++
			}
			if total.Metric == "PVU_FULL_CAP" {
				require.Equal(t, sums[k], total.Quantity)
			}
			delete(sums, k)
		}
		require.Empty(t, sums, "every product that is used has a total")
		require.Greater(t, less, 5)
		require.Equal(t, 1, missing, "one row is of a metric that is not counted per server")
		wantRows, wantSum, err := s.TruthTotals(wednesday, group)
		require.NoError(t, err)
		require.Equal(t, wantRows, answer.Total)
		require.Equal(t, wantSum, sum)
	}
}

func TestTotalsThatAreRefused(t *testing.T) {
	t.Parallel()
	s := simulator(t, bigfixtest.Options{Unknown: []string{"flex_id"}})
	for name, f := range map[string]struct {
		change url.Values
		status int
		says   string
	}{
		"no day":                    {url.Values{"startdate": nil}, 400, "startdate"},
		"several days":              {url.Values{"enddate": {saturday}}, 400, "one day"},
		"a column that is none":     {url.Values{"columns[]": {"colour"}}, 400, "colour"},
		"a column it does not have": {url.Values{"columns[]": {"flex_id"}}, 400, "flex_id"},
		"a limit that is none":      {url.Values{"limit": {"-1"}}, 400, "limit"},
		"an offset that is none":    {url.Values{"offset": {"x"}}, 400, "offset"},
		"a group that is no number": {url.Values{"computerGroupId": {"x"}}, 400, "computerGroupId"},
		"a group of somebody else":  {url.Values{"computerGroupId": {"8"}}, 403, "group 8"},
		"a group without":           {url.Values{"computerGroupId": {"7"}}, 412, "not enabled"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := url.Values{"startdate": {wednesday}, "enddate": {wednesday}}
			for key, values := range f.change {
				v[key] = values
			}
			w := get(t, s, "sam/v2/license_usage", v)
			require.Equal(t, f.status, w.Code)
			require.Contains(t, w.Body.String(), f.says)
		})
	}
}

func TestNightlyImport(t *testing.T) {
	t.Parallel()
	for at, want := range map[string]bigfixtest.ImportStatus{
		"2025-03-13T00:10:00Z": {Mode: "running", Progress: 50, LastImportTime: "2025-03-13T00:00:00Z", LastSuccessTime: "2025-03-12T00:20:00Z", LastStatus: "success"},
		"2025-03-13T00:20:00Z": {Mode: "idle", Progress: 100, LastImportTime: "2025-03-13T00:00:00Z", LastSuccessTime: "2025-03-13T00:20:00Z", LastStatus: "success"},
	} {
		now, err := time.Parse(time.RFC3339, at)
		require.NoError(t, err)
		s := simulator(t, bigfixtest.Options{NightlyImport: true, Now: func() time.Time { return now }})
		var got bigfixtest.ImportStatus
		require.NoError(t, json.Unmarshal(get(t, s, "import_status.json", nil).Body.Bytes(), &got))
		require.Equal(t, want, got)
	}
}

func TestImportsAreCountedWhenSomebodyStartsThem(t *testing.T) {
	t.Parallel()
	s := simulator(t, bigfixtest.Options{})
	require.Equal(t, http.StatusNotFound, get(t, s, "import_status.json", nil).Code)
	s.Imports(bigfixtest.ImportStatus{Mode: "idle", LastSuccessTime: "2025-03-13T06:00:00Z"})
	require.Contains(t, get(t, s, "import_status.json", nil).Body.String(), `"mode":"idle"`)
	require.Zero(t, s.ImportsStarted())
	for n, value := range []string{"true", "raw_only", ""} {
		require.Contains(t, get(t, s, "import_status.json", url.Values{"run": {value}}).Body.String(), `"mode":"running"`)
		require.Equal(t, n+1, s.ImportsStarted())
	}
}

func TestSchemasNameTheColumns(t *testing.T) {
	t.Parallel()
	s := simulator(t, bigfixtest.Options{ServerColumns: []string{"name"}, Unknown: []string{"bundle_guid"}})
	for name, f := range map[string]struct {
		has, hasNot string
	}{
		"license_usage_per_server": {"hwm_cores", "bundle_guid"},
		"license_usage":            {"hwm_peak_time", "bundle_guid"},
		"server":                   {"name", "cores"},
	} {
		w := get(t, s, "sam/v2/schemas/"+name+".json", nil)
		require.Equal(t, http.StatusOK, w.Code)
		require.Contains(t, w.Body.String(), `"`+f.has+`"`)
		require.NotContains(t, w.Body.String(), `"`+f.hasNot+`"`)
	}
	require.Equal(t, http.StatusNotFound, get(t, s, "sam/v2/schemas/computer.json", nil).Code)
}
