package nexthink_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/extract/internal/simfault"
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

func TestFaultThatPasses(t *testing.T) {
	t.Parallel()
	b := setup(t, nexthinktest.Options{Devices: 300})
	b.options.MaxRetries = 2
	b.portal.Faults.Next(nexthinktest.DetailsPath, simfault.Status(http.StatusServiceUnavailable, "starting"))
	records, answer, err := b.pull(t, "visio/installed")
	require.NoError(t, err)
	require.Equal(t, 3, answer.Requests, "the third asks for the engines")
	require.NotEmpty(t, records)
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

func TestCertificateThatNobodyVouchesFor(t *testing.T) {
	t.Parallel()
	b := setup(t, nexthinktest.Options{})
	b.options.TLS.CAPEM = setup(t, nexthinktest.Options{}).server.CAPEM
	_, _, err := b.pull(t, "visio/installed")
	require.Equal(t, extract.TLS, asError(t, err).Class)
	require.Zero(t, b.portal.Faults.Requests(nexthinktest.DetailsPath))
}

// What breaks off is never complete, whether HTTP notices or not.
func TestAnswerThatBreaksOff(t *testing.T) {
	t.Parallel()
	for _, format := range []string{nexthink.FormatJSON, nexthink.FormatCSV, nexthink.FormatTable} {
		for name, fault := range map[string]simfault.Fault{
			"cut":              simfault.CutAfter(10_000),
			"cut at the start": simfault.CutAfter(1),
			"ends early":       simfault.EndAfter(10_001),
			"stalls":           simfault.StallAfter(10_000),
		} {
			t.Run(format+" "+name, func(t *testing.T) {
				t.Parallel()
				b := setup(t, nexthinktest.Options{Devices: 6000})
				b.options.Format = format
				b.options.IdleTimeout = 200 * time.Millisecond
				b.portal.Faults.Next(nexthinktest.DetailsPath, fault)
				_, answer, err := b.pull(t, "visio/installed")
				require.Equal(t, extract.Interrupted, asError(t, err).Class, "%v", err)
				require.LessOrEqual(t, answer.Bytes, int64(10_001))
				b.options.IdleTimeout = 0
				_, _, err = b.pull(t, "visio/installed")
				require.NoError(t, err, "the next pull")
			})
		}
	}
}

func TestSilentPortal(t *testing.T) {
	t.Parallel()
	b := setup(t, nexthinktest.Options{})
	b.options.RequestTimeout = 200 * time.Millisecond
	b.portal.Faults.Always(nexthinktest.DetailsPath, simfault.Silence())
	_, _, err := b.pull(t, "visio/installed")
	require.Equal(t, extract.Transient, asError(t, err).Class)
}

func TestCancelledPull(t *testing.T) {
	t.Parallel()
	b := setup(t, nexthinktest.Options{Devices: 6000})
	b.portal.Faults.Always(nexthinktest.DetailsPath, simfault.StallAfter(10_000))
	s := b.source(t)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := s.Pull(ctx, s.Live(), extract.Request{Feed: "visio/installed"}, func(*extract.Record) error {
		cancel()
		return nil
	})
	require.Equal(t, extract.Cancelled, asError(t, err).Class)
	require.ErrorIs(t, err, context.Canceled)
}

func TestAnswerBeyondTheLimit(t *testing.T) {
	t.Parallel()
	b := setup(t, nexthinktest.Options{Devices: 6000})
	b.options.MaxBytes = 10_000
	_, _, err := b.pull(t, "visio/installed")
	require.Equal(t, extract.BadAnswer, asError(t, err).Class)
	require.ErrorContains(t, err, "longer than the 10000 bytes")
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

// A redirect is not followed, so the password never reaches another server.
func TestRedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the other server was asked")
	}))
	t.Cleanup(elsewhere.Close)
	b := setup(t, nexthinktest.Options{})
	b.portal.Faults.Always(nexthinktest.DetailsPath, simfault.Status(http.StatusTemporaryRedirect, "", "Location", elsewhere.URL))
	_, _, err := b.pull(t, "visio/installed")
	require.Equal(t, extract.BadAnswer, asError(t, err).Class)
}
