package nexthinktest_test

import (
	"encoding/csv"
	"encoding/json"
	"html"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/meterhouse/meterhouse/extract/extracttest/simfault"
	"github.com/meterhouse/meterhouse/extract/nexthink/nexthinktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const visio = "52fa2b8b-b35e-4d7a-9db3-830617c5b6b2"

// noon is a Friday.
func noon() time.Time { return time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC) }

func portal(o nexthinktest.Options) *nexthinktest.Portal {
	o.User, o.Password = "u", "p"
	if o.Now == nil {
		o.Now = noon
	}
	return nexthinktest.New(o)
}

// ask sends one request with the right account.
func ask(t *testing.T, p http.Handler, target string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	r.SetBasicAuth("u", "p")
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w
}

func details(query string) string { return nexthinktest.DetailsPath + "?" + query }

// rows asks for csv and gives the rows without the header, by device.
func rows(t *testing.T, p http.Handler, query string) map[string][]string {
	t.Helper()
	w := ask(t, p, details("format=csv&"+query))
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	lines, err := csv.NewReader(w.Body).ReadAll()
	require.NoError(t, err)
	require.Equal(t, []string{
		"Device", "Entity", "Average usage per day (seconds)", "Average executions per day",
		"First date with package", "Last activity", "Binaries",
	}, lines[0])
	byDevice := map[string][]string{}
	for _, line := range lines[1:] {
		byDevice[line[0]] = line
	}
	require.Len(t, byDevice, len(lines)-1, "a device twice")
	return byDevice
}

func devices(rows map[string][]string) []string { return slices.Sorted(maps.Keys(rows)) }

func TestStatuses(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]int{
		nexthinktest.DiscoveryPath:                              http.StatusOK,
		nexthinktest.EnginesPath:                                http.StatusOK,
		details("metric=" + visio):                              http.StatusOK,
		details(""):                                             http.StatusNotFound,
		details("metric=" + visio + "x"):                        http.StatusNotFound,
		details("metric=" + visio + "&program=" + visio):        http.StatusNotFound,
		details("metric=" + visio + "&hierarchy=No"):            http.StatusNotFound,
		details("metric=" + visio + "&path=Europe&path=Europe"): http.StatusNotFound,
		details("metric=" + visio + "&list=all"):                http.StatusBadRequest,
		details("metric=" + visio + "&format=xml"):              http.StatusBadRequest,
		"/api/metrics/v1":                                       http.StatusNotFound,
	} {
		require.Equal(t, want, ask(t, portal(nexthinktest.Options{Devices: 10}), target).Code, target)
	}
}

func TestAccount(t *testing.T) {
	t.Parallel()
	p := portal(nexthinktest.Options{})
	for _, account := range [][2]string{{"u", "x"}, {"x", "p"}, {"", ""}} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, nexthinktest.DiscoveryPath, nil)
		r.SetBasicAuth(account[0], account[1])
		w := httptest.NewRecorder()
		p.ServeHTTP(w, r)
		require.Equal(t, http.StatusUnauthorized, w.Code, account)
		require.Contains(t, w.Header().Get("WWW-Authenticate"), "Basic")
	}
}

// The same answer in each format and shape.
func TestFormats(t *testing.T) {
	t.Parallel()
	query := "metric=" + visio + "&path=Europe&path=Switzerland&path=Lausanne"
	get := func(o nexthinktest.Options, format string) *httptest.ResponseRecorder {
		o.Devices = 600
		return ask(t, portal(o), details(query+format))
	}
	want := len(strings.Split(strings.TrimSpace(get(nexthinktest.Options{}, "&format=csv").Body.String()), "\n")) - 1
	require.Greater(t, want, 5)

	table := get(nexthinktest.Options{}, "")
	require.Contains(t, table.Header().Get("Content-Type"), "text/html", "the documented default")
	require.Equal(t, want+1, strings.Count(table.Body.String(), "<tr>"))

	for style, key := range map[nexthinktest.KeyStyle]string{
		nexthinktest.Labels: "Average usage per day (seconds)", nexthinktest.CamelCase: "averageUsagePerDay", nexthinktest.PascalCase: "AverageUsagePerDay",
	} {
		var array []map[string]any
		require.NoError(t, json.Unmarshal(get(nexthinktest.Options{Keys: style}, "&format=json").Body.Bytes(), &array))
		require.Len(t, array, want)
		require.Len(t, array[0], 7)
		require.IsType(t, 0.0, array[0][key])
	}
	var object struct{ Details []map[string]any }
	require.NoError(t, json.Unmarshal(get(nexthinktest.Options{Root: nexthinktest.ObjectWithList}, "&format=json").Body.Bytes(), &object))
	require.Len(t, object.Details, want)
	var matrix struct {
		Headers []string
		Rows    [][]any
	}
	require.NoError(t, json.Unmarshal(get(nexthinktest.Options{Root: nexthinktest.HeadersAndValues}, "&format=json").Body.Bytes(), &matrix))
	require.Len(t, matrix.Rows, want)
	require.Len(t, matrix.Rows[0], len(matrix.Headers))
}

// The same seed and day give the same estate, on any machine and in any order
// of asking.
func TestEstateIsDeterministic(t *testing.T) {
	t.Parallel()
	query := details("format=json&metric=" + visio)
	o := nexthinktest.Options{Seed: 3, Devices: 500}
	first := ask(t, portal(o), query).Body.String()
	require.Equal(t, first, ask(t, portal(o), query).Body.String())
	o.Seed = 4
	require.NotEqual(t, first, ask(t, portal(o), query).Body.String())
}

// From day to day a few devices come and go, and averages move, but the estate
// stays one.
func TestDays(t *testing.T) {
	t.Parallel()
	now := noon()
	p := portal(nexthinktest.Options{Devices: 5000, Now: func() time.Time { return now }})
	before := rows(t, p, "metric="+visio+"&program=8b37ddb4-29fe-469a-bdc0-ca3497d7c7f9")
	came, went, moved := 0, 0, 0
	for range 30 {
		now = now.AddDate(0, 0, 1)
		today := rows(t, p, "metric="+visio+"&program=8b37ddb4-29fe-469a-bdc0-ca3497d7c7f9")
		for device, row := range today {
			old, known := before[device]
			if !known {
				came++
			} else if old[2] != row[2] {
				moved++
			}
			if known {
				require.Equal(t, old[4], row[4], "the first date with the package stays")
			}
		}
		for device := range before {
			if today[device] == nil {
				went++
			}
		}
		require.InEpsilon(t, len(before), len(today), 0.05)
		before = today
	}
	require.Positive(t, came)
	require.Positive(t, went)
	require.Positive(t, moved)
}

// What the documentation says of one row.
func TestRows(t *testing.T) {
	t.Parallel()
	now := noon()
	var never, used int
	for device, row := range rows(t, portal(nexthinktest.Options{Devices: 5000}), "metric="+visio+"&program=8b37ddb4-29fe-469a-bdc0-ca3497d7c7f9") {
		usage, err := strconv.ParseFloat(row[2], 64)
		require.NoError(t, err)
		first, err := time.Parse(time.DateOnly, row[4])
		require.NoError(t, err)
		require.False(t, first.After(now), device)
		require.Regexp(t, `^visio\.exe (yes|no), vviewer\.exe (yes|no)$`, row[6])
		if row[5] == "" {
			never++
			require.Zero(t, usage)
			require.NotContains(t, row[6], "yes")
			continue
		}
		used++
		require.Positive(t, usage)
		require.Contains(t, row[6], "visio.exe yes")
		last, err := time.Parse("2006-01-02T15:04:05", row[5])
		require.NoError(t, err)
		require.True(t, last.Before(now.Truncate(24*time.Hour)), "computed over the days before today")
		require.True(t, last.After(now.AddDate(0, 0, -32)), "no events are kept beyond the window")
		require.False(t, last.Before(first))
	}
	require.Positive(t, never)
	require.Positive(t, used)
}

func TestUnderusageIsAPartOfInstalled(t *testing.T) {
	t.Parallel()
	p := portal(nexthinktest.Options{Devices: 5000})
	query := "metric=" + visio + "&program=8b37ddb4-29fe-469a-bdc0-ca3497d7c7f9"
	installed, under := rows(t, p, query), rows(t, p, query+"&list=underusage")
	require.Greater(t, len(under), len(installed)/10)
	require.Less(t, len(under), len(installed)*2/3)
	for device, row := range under {
		require.Equal(t, installed[device], row)
	}
}

// A node holds what its children hold, and each hierarchy slices the same
// devices.
func TestHierarchies(t *testing.T) {
	t.Parallel()
	p := portal(nexthinktest.Options{Devices: 5000})
	query := "metric=" + visio + "&program=8b37ddb4-29fe-469a-bdc0-ca3497d7c7f9&"
	whole := devices(rows(t, p, query))
	for _, slices := range [][]string{
		{"path=Europe", "path=Americas", "path=Asia+Pacific"},
		{
			"path=Europe&path=Switzerland", "path=Europe&path=Germany", "path=Europe&path=France", "path=Europe&path=Spain",
			"path=Americas", "path=Asia+Pacific",
		},
		{
			"hierarchy=Business+units&path=Headquarters", "hierarchy=Business+units&path=Services",
			"hierarchy=Business+units&path=Manufacturing", "hierarchy=Business+units&path=Research",
		},
	} {
		all := map[string][]string{}
		for _, slice := range slices {
			part := rows(t, p, query+slice)
			require.NotEmpty(t, part, slice)
			maps.Copy(all, part)
		}
		require.Equal(t, whole, devices(all))
	}
	for _, name := range []string{"R&D / Lab 3", "東京"} {
		path := "path=Americas&path=United+States&path="
		if name == "東京" {
			path = "path=Asia+Pacific&path=Japan&path="
		}
		for _, row := range rows(t, p, query+path+url.QueryEscape(name)) {
			require.Equal(t, name, row[1])
		}
	}
}

// Without a program the rows of all programs of the metric come, one behind the
// other, and a device can be there twice.
func TestWithoutProgram(t *testing.T) {
	t.Parallel()
	p := portal(nexthinktest.Options{Devices: 3000})
	target := nexthinktest.Target{Metric: visio}
	whole, err := p.Truth(noon(), target)
	require.NoError(t, err)
	var sum uint64
	for _, program := range nexthinktest.Metrics()[0].Programs {
		target.Program = program.UID
		one, err := p.Truth(noon(), target)
		require.NoError(t, err)
		sum += one.Devices
	}
	require.Equal(t, whole.Devices, sum)
}

func TestTruthOfUnknownTarget(t *testing.T) {
	t.Parallel()
	_, err := portal(nexthinktest.Options{}).Truth(noon(), nexthinktest.Target{Metric: visio, Path: []string{"Mars"}})
	require.ErrorContains(t, err, "unknown hierarchy or path")
}

// The Portal's day begins at its own midnight.
func TestTimeZone(t *testing.T) {
	t.Parallel()
	zurich, err := time.LoadLocation("Europe/Zurich")
	require.NoError(t, err)
	at := time.Date(2026, 11, 19, 23, 30, 0, 0, time.UTC) // already the 20th in Zurich
	query := details("format=json&metric=" + visio)
	body := func(at time.Time, zone *time.Location) string {
		return ask(t, portal(nexthinktest.Options{
			Devices: 500, Location: zone, Now: func() time.Time { return at },
		}), query).Body.String()
	}
	require.Equal(t, body(noon(), time.UTC), body(at, zurich))
	require.NotEqual(t, body(noon(), time.UTC), body(at, time.UTC))
}

// Every link that the discovery page shows leads to an answer.
func TestDiscoveryPage(t *testing.T) {
	t.Parallel()
	p := portal(nexthinktest.Options{Devices: 100})
	page := ask(t, p, nexthinktest.DiscoveryPath)
	require.Contains(t, page.Header().Get("Content-Type"), "text/html")
	links := regexp.MustCompile(`href="([^"]+)"`).FindAllStringSubmatch(page.Body.String(), -1)
	require.Len(t, links, 5*2*3) // programs, lists, formats
	for _, link := range links {
		require.Equal(t, http.StatusOK, ask(t, p, html.UnescapeString(link[1])).Code, link[1])
	}
}

func TestEngines(t *testing.T) {
	t.Parallel()
	var engines []map[string]any
	require.NoError(t, json.Unmarshal(ask(t, portal(nexthinktest.Options{}), nexthinktest.EnginesPath).Body.Bytes(), &engines))
	require.Equal(t, "CONNECTED", engines[0]["status"])
	require.Equal(t, "UTC", engines[0]["timezone"])
}

func TestFaultsAndCounters(t *testing.T) {
	t.Parallel()
	p := portal(nexthinktest.Options{Devices: 10})
	p.Faults.Next(nexthinktest.EnginesPath, simfault.Status(http.StatusServiceUnavailable, "", "Retry-After", "7"), nil)
	p.Faults.Always(nexthinktest.EnginesPath, simfault.Body("text/html", "<html>"))
	busy := ask(t, p, nexthinktest.EnginesPath)
	require.Equal(t, http.StatusServiceUnavailable, busy.Code)
	require.Equal(t, "7", busy.Header().Get("Retry-After"))
	require.Contains(t, ask(t, p, nexthinktest.EnginesPath).Body.String(), "CONNECTED", "nil in line lets pass")
	require.Contains(t, ask(t, p, nexthinktest.EnginesPath).Body.String(), "<html>", "the line is empty")
	p.Faults.Always(nexthinktest.EnginesPath, nil)
	require.Contains(t, ask(t, p, nexthinktest.EnginesPath).Body.String(), "CONNECTED")
	require.Equal(t, 4, p.Faults.Requests(nexthinktest.EnginesPath))
	require.Zero(t, p.Faults.Requests(nexthinktest.DetailsPath))
	ask(t, p, details("path=a&path=b"))
	require.Equal(t, []string{"a", "b"}, p.Faults.LastQuery(nexthinktest.DetailsPath)["path"])
}
