package nexthink_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/extract/nexthink"
	"github.com/meterhouse/meterhouse/extract/nexthink/nexthinktest"
)

// documented is the example of Nexthink's page, as it is printed there.
const documented = `https://portal.example.com/api/softwaremetering/v1/details?
metric=52fa2b8b-b35e-4d7a-9db3-830617c5b6b2&
hierarchy=DefaultHierarchy&
program=8b37ddb4-29fe-469a-bdc0-ca3497d7c7f9&
list=installed&
path=Europe&path=Switzerland&path=Lausanne&
format=json
`

func TestTargetFromURL(t *testing.T) {
	t.Parallel()
	visio := nexthink.Target{
		Name: "lausanne-8b37ddb4", Metric: "52fa2b8b-b35e-4d7a-9db3-830617c5b6b2", Program: "8b37ddb4-29fe-469a-bdc0-ca3497d7c7f9",
		Hierarchy: "DefaultHierarchy", Path: []string{"Europe", "Switzerland", "Lausanne"}, Lists: []string{nexthink.ListInstalled},
	}
	const details = "https://portal.example.com/api/softwaremetering/v1/details?"
	oneLine := strings.ReplaceAll(documented, "\n", "")
	for name, tc := range map[string]struct {
		pasted string
		want   nexthink.Target
	}{
		"as documented":          {documented, visio},
		"on one line":            {oneLine, visio},
		"indented, with returns": {strings.ReplaceAll(documented, "\n", "\r\n    "), visio},
		"cut within a word":      {oneLine[:70] + "\n" + oneLine[70:120] + " \n " + oneLine[120:], visio},
		"quoted":                 {" '" + oneLine + "' ", visio},
		"in angle brackets":      {"<" + oneLine + ">", visio},
		"from HTML":              {strings.ReplaceAll(oneLine, "&", "&amp;"), visio},
		"without a scheme":       {strings.TrimPrefix(oneLine, "https://"), visio},
		"below a path, slash at the end": {
			strings.NewReplacer("/api/", "/portal/api/", "details?", "details/?").Replace(oneLine), visio,
		},
		"with a fragment": {oneLine + "#top", visio},
		"only a metric": {
			details + "metric=m-1", nexthink.Target{Name: "m-1", Metric: "m-1", Lists: []string{nexthink.ListInstalled}},
		},
		"empty means default": {
			details + "metric=m-1&program=&hierarchy=&list=&path=&format=", nexthink.Target{Name: "m-1", Metric: "m-1", Lists: []string{nexthink.ListInstalled}},
		},
		"underusage of a hierarchy": {
			details + "metric=m&hierarchy=Business+units&list=underusage",
			nexthink.Target{Name: "business-units-m", Metric: "m", Hierarchy: "Business units", Lists: []string{nexthink.ListUnderusage}},
		},
		"spaces in every form, order kept": {
			details + "path=Z&metric=m&path=New+York&path=New%20York&path=New York&path=A",
			nexthink.Target{Name: "a-m", Metric: "m", Path: []string{"Z", "New York", "New York", "New York", "A"}, Lists: []string{nexthink.ListInstalled}},
		},
		"odd names": {
			details + "metric=m&path=R%26D%20%2F%20Lab%203&path=1%2B1&path=a;b&path=100%25&path=%26amp%3B&path=%E6%9D%B1%E4%BA%AC",
			nexthink.Target{Name: "m", Metric: "m", Path: []string{"R&D / Lab 3", "1+1", "a;b", "100%", "&amp;", "東京"}, Lists: []string{nexthink.ListInstalled}},
		},
		"the same twice": {
			details + "metric=m&metric=m", nexthink.Target{Name: "m", Metric: "m", Lists: []string{nexthink.ListInstalled}},
		},
		"a long name": {
			details + "metric=52fa2b8b-b35e&path=" + strings.Repeat("Z%C3%BCrich ", 20),
			nexthink.Target{
				Name: "zurich-zurich-zurich-zurich-zurich-zuric-52fa2b8b", Metric: "52fa2b8b-b35e",
				Path: []string{strings.TrimSpace(strings.Repeat("Zürich ", 20))}, Lists: []string{nexthink.ListInstalled},
			},
		},
		"nothing to name it by": {
			details + "metric=%E6%9D%B1", nexthink.Target{Name: "target", Metric: "東", Lists: []string{nexthink.ListInstalled}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := nexthink.TargetFromURL(tc.pasted)
			require.NoError(t, err)
			require.Equal(t, tc.want, got.Target)
			require.Equal(t, "https://portal.example.com", got.Server.String())
			require.Empty(t, got.Notes)
		})
	}
}

func TestTargetFromURLNotes(t *testing.T) {
	t.Parallel()
	got, err := nexthink.TargetFromURL("http://me:" + "s3cret@portal.example.com:8443/api/softwaremetering/v1/details?metric=m&token=s3cret")
	require.NoError(t, err)
	require.Equal(t, "http://portal.example.com:8443", got.Server.String())
	require.Equal(t, []string{
		"the URL holds a user or password, which is left out; whoever saw the URL has seen it too",
		`the parameter "token" is not one of the API and is left out`,
	}, got.Notes)

	got, err = nexthink.TargetFromURL("/api/softwaremetering/v1/details?metric=m")
	require.NoError(t, err)
	require.Nil(t, got.Server)
}

// What is refused says what to do, and never repeats what may be secret.
func TestTargetFromURLRefuses(t *testing.T) {
	t.Parallel()
	const host = "https://me:s3cret@portal.example.com"
	const details = host + "/api/softwaremetering/v1/details?"
	for name, tc := range map[string]struct{ pasted, says string }{
		"nothing":            {"", "is not that of metering details"},
		"the discovery tool": {host + "/api/softwaremetering/v1/", "the discovery tool itself: pick metric, hierarchy, program and node there, follow a link such as Installed (json)"},
		"another page":       {host + "/login?metric=m", `the path of the URL, "/login", is not that of metering details: open …/api/softwaremetering/v1 on the portal`},
		"another API":        {host + "/api/metrics/v1/details?metric=m", `"/api/metrics/v1/details", is not that`},
		"a longer path":      {host + "/api/softwaremetering/v1/details/x?metric=m", "is not that of metering details"},
		"a longer name":      {host + "/myapi/softwaremetering/v1/details?metric=m", "is not that of metering details"},
		"a curl command":     {"curl " + details + "metric=m -u me:s3cret", "this is not a URL that can be read: copy it whole"},
		"no URL":             {"https://me:s3cret@[::1", "this is not a URL that can be read: copy it whole"},
		"no metric":          {details + "program=p", "names no metric"},
		"two metrics":        {details + "metric=m&metric=n", `the parameter "metric" stands in the URL twice`},
		"list":               {details + "metric=m&list=all", `the list "all", which is neither installed nor underusage`},
		"broken escape":      {details + "metric=m&path=%zz", `the parameter "path" of the URL cannot be read`},
		"cut escape":         {details + "metric=m&path=Z%C3", `the parameter "path" of the URL cannot be read`},
	} {
		_, err := nexthink.TargetFromURL(tc.pasted)
		require.ErrorContains(t, err, tc.says, name)
		require.NotContains(t, err.Error(), "s3cret", name)
	}
}

// What was read is asked for as it was meant: the target's own request says the
// same as the address.
func TestTargetFromURLIsWhatIsAskedFor(t *testing.T) {
	t.Parallel()
	b := setup(t, nexthinktest.Options{Devices: 6000})
	got, err := nexthink.TargetFromURL("https://x/api/softwaremetering/v1/details?metric=" + visio().Metric +
		"&program=" + visio().Program + "&list=underusage&path=Americas&path=United+States&path=R%26D+%2F+Lab+3")
	require.NoError(t, err)
	b.options.Targets = []nexthink.Target{got.Target}
	records, _, err := b.pull(t, got.Target.Name+"/underusage")
	require.NoError(t, err)
	require.NotEmpty(t, records)
	query := b.portal.Faults.LastQuery(nexthinktest.DetailsPath)
	require.Equal(t, []string{"Americas", "United States", "R&D / Lab 3"}, query["path"])
	require.Equal(t, "underusage", query.Get("list"))
}
