package bigfix_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/extract/bigfix"
	"github.com/meterhouse/meterhouse/extract/bigfix/bigfixtest"
	"github.com/meterhouse/meterhouse/extract/extracttest/simfault"
)

// about finds what a check says about something.
func about(t *testing.T, findings []extract.Finding, what string) []extract.Finding {
	t.Helper()
	var found []extract.Finding
	for _, f := range findings {
		if f.What == what {
			found = append(found, f)
		}
	}
	require.NotEmpty(t, found, "nothing about %s in %v", what, findings)
	return found
}

func TestCheckOfAServerThatIsReady(t *testing.T) {
	t.Parallel()
	b := setup(t, bigfixtest.Options{Version: "11.0.8.0"}, func(o *bigfix.Options) { o.Groups = []int64{5, 6} })
	findings, err := b.source.Check(t.Context())
	require.NoError(t, err)
	for _, f := range findings {
		require.False(t, f.Warn, "%+v", f)
	}
	require.Contains(t, about(t, findings, "TLS")[0].Says, "accepted")
	require.Contains(t, about(t, findings, "credentials")[0].Says, "accepts the token")
	require.Equal(t, []extract.Finding{
		{What: "right to read", Says: `feed "group-5" can be read`}, {What: "right to read", Says: `feed "group-6" can be read`},
	}, about(t, findings, "right to read"))
	require.Equal(t, "11.0.8.0", about(t, findings, "version")[0].Says)
	require.Equal(t, []string{"1"}, b.server.Seen()[0].Query["limit"], "it asks for the cheapest thing")
}

func TestCheckNamesTheGroupThatCannotBeRead(t *testing.T) {
	t.Parallel()
	b := setup(t, bigfixtest.Options{}, func(o *bigfix.Options) { o.Groups = []int64{99, 5, bigfixtest.GroupWithout} })
	findings, err := b.source.Check(t.Context())
	requireClass(t, extract.Forbidden, err)
	require.Equal(t, 403, errorOf(t, err).Status, "the first fault is the error")
	rights := about(t, findings, "right to read")
	require.Len(t, rights, 3)
	require.True(t, rights[0].Warn)
	require.Contains(t, rights[0].Says, "group-99")
	require.False(t, rights[1].Warn)
	require.True(t, rights[2].Warn)
	require.Contains(t, rights[2].Says, "not enabled")
}

func TestCheckEndsWhereNothingElseCanWork(t *testing.T) {
	t.Parallel()
	b := setup(t, bigfixtest.Options{}, func(o *bigfix.Options) {
		o.Groups, o.Token = []int64{5, 6}, func() string { return "stale" }
	})
	_, err := b.source.Check(t.Context())
	requireClass(t, extract.Credentials, err)
	require.Equal(t, 1, b.server.Requests(""))
}

func TestCheckWarns(t *testing.T) {
	t.Parallel()
	b := setup(t, bigfixtest.Options{ServerColumns: []string{"name"}}, func(o *bigfix.Options) {
		o.TLS = bigfix.TLSOptions{InsecureSkipVerify: true}
		o.ServerColumns = []string{"name", "cores"}
	})
	findings, err := b.source.Check(t.Context())
	require.NoError(t, err)
	require.True(t, about(t, findings, "TLS")[0].Warn)
	require.True(t, about(t, findings, "server_columns")[0].Warn)
}

func TestCheckDoesWithoutTheVersion(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]simfault.Fault{
		"not permitted": simfault.Status(403, ""),
		"not there":     simfault.Status(404, ""),
		"not JSON":      simfault.LoginPage(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, bigfixtest.Options{PlainHTTP: true}, nil)
			b.server.Faults.Always(bigfixtest.AboutPath, fault)
			findings, err := b.source.Check(t.Context())
			require.NoError(t, err)
			require.False(t, about(t, findings, "version")[0].Warn)
			require.Contains(t, about(t, findings, "TLS")[0].Says, "not used")
		})
	}
}
