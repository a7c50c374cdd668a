package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/extract/bigfix/bigfixtest"
	"github.com/meterhouse/meterhouse/extract/nexthink/nexthinktest"
	"github.com/meterhouse/meterhouse/load/loadtest"
)

var program = flag.String("program", "meterhouse", "the program that tests run, as an absolute path; by default the test binary, which doubles as it")

// Secrets of the world. Tests look for them where they must not be.
const (
	worldToken    = "44072fb2c0ffee00d15ea5e0deadbeef01234567"
	worldPassword = "pass-phrase of the portal: 7&%+"
)

// world is a folder with a configuration, and the simulated servers it names.
type world struct {
	t       testing.TB
	dir     string
	library string
	bigfix  *bigfixtest.Server
	portal  *nexthinktest.Portal
	// portalURL is where the portal listens.
	portalURL string
	env       []string // of the processes, beside our own
}

// worldOptions change what a test needs otherwise.
type worldOptions struct {
	bigfix bigfixtest.Options
	// start is the bigfix source's first day.
	start string
	// bigfixYAML and topYAML are further lines of the configuration, the first
	// indented as keys of the bigfix source.
	bigfixYAML, topYAML string
	// warehouse is the configuration of one that is not embedded.
	warehouse string
	// devices is how many the portal knows, 0 for a few.
	devices int
}

func newWorld(t testing.TB, o worldOptions) *world {
	t.Helper()
	library, err := loadtest.Library()
	require.NoError(t, err)
	w := &world{t: t, dir: t.TempDir(), library: library}
	o.bigfix.Token = worldToken
	if o.devices == 0 {
		o.devices = 300
	}
	w.bigfix, err = bigfixtest.Start(t.Context(), o.bigfix)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.bigfix.Close()) })
	w.portal = nexthinktest.New(nexthinktest.Options{Seed: 7, Devices: o.devices, User: "meterhouse", Password: worldPassword})
	server, err := w.portal.Start("127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	w.portalURL = server.URL

	w.write("token", worldToken+"\n")
	w.write("password", worldPassword+"\n")
	w.write("bigfix.pem", string(w.bigfix.CAPEM))
	w.write("portal.pem", string(server.CAPEM))
	require.NoError(t, os.Mkdir(filepath.Join(w.dir, "tmp"), 0o700))
	if o.warehouse == "" {
		o.warehouse = `url: "embedded:./data"`
	}
	if o.start != "" {
		o.start = "\n    start: " + o.start
	}
	w.write("meterhouse.yaml", fmt.Sprintf(`warehouse: {%s}
sources:
  - name: bfi
    kind: bigfix
    url: %s
    token_file: token
    tls: {ca_file: bigfix.pem}%s
%s  - name: portal
    kind: nexthink
    url: %s
    user: meterhouse
    password_file: password
    tls: {ca_file: portal.pem}
    targets:
      - name: visio
        metric: 52fa2b8b-b35e-4d7a-9db3-830617c5b6b2
        program: 8b37ddb4-29fe-469a-bdc0-ca3497d7c7f9
        path: [Europe]
        lists: [installed, underusage]
%s`, o.warehouse, w.bigfix.URL, o.start, o.bigfixYAML, server.URL, o.topYAML))
	return w
}

func (w *world) write(name, content string) {
	w.t.Helper()
	require.NoError(w.t, os.WriteFile(filepath.Join(w.dir, name), []byte(content), 0o600))
}

// config is the text of the configuration.
func (w *world) config() string {
	w.t.Helper()
	text, err := os.ReadFile(filepath.Join(w.dir, "meterhouse.yaml"))
	require.NoError(w.t, err)
	return string(text)
}

// process is a running meterhouse.
type process struct {
	t              testing.TB
	cmd            *exec.Cmd
	stdout, stderr lockedBuffer
	ended          chan struct{}
	err            error
}

// start starts meterhouse in the world's folder.
func (w *world) start(args ...string) *process {
	w.t.Helper()
	p := &process{t: w.t, cmd: exec.Command(*program, args...), ended: make(chan struct{})} //nolint:noctx // ended by signals
	p.cmd.Dir = w.dir
	p.cmd.Env = append(os.Environ(), "METERHOUSE_LIBCHDB="+w.library, "TMPDIR="+filepath.Join(w.dir, "tmp"))
	p.cmd.Env = append(p.cmd.Env, w.env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	require.NoError(w.t, p.cmd.Start())
	go func() {
		defer close(p.ended)
		p.err = p.cmd.Wait()
	}()
	w.t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.ended
	})
	return p
}

// run runs meterhouse to its end and gives its exit code.
func (w *world) run(args ...string) (code int, stdout, stderr string) {
	w.t.Helper()
	p := w.start(args...)
	code = p.wait()
	return code, p.stdout.String(), p.stderr.String()
}

// must runs meterhouse, expects exit code 0 and gives its stdout.
func (w *world) must(args ...string) string {
	w.t.Helper()
	code, stdout, stderr := w.run(args...)
	require.Equal(w.t, 0, code, "meterhouse %v:\n%s", args, stderr)
	return stdout
}

// query asks the warehouse and gives the lines of the answer as TSV.
func (w *world) query(sql string) []string {
	w.t.Helper()
	return strings.Split(strings.TrimRight(w.must("query", "--format", "TSV", sql), "\n"), "\n")
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Signal(s))
}

// wait waits for the end and gives the exit code, 128 + the signal's number
// when one killed it.
func (p *process) wait() int {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(2 * time.Minute):
		require.FailNow(p.t, "the process does not end", "stderr:\n%s", p.stderr.String())
	}
	var exit *exec.ExitError
	if !errors.As(p.err, &exit) {
		require.NoError(p.t, p.err)
		return 0
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return exit.ExitCode()
}

// waitFor waits until stderr holds the text.
func (p *process) waitFor(text string) {
	p.t.Helper()
	require.Eventually(p.t, func() bool { return strings.Contains(p.stderr.String(), text) },
		time.Minute, 5*time.Millisecond, "stderr never said %q", text)
}

// lockedBuffer is a buffer that a process writes and a test reads.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
