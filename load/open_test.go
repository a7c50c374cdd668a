package load_test

import (
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/load"
)

func TestUnreachable(t *testing.T) {
	t.Parallel()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	dead := l.Addr().String()
	require.NoError(t, l.Close())
	for _, protocol := range []string{load.Native, load.HTTP} {
		_, err := load.Open(t.Context(), load.Options{Protocol: protocol, Addrs: []string{dead}, Password: func() string { return "hunter2" }})

		var e *load.Error
		require.ErrorAs(t, err, &e, protocol)
		require.Equal(t, load.Unreachable, e.Class, protocol)
		require.ErrorContains(t, err, dead)
		require.NotContains(t, err.Error(), "hunter2")
		require.True(t, e.Temporary())
	}
}

// TestSilentServer connects to something that accepts and never speaks.
func TestSilentServer(t *testing.T) {
	t.Parallel()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	for _, protocol := range []string{load.Native, load.HTTP} {
		_, err := load.Open(t.Context(), load.Options{
			Protocol: protocol, Addrs: []string{l.Addr().String()}, DialTimeout: 100 * time.Millisecond,
		})

		var e *load.Error
		require.ErrorAs(t, err, &e, protocol)
		require.Equal(t, load.Unreachable, e.Class, "%s: %v", protocol, err)
	}
}

func TestOptionsThatCannotWork(t *testing.T) {
	t.Parallel()
	notPEM := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(notPEM, []byte("hello"), 0o600))
	for want, o := range map[string]load.Options{
		`cluster "c1" over HTTP`: {Protocol: load.HTTP, Cluster: "c1"},
		`no protocol "gopher"`:   {Protocol: "gopher"},
		"no certificate":         {Protocol: load.HTTP, Secure: true, CAFile: notPEM},
		"no such file":           {Protocol: load.HTTP, Secure: true, CAFile: notPEM + "x"},
		"opening the warehouse":  {},
		"connecting to ClickHou": {Protocol: load.Native, Addrs: []string{"127.0.0.1:1"}},
	} {
		_, err := load.Open(t.Context(), o)
		require.ErrorContains(t, err, want)
	}
}
