package loadtest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Certificate is a self-made certificate for loopback, as files in PEM form. It
// is its own authority.
type Certificate struct{ File, KeyFile string }

// NewCertificate makes one that is valid while the tests run.
func NewCertificate(t testing.TB) Certificate {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "loopback"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	dir := t.TempDir()
	c := Certificate{File: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem")}
	for name, block := range map[string]*pem.Block{
		c.File:    {Type: "CERTIFICATE", Bytes: der},
		c.KeyFile: {Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)},
	} {
		require.NoError(t, os.WriteFile(name, pem.EncodeToMemory(block), 0o600))
	}
	return c
}

// ServerConfig is the XML that has a Server speak TLS with the certificate.
func (c Certificate) ServerConfig() string {
	return "<tcp_port_secure>" + securePort + "</tcp_port_secure><openSSL><server><certificateFile>" + c.File +
		"</certificateFile><privateKeyFile>" + c.KeyFile + "</privateKeyFile><verificationMode>none</verificationMode></server></openSSL>"
}

// HTTPSProxy puts TLS with the certificate in front of an HTTP interface, as a
// load balancer does, and gives the address. It ends with the test.
func (c Certificate) HTTPSProxy(t testing.TB, target string) string {
	t.Helper()
	identity, err := tls.LoadX509KeyPair(c.File, c.KeyFile)
	require.NoError(t, err)
	s := httptest.NewUnstartedServer(httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: target}))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{identity}, MinVersion: tls.VersionTLS12}
	s.StartTLS()
	t.Cleanup(func() {
		s.Close()
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	})
	return s.Listener.Addr().String()
}

// trusting is the client's side, nil where there is no TLS.
func trusting(t testing.TB, secure bool, caFile string) *tls.Config {
	t.Helper()
	if !secure {
		return nil
	}
	text, err := os.ReadFile(caFile) //nolint:gosec // made by NewCertificate
	require.NoError(t, err)
	config := &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
	require.True(t, config.RootCAs.AppendCertsFromPEM(text))
	return config
}
