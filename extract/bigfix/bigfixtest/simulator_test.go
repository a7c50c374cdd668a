package bigfixtest_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/meterhouse/meterhouse/extract/bigfix/bigfixtest"
	"github.com/meterhouse/meterhouse/extract/extracttest/simfault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	wednesday = "2025-03-12"
	saturday  = "2025-03-15"
)

// row is what a client sees of one.
type row struct {
	ProductID  int64   `json:"product_id"`
	Product    string  `json:"product_name"`
	Family     string  `json:"product_family_guid"`
	MetricID   int32   `json:"metric_id"`
	Metric     string  `json:"metric_code_name"`
	BundleID   int64   `json:"bundle_id"`
	BundleName *string `json:"bundle_name"`
	ServerID   int64   `json:"server_id"`
	Quantity   int64   `json:"hwm_quantity"`
	Cores      int64   `json:"hwm_cores"`
	Server     struct {
		Name       string `json:"name"`
		Type       int    `json:"type"`
		Cores      int64  `json:"cores"`
		PVUPerCore int64  `json:"pvu_per_core"`
	} `json:"server"`
}

func simulator(t *testing.T, o bigfixtest.Options) *bigfixtest.Simulator {
	t.Helper()
	s, err := bigfixtest.New(o)
	require.NoError(t, err)
	return s
}

// ask sends a request with the right token.
func ask(t *testing.T, s *bigfixtest.Simulator, v url.Values) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/sam/v2/license_usage_per_server?"+v.Encode(), nil)
	r.Header.Set("Token", s.Token())
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// rows asks for a day with the columns of row; more are further parameters.
func rows(t *testing.T, s *bigfixtest.Simulator, day string, more url.Values) []row {
	t.Helper()
	v := url.Values{
		"date": {day},
		"columns[]": {
			"product_id", "product_name", "product_family_guid", "metric_id", "metric_code_name", "bundle_id", "bundle_name", "server_id",
			"hwm_quantity", "hwm_cores", "server.name", "server.type", "server.cores", "server.pvu_per_core",
		},
		"order[]": {"product_id", "metric_id", "bundle_id", "server_id"},
	}
	for key, values := range more {
		v[key] = values
	}
	w := ask(t, s, v)
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	var answer struct {
		Total int
		Rows  []row
	}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer))
	if v.Get("limit") == "" {
		require.Len(t, answer.Rows, answer.Total)
	}
	return answer.Rows
}

func key(r row) [4]int64 { return [4]int64{r.ProductID, int64(r.MetricID), r.BundleID, r.ServerID} }

func TestADayIsTheSameForTheSameSeedAndInTotalOrder(t *testing.T) {
	t.Parallel()
	s := simulator(t, bigfixtest.Options{Seed: 7})
	got := rows(t, s, wednesday, nil)
	require.Equal(t, got, rows(t, simulator(t, bigfixtest.Options{Seed: 7}), wednesday, nil))
	require.NotEqual(t, got, rows(t, simulator(t, bigfixtest.Options{Seed: 8}), wednesday, nil))
	require.True(t, slices.IsSortedFunc(got, func(a, b row) int { return slices.Compare(slice(key(a)), slice(key(b))) }))
	seen := map[[4]int64]bool{}
	for _, r := range got {
		require.False(t, seen[key(r)], "twice: %v", r)
		seen[key(r)] = true
	}
}

func slice(k [4]int64) []int64 { return k[:] }

func TestTheTruthIsWhatIsServed(t *testing.T) {
	t.Parallel()
	s := simulator(t, bigfixtest.Options{Rows: 3000})
	for group, id := range map[int64]string{0: "", bigfixtest.GroupEurope: "5", bigfixtest.GroupAmericas: "6"} {
		more := url.Values{}
		if id != "" {
			more.Set("computerGroupId", id)
		}
		sum := int64(0)
		got := rows(t, s, wednesday, more)
		for _, r := range got {
			sum += r.Quantity
		}
		count, sumHWM, err := s.Truth(wednesday, group)
		require.NoError(t, err)
		require.Equal(t, uint64(len(got)), count)
		require.Equal(t, sum, sumHWM)
	}
}

func TestAWorkingDayHasAboutAsManyRowsAsAskedFor(t *testing.T) {
	t.Parallel()
	for _, want := range []int{500, 5000, 100_000} {
		s := simulator(t, bigfixtest.Options{Rows: want})
		got, _, err := s.Truth(wednesday, 0)
		require.NoError(t, err)
		require.InDelta(t, want, got, float64(want)/5)
	}
}

func TestTheDaysLookLikeAnEstate(t *testing.T) {
	t.Parallel()
	s := simulator(t, bigfixtest.Options{Rows: 5000})
	all := rows(t, s, wednesday, nil)
	quantities := map[[4]int64]int64{}
	kinds, metrics := map[int]int{}, map[string]int{}
	bundled := 0
	for _, r := range all {
		quantities[key(r)] = r.Quantity
		kinds[r.Server.Type]++
		metrics[r.Metric]++
		require.Len(t, r.Family, 32)
		require.Equal(t, r.BundleID == 0, r.BundleName == nil)
		if r.BundleID != 0 {
			bundled++
		}
		if strings.HasPrefix(r.Metric, "PVU") {
			require.Equal(t, r.Cores*r.Server.PVUPerCore, r.Quantity)
		} else {
			require.Equal(t, r.Cores, r.Quantity)
		}
		require.Equal(t, r.Server.Type == 1, strings.HasPrefix(r.Server.Name, "TLM_VM_"))
		require.LessOrEqual(t, r.Cores, r.Server.Cores)
	}
	require.Len(t, kinds, 3)
	require.Len(t, metrics, 5)
	require.NotZero(t, bundled)
	require.Less(t, bundled, len(all))
	for k, sub := range quantities {
		if k[1] == 4 || k[1] == 8 {
			full := [4]int64{k[0], k[1] - 1, k[2], k[3]}
			require.GreaterOrEqual(t, quantities[full], sub, "a product has a full-capacity row beside its sub-capacity row")
		}
	}
	require.Less(t, len(rows(t, s, saturday, nil)), len(all)*9/10, "fewer products run on a Saturday")

	servers := func(day string) map[int64]bool {
		ids := map[int64]bool{}
		for _, r := range rows(t, s, day, nil) {
			ids[r.ServerID] = true
		}
		return ids
	}
	before, after := servers("2024-03-13"), servers(wednesday)
	gone, stayed := 0, 0
	for id := range before {
		if after[id] {
			stayed++
		} else {
			gone++
		}
	}
	require.NotZero(t, gone)
	require.NotZero(t, stayed)
	require.Greater(t, len(after), stayed, "and others have come")
}

func TestGroupsAreSubsets(t *testing.T) {
	t.Parallel()
	s := simulator(t, bigfixtest.Options{})
	all := map[[4]int64]row{}
	for _, r := range rows(t, s, wednesday, nil) {
		all[key(r)] = r
	}
	for _, group := range []string{"5", "6"} {
		part := rows(t, s, wednesday, url.Values{"computerGroupId": {group}})
		require.NotEmpty(t, part)
		require.Less(t, len(part), len(all))
		for _, r := range part {
			require.Equal(t, all[key(r)], r)
		}
	}
}

func TestReviseRestatesADay(t *testing.T) {
	t.Parallel()
	s := simulator(t, bigfixtest.Options{Rows: 2000})
	versions := map[int][]row{}
	for revision := range 3 {
		require.NoError(t, s.Revise(wednesday, revision))
		versions[revision] = rows(t, s, wednesday, nil)
		count, _, err := s.Truth(wednesday, 0)
		require.NoError(t, err)
		require.Len(t, versions[revision], int(count))
	}
	require.NotEqual(t, versions[0], versions[1])
	require.NotEqual(t, versions[1], versions[2])
	require.Less(t, len(versions[1]), len(versions[0]), "some rows vanish")
	require.NoError(t, s.Revise(wednesday, 1))
	require.Equal(t, versions[1], rows(t, s, wednesday, nil), "a revision is always the same")
	require.NoError(t, s.Revise(wednesday, 0))
	require.Equal(t, versions[0], rows(t, s, wednesday, nil))
	require.Error(t, s.Revise("yesterday", 1))
}

func TestDaysWithoutRows(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("east", 10*3600)
	s := simulator(t, bigfixtest.Options{
		First: "2025-03-01", Now: func() time.Time { return time.Date(2025, 3, 14, 1, 0, 0, 0, zone) },
	})
	require.NoError(t, s.Clear("2025-03-05"))
	require.Error(t, s.Clear("never"))
	for day, has := range map[string]bool{
		"2025-02-28": false, "2025-03-01": true, "2025-03-05": false, "2025-03-13": true,
		"2025-03-14": false, // today, on the server's clock
		"2999-01-01": false,
	} {
		count, _, err := s.Truth(day, 0)
		require.NoError(t, err)
		require.Equal(t, has, count > 0, day)
		require.Len(t, rows(t, s, day, nil), int(count), day)
	}
	_, _, err := s.Truth("12.3.2025", 0)
	require.Error(t, err)
	_, err = bigfixtest.New(bigfixtest.Options{First: "12.3.2025"})
	require.Error(t, err)
}

func TestParametersAreHonoured(t *testing.T) {
	t.Parallel()
	s := simulator(t, bigfixtest.Options{})
	all := rows(t, s, wednesday, nil)

	page := rows(t, s, wednesday, url.Values{"limit": {"10"}, "offset": {"25"}})
	require.Equal(t, all[25:35], page)
	require.Empty(t, rows(t, s, wednesday, url.Values{"limit": {"10"}, "offset": {"100000"}}))

	sorted := rows(t, s, wednesday, url.Values{"order[]": {"hwm_quantity desc", "server.name"}})
	require.Len(t, sorted, len(all))
	require.True(t, slices.IsSortedFunc(sorted, func(a, b row) int {
		if a.Quantity != b.Quantity {
			return int(b.Quantity - a.Quantity)
		}
		return strings.Compare(a.Server.Name, b.Server.Name)
	}))

	unordered := func() []row { return rows(t, s, wednesday, url.Values{"order[]": nil}) }
	first := unordered()
	require.NotEqual(t, first, unordered(), "without an order none is promised")
	require.ElementsMatch(t, all, first)

	for criteria, keep := range map[string]func(row) bool{
		`{"and":[["product_name","contains","MQ"],["hwm_quantity",">","100"]]}`:               func(r row) bool { return strings.Contains(r.Product, "MQ") && r.Quantity > 100 },
		`{"or":[["product_id","=",60],{"and":[["metric_id","!=",3],["server.type","<",1]]}]}`: func(r row) bool { return r.ProductID == 60 || r.MetricID != 3 && r.Server.Type < 1 },
		`{"and":[["product_id",">=",60],["product_id","<=",66]]}`:                             func(r row) bool { return r.ProductID >= 60 && r.ProductID <= 66 },
		`{"or":[["product_name","begins_with","HCL"],["product_name","ends_with","Edition"]]}`: func(r row) bool {
			return strings.HasPrefix(r.Product, "HCL") || strings.HasSuffix(r.Product, "Edition")
		},
		`{"and":[["product_name","not_contains","IBM"],["bundle_name","is_empty"]]}`: func(r row) bool { return !strings.Contains(r.Product, "IBM") && r.BundleName == nil },
		`{"and":[["bundle_name","is_not_empty"]]}`:                                   func(r row) bool { return r.BundleName != nil },
	} {
		var want []row
		for _, r := range all {
			if keep(r) {
				want = append(want, r)
			}
		}
		require.NotEmpty(t, want)
		require.Equal(t, want, rows(t, s, wednesday, url.Values{"criteria": {criteria}}), criteria)
	}
}

func TestColumnsByDefaultAreThoseOfTheVendorsExample(t *testing.T) {
	t.Parallel()
	s := simulator(t, bigfixtest.Options{Shape: bigfixtest.ShapeArray})
	w := ask(t, s, url.Values{"date": {wednesday}, "limit": {"1"}, "order[]": {"product_id"}})
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	require.Regexp(t, `^\[\{"product_id":\d+,"metric_id":-?\d+,"bundle_id":\d+,"server_id":\d+,"product_name":"[^"]+",`+
		`"metric_code_name":"[A-Z_]+","bundle_name":(null|"[^"]+"),"hwm_quantity":\d+,"hwm_cores":\d+,"server":\{"name":"[^"]+"\}\}\]$`, w.Body.String())
}

func TestRequestsThatAreRefused(t *testing.T) {
	t.Parallel()
	s := simulator(t, bigfixtest.Options{ServerColumns: []string{"name"}, Unknown: []string{"bundle_guid"}})
	for name, f := range map[string]struct {
		change url.Values
		status int
		says   string
	}{
		"no date":                    {url.Values{"date": nil}, 400, "date"},
		"a date in another form":     {url.Values{"date": {"12.3.2025"}}, 400, "date"},
		"a column that is none":      {url.Values{"columns[]": {"colour"}}, 400, "colour"},
		"an association's column":    {url.Values{"columns[]": {"server.cores"}}, 400, "server.cores"},
		"an order that is none":      {url.Values{"order[]": {"colour desc"}}, 400, "colour"},
		"a limit that is none":       {url.Values{"limit": {"-1"}}, 400, "limit"},
		"an offset that is none":     {url.Values{"offset": {"x"}}, 400, "offset"},
		"a group that is no number":  {url.Values{"computerGroupId": {"x"}}, 400, "computerGroupId"},
		"a group of somebody else":   {url.Values{"computerGroupId": {"8"}}, 403, "group 8"},
		"a group without":            {url.Values{"computerGroupId": {"7"}}, 412, "not enabled"},
		"criteria that are no JSON":  {url.Values{"criteria": {"x"}}, 400, "criteria"},
		"criteria without and or or": {url.Values{"criteria": {`{"not":[]}`}}, 400, "criteria"},
		"a criterion that is none":   {url.Values{"criteria": {`{"and":[["product_id"]]}`}}, 400, "criterion"},
		"an operator without value":  {url.Values{"criteria": {`{"and":[["product_id","="]]}`}}, 400, "needs a value"},
		"a column it does not have":  {url.Values{"columns[]": {"bundle_guid"}}, 400, "bundle_guid"},
		"an operator that is none":   {url.Values{"criteria": {`{"and":[["product_id","~",1]]}`}}, 400, "~"},
		"a criterion of nothing":     {url.Values{"criteria": {`{"and":[["colour","=",1]]}`}}, 400, "colour"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := url.Values{"date": {wednesday}}
			for key, values := range f.change {
				v[key] = values
			}
			w := ask(t, s, v)
			require.Equal(t, f.status, w.Code)
			require.Contains(t, w.Body.String(), f.says)
		})
	}
}

func TestWhoMayAsk(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]struct {
		options bigfixtest.Options
		method  string
		target  string
		header  string
		body    string
		status  int
	}{
		"token in the header":          {bigfixtest.Options{}, "GET", "/api/sam/about", "tok", "", 200},
		"token in the URL":             {bigfixtest.Options{}, "GET", "/api/sam/about?token=tok", "", "", 200},
		"the header counts":            {bigfixtest.Options{}, "GET", "/api/sam/about?token=tok", "x", "", 401},
		"no token":                     {bigfixtest.Options{}, "GET", "/api/sam/about", "", "", 401},
		"URL where it is switched off": {bigfixtest.Options{HeaderOnly: true}, "GET", "/api/sam/about?token=tok", "", "", 401},
		"a login":                      {bigfixtest.Options{}, "POST", "/api/get_token", "", `{"user":"u","password":"p"}`, 200},
		"a wrong login":                {bigfixtest.Options{}, "POST", "/api/get_token", "", `{"user":"u","password":"x"}`, 401},
		"a wrong login before":         {bigfixtest.Options{LoginStatus: 500}, "POST", "/api/get_token", "", `{"user":"u"}`, 500},
		"a login that is none":         {bigfixtest.Options{}, "POST", "/api/get_token", "", `u=p`, 400},
		"a path that is none":          {bigfixtest.Options{}, "GET", "/api/sam/v2/computers", "tok", "", 404},
		"a method that is none":        {bigfixtest.Options{}, "GET", "/api/get_token", "tok", "", 404},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f.options.Token, f.options.User, f.options.Password = "tok", "u", "p"
			s := simulator(t, f.options)
			r := httptest.NewRequestWithContext(t.Context(), f.method, f.target, strings.NewReader(f.body))
			if f.header != "" {
				r.Header.Set("Token", f.header)
			}
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			require.Equal(t, f.status, w.Code)
			if f.status == 200 && f.method == "POST" {
				require.JSONEq(t, `{"token":"tok"}`, w.Body.String())
			}
			require.Equal(t, 1, s.Requests(""))
		})
	}
}

func TestCloseLetsHangingAnswersGo(t *testing.T) {
	t.Parallel()
	server, err := bigfixtest.Start(t.Context(), bigfixtest.Options{PlainHTTP: true})
	require.NoError(t, err)
	server.Faults.Always(bigfixtest.AboutPath, simfault.Silence())
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/api/sam/about", nil)
	require.NoError(t, err)
	answered := make(chan error)
	go func() {
		response, err := http.DefaultClient.Do(r)
		if err == nil {
			response.Body.Close()
		}
		answered <- err
	}()
	for server.Requests("about") == 0 {
		require.NoError(t, t.Context().Err())
	}
	require.NoError(t, server.Close())
	require.Error(t, <-answered)
}
