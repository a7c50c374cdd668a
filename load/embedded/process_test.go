package embedded_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/load/embedded"
	"github.com/meterhouse/meterhouse/load/loadtest"
)

// What needs a process of its own is played by this test binary, started again
// with a role. The library opens one data folder per process, so every test
// that opens and closes one is among them.
const (
	roleVariable = "EMBEDDED_TEST_ROLE"
	dirVariable  = "EMBEDDED_TEST_DIR"
)

// play is main of a child process.
func play(role string) int {
	roles := map[string]func(context.Context, *embedded.Engine) error{
		"hold": hold, "own": hold, "add": addRow, "signals": catchSignals, "busy": closeWhileBusy,
	}
	if err := perform(roles[role], role == "own"); err != nil {
		fmt.Println("error:", err)
		return 1
	}
	return 0
}

func perform(role func(context.Context, *embedded.Engine) error, own bool) error {
	library, err := loadtest.Library()
	if err != nil {
		return err
	}
	ctx := context.Background()
	engine, err := embedded.Open(ctx, embedded.Options{
		Dir: os.Getenv(dirVariable), Library: library, Version: "test", Own: own,
		Waiting: func() { fmt.Println("waiting") },
	})
	if err != nil {
		return err
	}
	if err := role(ctx, engine); err != nil {
		return err
	}
	closing, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return engine.Close(closing)
}

// hold says where the warehouse is and keeps it open until stdin ends.
func hold(_ context.Context, engine *embedded.Engine) error {
	fmt.Println(engine.Owner(), engine.Endpoint().Addr)
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// addRow makes the tables where they are missing and adds a row to one of them.
func addRow(ctx context.Context, engine *embedded.Engine) error {
	for i := range 8 {
		sql := fmt.Sprintf("CREATE TABLE IF NOT EXISTS t%d (n UInt64) ENGINE = MergeTree ORDER BY n", i)
		if err := loadtest.Exec(ctx, engine.Endpoint(), sql); err != nil {
			return err
		}
	}
	if err := loadtest.Exec(ctx, engine.Endpoint(), "INSERT INTO t3 VALUES (1)"); err != nil {
		return err
	}
	return loadtest.Exec(ctx, engine.Endpoint(), "INSERT INTO t5 SELECT number FROM numbers(3)")
}

// catchSignals fails unless Go's own signal handling works beside the library.
func catchSignals(ctx context.Context, engine *embedded.Engine) error {
	if err := addRow(ctx, engine); err != nil {
		return err
	}
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		caught := make(chan os.Signal, 1)
		signal.Notify(caught, s)
		if err := syscall.Kill(os.Getpid(), s); err != nil {
			return err
		}
		<-caught
		signal.Stop(caught)
	}
	var nothing *int
	recovered := func() (r any) {
		defer func() { r = recover() }()
		return *nothing
	}()
	if err, ok := recovered.(error); !ok || !strings.Contains(err.Error(), "nil pointer") {
		return fmt.Errorf("a nil dereference gave %v", recovered)
	}
	return addRow(ctx, engine)
}

// closeWhileBusy closes the engine under a statement that would take for ever.
func closeWhileBusy(ctx context.Context, engine *embedded.Engine) error {
	answered := make(chan error, 1)
	go func() {
		answered <- loadtest.Exec(ctx, engine.Endpoint(), "SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1 FORMAT Null")
	}()
	running := "SELECT throwIf(count() = 0) FROM system.processes WHERE query LIKE '%sipHash64%' AND query NOT LIKE '%processes%'"
	for loadtest.Exec(ctx, engine.Endpoint(), running) != nil { // until it runs
	}
	short, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if err := engine.Close(short); err != nil {
		return err
	}
	if err := <-answered; err == nil {
		return errors.New("the statement ended by itself")
	}
	fmt.Println("closed")
	os.Exit(0)
	return nil
}

// child is a process that plays a role on a data folder.
type child struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines *bufio.Scanner
	stdin io.Closer
}

func start(t *testing.T, role, dir string) *child {
	t.Helper()
	executable, err := os.Executable()
	require.NoError(t, err)
	c := &child{t: t, cmd: exec.CommandContext(t.Context(), executable)}
	c.cmd.Env = append(os.Environ(), roleVariable+"="+role, dirVariable+"="+dir)
	c.cmd.Stderr = os.Stderr
	out, err := c.cmd.StdoutPipe()
	require.NoError(t, err)
	c.lines = bufio.NewScanner(out)
	c.stdin, err = c.cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, c.cmd.Start())
	return c
}

func (c *child) line() string {
	c.t.Helper()
	require.True(c.t, c.lines.Scan(), "the child said nothing more")
	return c.lines.Text()
}

// end waits for the child's end and returns what it still said.
func (c *child) end() string {
	c.t.Helper()
	var rest []string
	for c.lines.Scan() {
		rest = append(rest, c.lines.Text())
	}
	require.NoError(c.t, c.cmd.Wait(), "%s", rest)
	return strings.Join(rest, "\n")
}

// held is a child that keeps the folder open, as owner or as guest.
func held(t *testing.T, dir string) (c *child, owner bool, address string) {
	t.Helper()
	c = start(t, "hold", dir)
	_, err := fmt.Sscan(c.line(), &owner, &address)
	require.NoError(t, err)
	return c, owner, address
}

func TestFolderOpensAgainAndAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for range 20 {
		require.Empty(t, start(t, "add", dir).end())
	}
	requireRows(t, dir, "20\t60\n")
}

// requireRows opens the folder once more and compares the counts of t3 and t5.
func requireRows(t *testing.T, dir, want string) {
	t.Helper()
	c, owner, address := held(t, dir)
	require.True(t, owner)
	require.Equal(t, want, folderQuery(t, dir, address, "SELECT (SELECT count() FROM t3), (SELECT count() FROM t5)"))
	require.NoError(t, c.stdin.Close())
	require.Empty(t, c.end())
}

// folderQuery asks as any client would that may read the folder's access file.
func folderQuery(t *testing.T, dir, address, sql string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "access.json"))
	require.NoError(t, err)
	var key string
	for line := range strings.Lines(string(text)) {
		if _, value, ok := strings.Cut(line, `"reader_key": "`); ok {
			key, _, _ = strings.Cut(value, `"`)
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+"/", strings.NewReader(sql))
	require.NoError(t, err)
	r.SetBasicAuth("reader", key)
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(answer)
}

func TestSecondProcessIsAGuestOfTheFirst(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, owner, address := held(t, dir)
	require.True(t, owner)
	require.Empty(t, start(t, "add", dir).end())
	guest, owner, guestAddress := held(t, dir)
	require.False(t, owner)
	require.Equal(t, address, guestAddress)

	require.NoError(t, first.stdin.Close())
	require.Equal(t, "waiting", first.line())
	require.Empty(t, start(t, "add", dir).end(), "while the owner waits for a guest, others may come")
	require.Equal(t, "2\n", folderQuery(t, dir, address, "SELECT count() FROM t3"))
	require.NoError(t, guest.stdin.Close())
	require.Empty(t, guest.end())
	require.Empty(t, first.end())
}

// One that stays, such as the daemon, is never a guest: it waits for its turn.
func TestOwnWaitsForTheOwnerToEnd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, owner, _ := held(t, dir)
	require.True(t, owner)
	second := start(t, "own", dir)
	require.Equal(t, "waiting", second.line())
	require.NoError(t, first.stdin.Close())
	require.Empty(t, first.end())
	require.Contains(t, second.line(), "true 127.0.0.1:")
	require.NoError(t, second.stdin.Close())
	require.Empty(t, second.end())
}

func TestManyProcessesAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.Empty(t, start(t, "add", dir).end()) // the tables
	var children []*child
	for range 5 {
		children = append(children, start(t, "add", dir))
	}
	for _, c := range children {
		require.NotContains(t, c.end(), "error")
	}
	requireRows(t, dir, "6\t18\n")
}

func TestKilledOwnerLeavesNothingInTheWay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.Empty(t, start(t, "add", dir).end())
	killed, owner, address := held(t, dir)
	require.True(t, owner)
	guest, _, _ := held(t, dir)
	require.NoError(t, killed.cmd.Process.Kill())
	require.Error(t, killed.cmd.Wait())

	next, owner, again := held(t, dir)
	require.True(t, owner)
	require.Equal(t, address, again, "BI tools find the port again")
	require.NoError(t, guest.stdin.Close())
	require.Empty(t, guest.end())
	require.NoError(t, next.stdin.Close())
	require.NotContains(t, next.end(), "error")
	requireRows(t, dir, "1\t3\n")
}

func TestSignalsStayGos(t *testing.T) {
	t.Parallel()
	require.Empty(t, start(t, "signals", t.TempDir()).end())
}

func TestCloseStopsWhatDoesNotEnd(t *testing.T) {
	t.Parallel()
	require.Equal(t, "closed", start(t, "busy", t.TempDir()).end())
}

func TestFolderIsPrivate(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	require.NoError(t, os.Mkdir(dir, 0o755))
	c, _, address := held(t, dir)
	require.True(t, strings.HasPrefix(address, "127.0.0.1:"))
	for name, mode := range map[string]os.FileMode{"": 0o700, "access.json": 0o600, "endpoint.json": 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Equal(t, mode, info.Mode().Perm(), name)
	}
	require.NoError(t, c.stdin.Close())
	require.Empty(t, c.end())
	_, err := os.Stat(filepath.Join(dir, "endpoint.json"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	_, err := embedded.Open(t.Context(), embedded.Options{Dir: t.TempDir(), Library: "/nowhere/libchdb.so"})
	require.ErrorIs(t, err, embedded.ErrNoLibrary)
	for _, says := range []string{"/nowhere/libchdb.so", "make build", "METERHOUSE_LIBCHDB"} {
		require.ErrorContains(t, err, says)
	}
	for _, address := range []string{"0.0.0.0:8123", ":8123", "192.0.2.1:8123", "8123"} {
		_, err := embedded.Open(t.Context(), embedded.Options{Dir: t.TempDir(), Listen: address})
		require.ErrorContains(t, err, fmt.Sprintf("%q", address))
	}
}

func TestOpenStopsWaitingWithItsContext(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	lock, err := os.Create(filepath.Join(dir, "lock"))
	require.NoError(t, err)
	defer lock.Close()
	require.NoError(t, syscall.Flock(int(lock.Fd()), syscall.LOCK_EX)) // an owner that never gets ready
	ctx, cancel := context.WithCancelCause(t.Context())
	var opening sync.WaitGroup
	opening.Go(func() { _, err = embedded.Open(ctx, embedded.Options{Dir: dir}) })
	stop := errors.New("the user gave up")
	cancel(stop)
	opening.Wait()
	require.ErrorIs(t, err, stop)
}
