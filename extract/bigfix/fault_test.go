package bigfix_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/extract/bigfix"
	"github.com/meterhouse/meterhouse/extract/bigfix/bigfixtest"
)

// The ladder of what can go wrong: for each the class, how often the server was
// asked, and that nothing incomplete is taken for a day.
func TestPullFails(t *testing.T) {
	t.Parallel()
	const retried = 3 // the first request and two retries
	for name, f := range map[string]struct {
		fault    bigfixtest.Fault
		change   func(*bigfix.Options)
		class    extract.Class
		requests int
		says     string
	}{
		"400": {bigfixtest.Fault{Kind: bigfixtest.FaultStatus, Status: 400, Body: "unknown column"}, nil, extract.BadRequest, 1, "unknown column"},
		"403": {bigfixtest.Fault{Kind: bigfixtest.FaultStatus, Status: 403}, nil, extract.Forbidden, 1, "View License Metrics"},
		"404": {bigfixtest.Fault{Kind: bigfixtest.FaultStatus, Status: 404}, nil, extract.BadRequest, 1, "11.0.7.0"},
		"412": {bigfixtest.Fault{Kind: bigfixtest.FaultStatus, Status: 412}, nil, extract.Forbidden, 1, "not enabled"},
		"418": {bigfixtest.Fault{Kind: bigfixtest.FaultStatus, Status: 418}, nil, extract.BadRequest, 1, "418"},
		"408": {bigfixtest.Fault{Kind: bigfixtest.FaultStatus, Status: 408}, nil, extract.Transient, retried, "3 attempts"},
		"429": {bigfixtest.Fault{Kind: bigfixtest.FaultStatus, Status: 429}, nil, extract.Throttled, retried, "3 attempts"},
		"500": {bigfixtest.Fault{Kind: bigfixtest.FaultStatus, Status: 500}, nil, extract.Transient, retried, "3 attempts"},
		"503": {bigfixtest.Fault{Kind: bigfixtest.FaultStatus, Status: 503}, nil, extract.Transient, retried, "3 attempts"},
		"503 for an hour": {
			bigfixtest.Fault{Kind: bigfixtest.FaultStatus, Status: 503, RetryAfter: "3600"}, nil, extract.Throttled, 1, "503",
		},
		"reset":          {bigfixtest.Fault{Kind: bigfixtest.FaultReset}, nil, extract.Transient, retried, "EOF"},
		"redirect":       {bigfixtest.Fault{Kind: bigfixtest.FaultRedirect, Body: "https://sso.example.com/login?next=x"}, nil, extract.BadAnswer, 1, "https://sso.example.com/login,"},
		"login page":     {bigfixtest.Fault{Kind: bigfixtest.FaultHTML}, nil, extract.BadAnswer, 1, "HTML page: Sign in"},
		"garbage":        {bigfixtest.Fault{Kind: bigfixtest.FaultGarbage}, nil, extract.BadAnswer, 1, "behind the end"},
		"wrong total":    {bigfixtest.Fault{Kind: bigfixtest.FaultTotal}, nil, extract.BadAnswer, 1, "counts"},
		"cut":            {bigfixtest.Fault{Kind: bigfixtest.FaultCut, After: 5000}, nil, extract.Interrupted, 1, "broke off"},
		"cut at once":    {bigfixtest.Fault{Kind: bigfixtest.FaultCut, After: 1}, nil, extract.Interrupted, 1, "broke off"},
		"cut, by length": {bigfixtest.Fault{Kind: bigfixtest.FaultCutLength, After: 5000}, nil, extract.Interrupted, 1, "broke off"},
		"ends early":     {bigfixtest.Fault{Kind: bigfixtest.FaultEndEarly, After: 5000}, nil, extract.Interrupted, 1, "ended in the middle"},
		"no body":        {bigfixtest.Fault{Kind: bigfixtest.FaultEndEarly}, nil, extract.BadAnswer, 1, "the body is empty"},
		"cut on the second page": {
			bigfixtest.Fault{Kind: bigfixtest.FaultCut, After: 5000, Skip: 1}, func(o *bigfix.Options) { o.PageSize = 150 }, extract.Interrupted, 2, "broke off",
		},
		"403 on the second page": {
			bigfixtest.Fault{Kind: bigfixtest.FaultStatus, Status: 403, Skip: 1}, func(o *bigfix.Options) { o.PageSize = 150 }, extract.Forbidden, 2, "",
		},
		"stall": {
			bigfixtest.Fault{Kind: bigfixtest.FaultStall, After: 5000},
			func(o *bigfix.Options) { o.IdleTimeout = 20 * time.Millisecond },
			extract.Interrupted, 1, "no byte for 20ms",
		},
		"hang": {
			bigfixtest.Fault{Kind: bigfixtest.FaultHang},
			func(o *bigfix.Options) { o.RequestTimeout = 3 * time.Second },
			extract.Transient, 1, "request_timeout of 3s",
		},
		"drip": {
			bigfixtest.Fault{Kind: bigfixtest.FaultDrip, After: 2000, Every: time.Millisecond},
			func(o *bigfix.Options) { o.RequestTimeout = 3 * time.Second },
			extract.Interrupted, 1, "request_timeout of 3s",
		},
		"oversized": {
			bigfixtest.Fault{Kind: bigfixtest.FaultOversized, After: 100},
			func(o *bigfix.Options) { o.MaxBytes = 1 << 20 },
			extract.BadAnswer, 1, "longer than the 1048576 bytes",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, bigfixtest.Options{}, f.change)
			b.server.Fault(f.fault)
			_, answer, err := b.pull(t, "default")
			requireClass(t, f.class, err)
			require.ErrorContains(t, err, f.says)
			require.ErrorContains(t, err, "license usage of "+someDay)
			require.Equal(t, f.requests, b.server.Requests(""))
			require.Equal(t, f.requests, answer.Requests)
		})
	}
}

func TestPullRecoversFromFaultsThatPass(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]bigfixtest.Fault{
		"500":                     {Kind: bigfixtest.FaultStatus, Status: 500},
		"502":                     {Kind: bigfixtest.FaultStatus, Status: 502},
		"504":                     {Kind: bigfixtest.FaultStatus, Status: 504},
		"429 and a time to wait":  {Kind: bigfixtest.FaultStatus, Status: 429, RetryAfter: "0"},
		"503 and a date gone by":  {Kind: bigfixtest.FaultStatus, Status: 503, RetryAfter: "Mon, 02 Jan 2006 15:04:05 GMT"},
		"a connection that broke": {Kind: bigfixtest.FaultReset},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, bigfixtest.Options{}, nil)
			fault.Times = 2
			b.server.Fault(fault)
			got, answer, err := b.pull(t, "default")
			require.NoError(t, err)
			require.Equal(t, b.truth(t, 0), got)
			require.Equal(t, 3, answer.Requests)
		})
	}
}

func TestPullAcceptsARightBodyOfAWrongType(t *testing.T) {
	t.Parallel()
	b := setup(t, bigfixtest.Options{}, nil)
	b.server.Fault(bigfixtest.Fault{Kind: bigfixtest.FaultContentType})
	got, _, err := b.pull(t, "default")
	require.NoError(t, err)
	require.Equal(t, b.truth(t, 0), got)
}

func TestPullOfGroupsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	b := setup(t, bigfixtest.Options{}, nil)
	_, _, err := b.pull(t, "group-7")
	requireClass(t, extract.Forbidden, err)
	require.Equal(t, http.StatusPreconditionFailed, errorOf(t, err).Status)
	_, _, err = b.pull(t, "group-99")
	requireClass(t, extract.Forbidden, err)
	require.Equal(t, http.StatusForbidden, errorOf(t, err).Status)
	require.ErrorContains(t, err, "in computer group 99")
}

func TestPullOverTLSThatIsNotRight(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]struct {
		server bigfixtest.Options
		change func(*bigfix.Options)
		hint   string // empty: it works
	}{
		"an authority that is not known": {change: func(o *bigfix.Options) { o.TLS = bigfix.TLSOptions{} }, hint: "tls.ca_file"},
		"another name":                   {server: bigfixtest.Options{CertNames: []string{"bigfix.example.com"}}, hint: "tls.server_name"},
		"another name that is expected":  {server: bigfixtest.Options{CertNames: []string{"bigfix.example.com"}}, change: func(o *bigfix.Options) { o.TLS.ServerName = "bigfix.example.com" }},
		"expired":                        {server: bigfixtest.Options{CertExpired: true}, hint: "renewed"},
		"expired and nobody cares":       {server: bigfixtest.Options{CertExpired: true}, change: func(o *bigfix.Options) { o.TLS = bigfix.TLSOptions{InsecureSkipVerify: true} }},
		"no TLS on this port":            {server: bigfixtest.Options{PlainHTTP: true}, change: func(o *bigfix.Options) { o.URL.Scheme = "https" }, hint: "http://"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, f.server, f.change)
			_, answer, err := b.pull(t, "default")
			if f.hint == "" {
				require.NoError(t, err)
				return
			}
			requireClass(t, extract.TLS, err)
			e := errorOf(t, err)
			require.Contains(t, e.Hint, f.hint)
			require.Equal(t, 1, answer.Requests, "no retry mends a certificate")
			require.Zero(t, b.server.Requests(""))
		})
	}
}
