package bigfix_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/extract/bigfix"
	"github.com/meterhouse/meterhouse/extract/bigfix/bigfixtest"
	"github.com/meterhouse/meterhouse/extract/extracttest/simfault"
)

func TestTheTokenGoesWhereItIsConfigured(t *testing.T) {
	t.Parallel()
	b := setup(t, bigfixtest.Options{}, nil)
	_, _, err := b.pull(t, "default")
	require.NoError(t, err)
	require.Equal(t, b.server.Token(), b.server.Seen()[0].Header.Get("Token"))
	require.NotContains(t, b.server.Seen()[0].Query, "token")

	b = setup(t, bigfixtest.Options{}, func(o *bigfix.Options) { o.TokenIn = bigfix.TokenInQuery })
	_, _, err = b.pull(t, "default")
	require.NoError(t, err)
	require.Equal(t, []string{b.server.Token()}, b.server.Seen()[0].Query["token"])
	require.Empty(t, b.server.Seen()[0].Header.Get("Token"))
}

func TestAFetchedTokenIsFetchedAgainOnceItIsRefused(t *testing.T) {
	t.Parallel()
	for _, place := range []string{bigfix.TokenInHeader, bigfix.TokenInQuery} {
		t.Run(place, func(t *testing.T) {
			t.Parallel()
			b := setup(t, bigfixtest.Options{}, func(o *bigfix.Options) {
				o.Token, o.TokenIn = nil, place
				o.User, o.Password = "meterhouse", func() string { return "correct horse battery staple" }
			})
			_, _, err := b.pull(t, "default")
			require.NoError(t, err)
			b.server.RotateToken("another")
			got, answer, err := b.pull(t, "default")
			require.NoError(t, err)
			require.Equal(t, b.truth(t, 0), got)
			require.Equal(t, 2, answer.Requests)
			require.Equal(t, 2, b.server.Requests("get_token"))
			require.Equal(t, 3, b.server.Requests("license_usage_per_server"))
		})
	}
}

func TestCredentialsThatAreRefused(t *testing.T) {
	t.Parallel()
	wrongPassword := func(o *bigfix.Options) {
		o.Token = nil
		o.User, o.Password = "meterhouse", func() string { return "hunter2" }
	}
	for name, f := range map[string]struct {
		server         bigfixtest.Options
		change         func(*bigfix.Options)
		fault          simfault.Fault
		logins, usages int
		hint           string
	}{
		"a static token is asked with once": {
			change: func(o *bigfix.Options) { o.Token = func() string { return "stale-token" } }, usages: 1, hint: "Show token",
		},
		"a token in the URL where only the header counts": {
			server: bigfixtest.Options{HeaderOnly: true}, change: func(o *bigfix.Options) { o.TokenIn = bigfix.TokenInQuery },
			usages: 1, hint: "token_in: header",
		},
		"a wrong password is sent once":                 {change: wrongPassword, logins: 1, hint: "user@domain"},
		"a wrong password on a server that answers 500": {server: bigfixtest.Options{LoginStatus: 500}, change: wrongPassword, logins: 1, hint: "user@domain"},
		"a fetched token that is refused is fetched once": {
			change: func(o *bigfix.Options) {
				o.Token = nil
				o.User, o.Password = "meterhouse", func() string { return "correct horse battery staple" }
			},
			fault:  simfault.Status(http.StatusUnauthorized, "no"),
			logins: 2, usages: 2, hint: "token_in",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, f.server, f.change)
			b.server.Faults.Always(bigfixtest.UsagePath, f.fault)
			_, _, err := b.pull(t, "default")
			requireClass(t, extract.Credentials, err)
			e := errorOf(t, err)
			require.Contains(t, e.Hint, f.hint)
			require.Equal(t, f.logins, b.server.Requests("get_token"))
			require.Equal(t, f.usages, b.server.Requests("license_usage_per_server"))
		})
	}
}

func TestAReplacedStaticTokenIsTakenUp(t *testing.T) {
	t.Parallel()
	tokens := []string{"old", "old", "old"} // constructor, first request, its error
	var mu sync.Mutex
	b := setup(t, bigfixtest.Options{}, func(o *bigfix.Options) {
		o.Token = func() string {
			mu.Lock()
			defer mu.Unlock()
			if len(tokens) == 0 {
				return "7adc3efb175e2bc0f4484bdd2efca54a8fa04623"
			}
			token := tokens[0]
			tokens = tokens[1:]
			return token
		}
	})
	_, _, err := b.pull(t, "default")
	require.NoError(t, err)
	require.True(t, slices.ContainsFunc(b.server.Seen(), func(s bigfixtest.Seen) bool { return s.Header.Get("Token") == "old" }))
}

func TestSecretsAreInNoError(t *testing.T) {
	t.Parallel()
	const token, password = "tok+en/4711=", "pass word&<4712>"
	echo := "token " + token + " and " + url.QueryEscape(token) + " of " + password
	for name, f := range map[string]struct {
		path  string
		fault simfault.Fault
	}{
		"status":          {bigfixtest.UsagePath, simfault.Status(400, echo)},
		"server error":    {bigfixtest.UsagePath, simfault.Status(500, echo)},
		"refused token":   {bigfixtest.UsagePath, simfault.Status(401, echo)},
		"redirect":        {bigfixtest.UsagePath, simfault.Redirect("/login/" + url.PathEscape(token) + "?token=" + url.QueryEscape(token))},
		"reset":           {bigfixtest.UsagePath, simfault.Reset()},
		"cut":             {bigfixtest.UsagePath, simfault.CutAfter(1000)},
		"page":            {bigfixtest.UsagePath, simfault.Body("text/html", "<title>"+echo+"</title>")},
		"text":            {bigfixtest.UsagePath, simfault.Body("text/plain", echo)},
		"login says it":   {bigfixtest.TokenPath, simfault.Status(403, "no, "+password)},
		"login redirects": {bigfixtest.TokenPath, simfault.Redirect("http://other.example/?p=" + url.QueryEscape(password))},
		"login is a page": {bigfixtest.TokenPath, simfault.LoginPage()},
		"login is reset":  {bigfixtest.TokenPath, simfault.Reset()},
	} {
		for _, place := range []string{bigfix.TokenInHeader, bigfix.TokenInQuery} {
			t.Run(name+" in "+place, func(t *testing.T) {
				t.Parallel()
				b := setup(t, bigfixtest.Options{Token: token, Password: password}, func(o *bigfix.Options) {
					o.Token, o.TokenIn = nil, place
					o.User, o.Password = "meterhouse", func() string { return password }
				})
				b.server.Faults.Always(f.path, f.fault)
				_, _, err := b.pull(t, "default")
				require.Error(t, err)
				for _, secret := range []string{token, url.QueryEscape(token), url.PathEscape(token), password, url.QueryEscape(password)} {
					require.NotContains(t, err.Error(), secret)
				}
				require.NotContains(t, strings.ToLower(err.Error()), "token=")
			})
		}
	}
}
