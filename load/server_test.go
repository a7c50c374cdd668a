//go:build server

package load_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/load"
	"github.com/meterhouse/meterhouse/load/loadtest"
)

// With the tag "server" there are tests against real servers. A server that is
// not there is a failure. `make test-server` installs what they need.

// TestNativeServer holds Debian's server, ClickHouse 18.16, to the contract over
// the native protocol.
func TestNativeServer(t *testing.T) {
	t.Parallel()
	loadtest.Exercise(t, loadtest.Harness{Options: loadtest.StartServer(t, loadtest.ServerOptions{}).Options()})
}

// TestNativeServerSecure does so with TLS and LZ4, as over a network.
func TestNativeServerSecure(t *testing.T) {
	t.Parallel()
	cert := loadtest.NewCertificate(t)
	s := loadtest.StartServer(t, loadtest.ServerOptions{Config: cert.ServerConfig()})
	o := s.Options()
	o.Addrs, o.Secure, o.CAFile, o.Compress = []string{s.Secure}, true, cert.File, true
	loadtest.Exercise(t, loadtest.Harness{Options: o})

	o.CAFile = loadtest.NewCertificate(t).File
	_, err := load.Open(t.Context(), o)
	var e *load.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, load.Invalid, e.Class, "asking again would not make the certificate right")
	require.ErrorContains(t, err, "certificate")
	require.ErrorContains(t, err, "ca_file")
}

// TestSecureProxy puts TLS in front of the embedded engine's HTTP interface.
func TestSecureProxy(t *testing.T) {
	t.Parallel()
	cert := loadtest.NewCertificate(t)
	h := loadtest.Embedded(t)
	h.Options.Addrs = []string{cert.HTTPSProxy(t, h.Options.Addrs[0])}
	h.Options.Secure, h.Options.CAFile, h.Options.Compress = true, cert.File, true
	loadtest.Exercise(t, h)

	h.Options.CAFile = loadtest.NewCertificate(t).File
	_, err := load.Open(t.Context(), h.Options)
	require.ErrorContains(t, err, "certificate")
	require.ErrorContains(t, err, "ca_file")
}

// TestFailover lists three addresses of which one works at a time.
func TestFailover(t *testing.T) {
	t.Parallel()
	s := loadtest.StartServer(t, loadtest.ServerOptions{})
	dead, first, second := loadtest.StartProxy(t, s.Native), loadtest.StartProxy(t, s.Native), loadtest.StartProxy(t, s.Native)
	dead.Set(loadtest.Refused)
	o := loadtest.Harness{Options: s.Options()}.Database(t)
	o.Addrs = []string{dead.Addr, first.Addr, second.Addr}
	o.Patience = time.Nanosecond // of the last step
	w := migrated(t, o)
	one, _ := store(t, w, slice("bfi", 1), usage(1, 1, 100))

	first.Set(loadtest.Refused)
	publish(t, w, slice("bfi", 1), one)
	require.Equal(t, []string{"100"}, rows(t, w, "SELECT hwm_quantity FROM license_usage"))

	first.Set(loadtest.None)
	second.Set(loadtest.Refused)
	require.Equal(t, []string{"100"}, rows(t, w, "SELECT hwm_quantity FROM license_usage"))

	first.Set(loadtest.Refused)
	_, err := w.Ledger(t.Context(), load.LedgerQuery{})
	var e *load.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, load.Unreachable, e.Class)
	for _, address := range o.Addrs {
		require.ErrorContains(t, err, address)
	}
}

// TestContainer holds a server in a container to the contract, over each protocol
// that it has: METERHOUSE_TEST_IMAGE names the image.
func TestContainer(t *testing.T) {
	t.Parallel()
	for name, h := range loadtest.Container(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			loadtest.Exercise(t, h)
		})
	}
}

// TestAddress holds the server at METERHOUSE_TEST_WAREHOUSE to the contract.
func TestAddress(t *testing.T) {
	t.Parallel()
	loadtest.Exercise(t, loadtest.Address(t))
}

// TestNativeServerOverHTTP checks that a server whose HTTP interface the driver
// cannot use is told apart from one that is down.
func TestNativeServerOverHTTP(t *testing.T) {
	t.Parallel()
	s := loadtest.StartServer(t, loadtest.ServerOptions{})
	o := s.Options()
	o.Protocol, o.Addrs = load.HTTP, []string{s.HTTP}

	_, err := load.Open(t.Context(), o)

	var e *load.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, load.Unsupported, e.Class)
	require.ErrorContains(t, err, "clickhouse://")
}
