package loadtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// ServerPassword is the password of the user default of a Server.
const ServerPassword = "server secret"

// Server is a real clickhouse-server, run as a child of the test with a folder
// and ports of its own: Debian's package is ClickHouse 18.16, the oldest one that
// the core of the warehouse is for.
type Server struct {
	Native string // host:port of the native protocol
	HTTP   string // host:port of the HTTP interface
	cmd    *exec.Cmd
	ended  chan struct{} // closed when the child has ended
	err    error         // how it ended; read it only after ended
}

const serverConfig = `<yandex>
<logger><level>warning</level><log>%[1]s/log</log><errorlog>%[1]s/errors</errorlog></logger>
<listen_host>127.0.0.1</listen_host><tcp_port>%[2]d</tcp_port><http_port>%[3]d</http_port>
<path>%[1]s/data/</path><tmp_path>%[1]s/tmp/</tmp_path><user_files_path>%[1]s/files/</user_files_path>
<users_config>%[1]s/users.xml</users_config><default_profile>default</default_profile>
<default_database>default</default_database><mark_cache_size>67108864</mark_cache_size>
</yandex>`

const serverUsers = `<yandex><profiles><default/></profiles><quotas><default/></quotas><users><default>
<password>%s</password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota>
</default></users></yandex>`

// StartServer starts the clickhouse-server that the system has, with its data in
// dir, and waits until it answers. The caller ends it with Stop.
func StartServer(ctx context.Context, dir string) (*Server, error) {
	binary, err := exec.LookPath("clickhouse-server")
	if err != nil {
		return nil, fmt.Errorf("looking for a ClickHouse server: %w; install it (Debian: apt-get install clickhouse-server)", err)
	}
	native, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	http, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	for name, text := range map[string]string{
		"config.xml": fmt.Sprintf(serverConfig, dir, native, http),
		"users.xml":  fmt.Sprintf(serverUsers, ServerPassword),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return nil, fmt.Errorf("configuring the server: %w", err)
		}
	}
	s := &Server{
		Native: fmt.Sprintf("127.0.0.1:%d", native),
		HTTP:   fmt.Sprintf("127.0.0.1:%d", http),
		cmd:    exec.Command(binary, "--config-file="+filepath.Join(dir, "config.xml")), //nolint:gosec,noctx // Stop ends it
		ended:  make(chan struct{}),
	}
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the server: %w", err)
	}
	go func() {
		s.err = s.cmd.Wait()
		close(s.ended)
	}()
	if err := s.waitUntilUp(ctx); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// Stop ends the server and waits for its end.
func (s *Server) Stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stopping the server: %w", err)
	}
	<-s.ended
	return nil
}

// waitUntilUp waits until the server takes connections.
func (s *Server) waitUntilUp(ctx context.Context) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.Native)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-tick.C:
		case <-s.ended:
			return fmt.Errorf("the server ended at once: %w", s.err)
		case <-ctx.Done():
			return fmt.Errorf("waiting for the server: %w", context.Cause(ctx))
		}
	}
}

func freePort(ctx context.Context) (int, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("looking for a free port: %w", err)
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}
