package extracttest

import (
	"crypto/tls"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/extract/internal/httpx"
	"github.com/meterhouse/meterhouse/extract/internal/simtls"
)

// handshake is one way in which client and server do or do not come together.
type handshake struct {
	what   string
	server simtls.Options
	client func(*Connection)
	// hint is what the error has to tell the operator to look at; "" means that
	// the pull works. class is the error's, where all sources agree on it.
	class extract.Class
	hint  string
}

const otherName = "inventory.example.com"

func handshakes(foreignCA []byte) []handshake {
	var (
		asOther  = simtls.Options{Names: []string{otherName}}
		expired  = simtls.Options{Expired: true}
		nobody   = func(c *Connection) { c.TLS = httpx.TLSOptions{} }
		another  = func(c *Connection) { c.TLS.CAPEM = foreignCA }
		named    = func(c *Connection) { c.TLS.ServerName = otherName }
		anybody  = func(c *Connection) { c.TLS = httpx.TLSOptions{InsecureSkipVerify: true} }
		withTLS  = func(c *Connection) { c.URL.Scheme = "https" }
		plain    = func(c *Connection) { c.URL.Scheme = "http" }
		upTo     = func(v uint16) simtls.Options { return simtls.Options{MaxVersion: v} }
		standard simtls.Options
	)
	return []handshake{
		{"an authority that is not known", standard, nobody, extract.TLS, "tls.ca_file"},
		{"another authority in the CA file", standard, another, extract.TLS, "tls.ca_file"},
		{"a certificate for another name", asOther, nil, extract.TLS, "tls.server_name"},
		{"a certificate for another name, which is configured", asOther, named, "", ""},
		{"a certificate that has ended", expired, nil, extract.TLS, "renewed"},
		{"a certificate that has ended, and nobody cares", expired, anybody, "", ""},
		{"TLS 1.2 at most", upTo(tls.VersionTLS12), nil, "", ""},
		{"TLS 1.1 at most", upTo(tls.VersionTLS11), nil, extract.TLS, "TLS version than 1.2"},
		{"no TLS on this port", simtls.Options{PlainHTTP: true}, withTLS, extract.TLS, "http://"},
		{"no TLS on either side", simtls.Options{PlainHTTP: true}, nil, "", ""},
		{"TLS on this port, and none configured", standard, plain, "", "https://"},
	}
}

// tls tries the handshakes.
func (h Harness) tls(t *testing.T) {
	t.Parallel()
	ca, err := simtls.NewCA()
	require.NoError(t, err)
	for _, s := range handshakes(ca.PEM()) {
		t.Run(s.what, func(t *testing.T) {
			t.Parallel()
			b := h.setup(t, s.server, s.client)
			p := b.pull(t)
			if s.hint == "" {
				b.requireComplete(t, p)
				return
			}
			e := errorOf(t, p.err)
			if s.class != "" {
				require.Equal(t, s.class, e.Class, "the error is %s", e)
			}
			require.Contains(t, e.Hint, s.hint, "the error is %s", e)
			require.Equal(t, 1, e.Attempts, "no retry mends it")
			require.Equal(t, 1, p.answer.Requests)
			require.Zero(t, b.sim.Faults.Requests(""), "nothing was said to a server that is not trusted")
		})
	}
}
