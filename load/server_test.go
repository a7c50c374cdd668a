//go:build server

package load_test

import (
	"testing"

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

// TestNativeServerCompressed does so with LZ4, as it is used over a network.
func TestNativeServerCompressed(t *testing.T) {
	t.Parallel()
	o := loadtest.StartServer(t, loadtest.ServerOptions{}).Options()
	o.Compress = true
	loadtest.Exercise(t, loadtest.Harness{Options: o})
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
