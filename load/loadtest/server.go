package loadtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/load"
)

// ServerPassword is the password of the user default of a Server, unless a test
// sets another one.
const ServerPassword = "server secret"

// startTimeout bounds how long a server may take to answer.
const startTimeout = time.Minute

// securePort stands in ServerOptions.Config for the port of Server.Secure.
const securePort = "${SECURE_PORT}"

// ServerOptions are what a test wants otherwise.
type ServerOptions struct {
	// Config is XML for the root of config.xml, in which ${SECURE_PORT} stands for
	// the port of Secure; Profile is XML for the profile of the user default.
	Config, Profile string
	// Data is where the server keeps its data; "" for a part of its own folder.
	Data string
}

// Server is a real clickhouse-server, run as a child of the test with a folder
// and ports of its own: Debian's package is ClickHouse 18.16, the oldest one that
// the core of the warehouse is for.
type Server struct {
	Native string // host:port of the native protocol
	HTTP   string // host:port of the HTTP interface
	Secure string // host:port of the native protocol with TLS, if the options configure TLS

	dir     string
	options ServerOptions
	cmd     *exec.Cmd
	ended   chan struct{} // closed when the child has ended
	err     error         // how it ended; read it only after ended
}

const serverConfig = `<yandex>
<logger><level>warning</level><log>%[1]s/log</log><errorlog>%[1]s/errors</errorlog></logger>
<listen_host>127.0.0.1</listen_host><tcp_port>%[2]s</tcp_port><http_port>%[3]s</http_port>
<path>%[4]s/</path><tmp_path>%[1]s/tmp/</tmp_path><user_files_path>%[1]s/files/</user_files_path>
<users_config>%[1]s/users.xml</users_config><default_profile>default</default_profile>
<default_database>default</default_database><mark_cache_size>67108864</mark_cache_size>
%[5]s</yandex>`

const serverUsers = `<yandex><profiles><default>%s</default></profiles><quotas><default/></quotas><users><default>
<password>%s</password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota>
</default></users></yandex>`

// StartServer starts the clickhouse-server that the system has, in a folder of
// its own, and waits until it answers. A test that cannot have it fails: it never
// skips. The server ends with the test.
func StartServer(t testing.TB, o ServerOptions) *Server {
	t.Helper()
	s := newServer(t, o)
	s.Start(t)
	return s
}

// newServer prepares a server, which then has its ports but does not run.
func newServer(t testing.TB, o ServerOptions) *Server {
	t.Helper()
	s := &Server{dir: t.TempDir(), options: o}
	addresses := make([]string, 3)
	for i := range addresses {
		addresses[i] = freeAddress(t)
	}
	s.Native, s.HTTP, s.Secure = addresses[0], addresses[1], addresses[2]
	s.configure(t, o.Config)
	s.SetUser(t, ServerPassword, o.Profile)
	t.Cleanup(func() {
		if s.cmd != nil {
			s.Thaw(t)
			s.Kill(t)
		}
	})
	return s
}

// Start starts the server, again on the same ports and with the same data, and
// waits until it answers.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	binary, err := exec.LookPath("clickhouse-server")
	require.NoError(t, err, "a ClickHouse server is needed: `make test-server` installs it (Debian: apt-get install clickhouse-server)")
	s.cmd = exec.Command(binary, "--config-file="+filepath.Join(s.dir, "config.xml")) //nolint:gosec,noctx // a program of the system; Kill ends it
	ended := make(chan struct{})
	s.ended = ended
	require.NoError(t, s.cmd.Start())
	go func() {
		s.err = s.cmd.Wait()
		close(ended)
	}()
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	require.NoError(t, s.waitUntilUp(ctx, s.Native))
	if strings.Contains(s.options.Config, securePort) { // opened a moment later
		require.NoError(t, s.waitUntilUp(ctx, s.Secure))
	}
}

// Kill ends the server as a power cut would, and waits for its end.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	if err := s.cmd.Process.Kill(); !errors.Is(err, os.ErrProcessDone) {
		require.NoError(t, err)
	}
	<-s.ended
}

// Configure restarts the server with other XML in the root of its config.xml.
func (s *Server) Configure(t testing.TB, config string) {
	t.Helper()
	s.Kill(t)
	s.configure(t, config)
	s.Start(t)
}

func (s *Server) configure(t testing.TB, config string) {
	t.Helper()
	config = strings.ReplaceAll(config, securePort, port(s.Secure))
	s.write(t, "config.xml", fmt.Sprintf(serverConfig, s.dir, port(s.Native), port(s.HTTP), cmp.Or(s.options.Data, s.dir+"/data"), config))
}

// Freeze stops the server's process without ending it: connections stay open,
// and nobody answers. Thaw lets it go on.
func (s *Server) Freeze(t testing.TB) { t.Helper(); s.signal(t, syscall.SIGSTOP) }

// Thaw lets a frozen server go on.
func (s *Server) Thaw(t testing.TB) { t.Helper(); s.signal(t, syscall.SIGCONT) }

func (s *Server) signal(t testing.TB, what syscall.Signal) {
	t.Helper()
	if err := s.cmd.Process.Signal(what); !errors.Is(err, os.ErrProcessDone) {
		require.NoError(t, err)
	}
}

// SetUser gives the user default another password and XML of its profile. A
// running server takes notice within seconds.
func (s *Server) SetUser(t testing.TB, password, profile string) {
	t.Helper()
	s.write(t, "users.xml", fmt.Sprintf(serverUsers, profile, password))
}

// Options reach the server over the native protocol.
func (s *Server) Options() load.Options {
	return load.Options{
		Protocol: load.Native, Addrs: []string{s.Native}, User: "default",
		Password: func() string { return ServerPassword },
	}
}

func (s *Server) write(t testing.TB, name, text string) {
	t.Helper()
	// Renamed into place: the server shall not read half a file.
	path := filepath.Join(s.dir, name)
	require.NoError(t, os.WriteFile(path+".new", []byte(text), 0o600))
	require.NoError(t, os.Rename(path+".new", path))
}

// waitUntilUp waits until the server takes connections.
func (s *Server) waitUntilUp(ctx context.Context, address string) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-tick.C:
		case <-s.ended:
			errors, _ := os.ReadFile(filepath.Join(s.dir, "errors"))
			return fmt.Errorf("the server ended at once: %w\n%s", s.err, errors)
		case <-ctx.Done():
			return fmt.Errorf("waiting for the server: %w", context.Cause(ctx))
		}
	}
}

func port(address string) string {
	_, p, _ := net.SplitHostPort(address)
	return p
}

// freeAddress finds a port below those that systems give to outgoing connections:
// one of those could take it before the server does.
func freeAddress(t testing.TB) string {
	t.Helper()
	const first, ports, tries = 12_000, 20_000, 100
	for range tries {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(first+rand.IntN(ports))) //nolint:gosec // no secret
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
		if err == nil {
			require.NoError(t, l.Close())
			return address
		}
	}
	require.FailNow(t, "no port is free")
	return ""
}
