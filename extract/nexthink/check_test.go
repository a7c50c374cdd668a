package nexthink_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/extract/extracttest/simfault"
	"github.com/meterhouse/meterhouse/extract/nexthink"
	"github.com/meterhouse/meterhouse/extract/nexthink/nexthinktest"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	b := setup(t, nexthinktest.Options{Devices: 6000})
	findings, err := b.source(t).Check(t.Context())
	require.NoError(t, err)
	require.Len(t, findings, 4)
	require.Equal(t, "TLS", findings[0].What)
	require.Contains(t, findings[0].Says, "the certificate is trusted, the server's is valid until 20")
	require.Equal(t, []extract.Finding{
		{What: "credentials", Says: `the Portal accepts the user "meterhouse"`},
		{What: "right to read", Says: "visio/installed answers in json with at least one device"},
		{What: "engine engine-1", Says: "CONNECTED, time zone UTC, version 6.30.0.0"},
	}, findings[1:])
	require.Equal(t, 1, b.portal.Faults.Requests(nexthinktest.DetailsPath))
}

func TestCheckFindsWhatAnOperatorShouldKnow(t *testing.T) {
	t.Parallel()
	b := setup(t, nexthinktest.Options{})
	b.options.TLS.CAPEM, b.options.TLS.InsecureSkipVerify = nil, true
	b.portal.Faults.Always(nexthinktest.EnginesPath, simfault.Body("application/json",
		`[{"name":"emea","status":"DISCONNECTED","timezone":"Europe/Zurich","version":"6.30.1"}]`))
	findings, err := b.source(t).Check(t.Context())
	require.NoError(t, err)
	require.True(t, findings[0].Warn)
	require.Contains(t, findings[0].Says, "insecure_skip_verify")
	require.Equal(t, "visio/installed answers in json with no device; if there should be one, the account may not see it", findings[2].Says)
	require.Equal(t, extract.Finding{
		What: "engine emea", Warn: true,
		Says: "DISCONNECTED, time zone Europe/Zurich, version 6.30.1: the devices of this engine may be missing or old",
	}, findings[3])
}

// The engines are extra knowledge: an account that may not see them can still
// read the metering.
func TestCheckWithoutEngines(t *testing.T) {
	t.Parallel()
	for says, fault := range map[string]simfault.Fault{
		"HTTP status 403":      simfault.Status(http.StatusForbidden, ""),
		"HTTP status 404":      simfault.Status(http.StatusNotFound, ""),
		"not the array":        simfault.Body("text/html", "<html>"),
		"the answer broke off": simfault.CutAfter(10),
	} {
		b := setup(t, nexthinktest.Options{})
		b.portal.Faults.Always(nexthinktest.EnginesPath, fault)
		findings, err := b.source(t).Check(t.Context())
		require.NoError(t, err)
		last := findings[len(findings)-1]
		require.Equal(t, "engines", last.What)
		require.Contains(t, last.Says, says)
		require.NotContains(t, last.Says, "discovery tool")
		require.False(t, last.Warn)
	}
}

// A name that is misspelt in one target is found, and the other targets are
// looked at all the same.
func TestCheckLooksAtEveryTarget(t *testing.T) {
	t.Parallel()
	b := setup(t, nexthinktest.Options{Devices: 6000})
	misspelt, last := visio(), visio()
	misspelt.Name, misspelt.Path = "misspelt", []string{"Europe", "Swizerland"}
	last.Name, last.Lists = "last", []string{nexthink.ListUnderusage}
	b.options.Targets = append(b.options.Targets, misspelt, last)
	findings, err := b.source(t).Check(t.Context())
	require.Equal(t, extract.BadRequest, asError(t, err).Class)
	require.ErrorContains(t, err, "misspelt/installed")
	var read []string
	for _, f := range findings {
		if f.What == "right to read" {
			read = append(read, fmt.Sprintf("%.34s %t", f.Says, f.Warn))
		}
	}
	require.Equal(t, []string{
		"visio/installed answers in json wi false", "misspelt/installed: HTTP status 40 true", "last/underusage answers in json wi false",
	}, read)
}

func TestCheckFails(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		fault simfault.Fault
		class extract.Class
	}{
		"credentials": {simfault.Status(http.StatusUnauthorized, ""), extract.Credentials},
		"rights":      {simfault.Status(http.StatusForbidden, ""), extract.Forbidden},
		"target":      {simfault.Status(http.StatusNotFound, ""), extract.BadRequest},
		"login page":  {simfault.Body("text/html", "<html>"), extract.BadAnswer},
		"other form":  {simfault.Body("application/json", `[{"x":1}]`), extract.BadAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, nexthinktest.Options{})
			b.portal.Faults.Always(nexthinktest.DetailsPath, tc.fault)
			_, err := b.source(t).Check(t.Context())
			require.Equal(t, tc.class, asError(t, err).Class)
			require.Zero(t, b.portal.Faults.Requests(nexthinktest.EnginesPath))
		})
	}
}
