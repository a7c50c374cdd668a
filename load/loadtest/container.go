//go:build server

package loadtest

import (
	"context"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/wait"

	"github.com/meterhouse/meterhouse/load"
)

const (
	// ImageVariable names the image of Container.
	ImageVariable = "METERHOUSE_TEST_IMAGE"
	// AddressVariable names the server of Address.
	AddressVariable = "METERHOUSE_TEST_WAREHOUSE"
	// DefaultImage is the official one, of the newest long-term release tested.
	DefaultImage = "clickhouse/clickhouse-server:25.8"
)

// Container starts a ClickHouse server in a container that ends with the test,
// and gives the ways to reach it by the names of their protocols: HTTP only of a
// server that is new enough for the driver. A test that cannot have it fails: it
// never skips.
func Container(t testing.TB) map[string]Harness {
	t.Helper()
	image := os.Getenv(ImageVariable) //nolint:forbidigo // tests have no configuration
	if image == "" {
		image = DefaultImage
	}
	ctx := t.Context()
	c, err := testcontainers.GenericContainer(ctx, testcontainers.GenericContainerRequest{
		ContainerRequest: testcontainers.ContainerRequest{
			Image: image, ExposedPorts: []string{"8123/tcp", "9000/tcp"},
			Env: map[string]string{
				"CLICKHOUSE_PASSWORD": ServerPassword, "CLICKHOUSE_DEFAULT_ACCESS_MANAGEMENT": "1",
			},
			WaitingFor: wait.ForHTTP("/ping").WithPort("8123/tcp").WithStartupTimeout(2 * time.Minute),
		},
		Started: true,
	})
	testcontainers.CleanupContainer(t, c)
	require.NoError(t, err, "a container is needed: `make test-server` prepares what it needs")

	harness := func(protocol, port string) Harness {
		address, err := c.PortEndpoint(ctx, port, "")
		require.NoError(t, err)
		return Harness{Options: load.Options{
			Protocol: protocol, Addrs: []string{address}, User: "default", Password: func() string { return ServerPassword },
		}}
	}
	ways := map[string]Harness{load.Native: harness(load.Native, "9000/tcp")}
	if version := versionOf(t, ways[load.Native]); atLeast(t, version, 21, 1) {
		ways[load.HTTP] = harness(load.HTTP, "8123/tcp")
	}
	return ways
}

func versionOf(t testing.TB, h Harness) string {
	t.Helper()
	w, err := load.Open(t.Context(), h.Options)
	require.NoError(t, err)
	defer w.Close() //nolint:errcheck // it only asked
	info, err := w.Info(context.WithoutCancel(t.Context()))
	require.NoError(t, err)
	return info.Version
}

// Address is the server that the environment names:
// clickhouse://user:password@host:9000, with ?secure=true&ca_file=... for TLS, or
// http(s)://user:password@host:8123. Its user must be allowed to create and drop
// databases. A test that is given none fails.
func Address(t testing.TB) Harness {
	t.Helper()
	text := os.Getenv(AddressVariable) //nolint:forbidigo // tests have no configuration
	require.NotEmpty(t, text, AddressVariable+" names no server; `make test-server` starts one when it is not set")
	u, err := url.Parse(text)
	require.NoError(t, err)
	o := load.Options{
		Protocol: load.HTTP, Addrs: []string{u.Host}, User: u.User.Username(), Compress: true,
		Secure: u.Scheme == "https" || u.Query().Get("secure") == "true", CAFile: u.Query().Get("ca_file"),
	}
	if u.Scheme == "clickhouse" {
		o.Protocol = load.Native
	}
	if password, ok := u.User.Password(); ok {
		o.Password = func() string { return password }
	}
	return Harness{Options: o}
}
