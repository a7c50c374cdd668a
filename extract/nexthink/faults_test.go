package nexthink_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/extract/extracttest/simfault"
	"github.com/meterhouse/meterhouse/extract/nexthink"
	"github.com/meterhouse/meterhouse/extract/nexthink/nexthinktest"
)

// A status is told to the operator with what to do, and asked again only where
// that can help: a wrong password tried twice may lock the account.
func TestStatuses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		status   int
		class    extract.Class
		requests int
		hint     string
	}{
		{http.StatusUnauthorized, extract.Credentials, 1, `check user and password_file of "hq"`},
		{http.StatusForbidden, extract.Forbidden, 1, "the right to see software metering metrics"},
		{http.StatusNotFound, extract.BadRequest, 1, "what the discovery tool shows at https://127.0.0.1"},
		{http.StatusBadRequest, extract.BadRequest, 1, "compare metric, program, hierarchy and path of the target"},
		{http.StatusFound, extract.BadAnswer, 1, "redirects to https://login.example.com/saml"},
		{http.StatusInternalServerError, extract.Transient, 2, ""},
		{http.StatusBadGateway, extract.Transient, 2, ""},
		{http.StatusTooManyRequests, extract.Throttled, 2, ""},
	} {
		t.Run(fmt.Sprint(tc.status), func(t *testing.T) {
			t.Parallel()
			b := setup(t, nexthinktest.Options{})
			b.options.MaxRetries = 1
			b.portal.Faults.Always(nexthinktest.DetailsPath,
				simfault.Status(tc.status, "not today", "Location", "https://login.example.com/saml?x=1"))
			records, answer, err := b.pull(t, "visio/installed")
			e := asError(t, err)
			require.Equal(t, tc.class, e.Class)
			require.Equal(t, tc.status, e.Status)
			require.Equal(t, "not today", e.Says)
			require.Contains(t, e.Hint, tc.hint)
			require.Equal(t, `asking "hq" for metering details of visio/installed`, e.Doing)
			require.Equal(t, tc.requests, b.portal.Faults.Requests(nexthinktest.DetailsPath))
			require.Equal(t, tc.requests, answer.Requests)
			require.Empty(t, records)
		})
	}
}

func TestWrongPassword(t *testing.T) {
	t.Parallel()
	b := setup(t, nexthinktest.Options{})
	b.options.MaxRetries = 4
	b.options.Password = func() string { return "wrong" }
	_, _, err := b.pull(t, "visio/installed")
	require.Equal(t, extract.Credentials, asError(t, err).Class)
	require.Equal(t, 1, b.portal.Faults.Requests(nexthinktest.DetailsPath))
}

func TestTargetThatThePortalDoesNotHave(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*nexthink.Target){
		"metric":        func(o *nexthink.Target) { o.Metric = "00000000-0000-4000-8000-000000000000" },
		"program":       func(o *nexthink.Target) { o.Program = o.Metric },
		"hierarchy":     func(o *nexthink.Target) { o.Hierarchy = "Cost centres" },
		"path":          func(o *nexthink.Target) { o.Path = []string{"Europe", "Atlantis"} },
		"order of path": func(o *nexthink.Target) { o.Path = []string{"Switzerland", "Europe"} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, nexthinktest.Options{Devices: 10})
			change(&b.options.Targets[0])
			_, _, err := b.pull(t, "visio/installed")
			e := asError(t, err)
			require.Equal(t, extract.BadRequest, e.Class)
			require.Equal(t, http.StatusNotFound, e.Status)
			require.Contains(t, e.Hint, nexthinktest.DiscoveryPath)
		})
	}
}

func TestPartOfAnAnswer(t *testing.T) {
	t.Parallel()
	b := setup(t, nexthinktest.Options{})
	b.portal.Faults.Always(nexthinktest.DetailsPath, simfault.Status(http.StatusPartialContent, "[]"))
	_, _, err := b.pull(t, "visio/installed")
	require.Equal(t, extract.BadAnswer, asError(t, err).Class)
}

// A Portal that repeats what it was sent must not bring the password into an
// error, wherever it stands.
func TestSecretsNeverShow(t *testing.T) {
	t.Parallel()
	header := "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
	echo := header + " " + password
	for name, fault := range map[string]simfault.Fault{
		"status":      simfault.Status(http.StatusForbidden, echo),
		"page":        simfault.Body("text/html", "<p>"+echo),
		"text":        simfault.Body("text/plain", echo),
		"key":         simfault.Body("application/json", `[{"`+echo+`":1}]`),
		"member":      simfault.Body("application/json", `{"`+echo+`":1}`),
		"second list": simfault.Body("application/json", `{"data":[{"device":1}],"rows":[{"device":"`+echo+`"}]}`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, nexthinktest.Options{})
			b.portal.Faults.Always(nexthinktest.DetailsPath, fault)
			_, _, err := b.pull(t, "visio/installed")
			require.Error(t, err)
			for _, text := range []string{err.Error(), fmt.Sprintf("%+v", asError(t, err))} {
				require.NotContains(t, text, password)
				require.NotContains(t, text, header)
			}
		})
	}
}
