// Package loadtest gives tests a warehouse that is a real ClickHouse engine.
package loadtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/meterhouse/meterhouse/load"
	"github.com/meterhouse/meterhouse/load/embedded"
)

// shared is the engine of this test process: the library opens one data folder
// per process, so all tests of a package use the same one.
type shared struct {
	once   sync.Once
	dir    string
	engine *embedded.Engine
	err    error
}

var process shared //nolint:gochecknoglobals // tests have no other place in common

// Main runs a package's tests and closes the shared engine after them. Call it
// from TestMain: os.Exit(loadtest.Main(m)).
func Main(m *testing.M) int {
	code := m.Run()
	if err := process.close(); err != nil {
		fmt.Fprintln(os.Stderr, "closing the test warehouse:", err)
		return max(code, 1)
	}
	return code
}

// Engine returns the embedded warehouse that the tests of this process share,
// and starts it in a temporary folder for the first one. A test that cannot
// have it fails: it never skips.
func Engine(t testing.TB) embedded.Endpoint {
	t.Helper()
	library, err := Library()
	if err != nil {
		t.Fatal(err)
	}
	process.once.Do(func() { process.open(library) })
	if process.err != nil {
		t.Fatalf("opening the test warehouse: %v", process.err)
	}
	return process.engine.Endpoint()
}

// Embedded is the shared engine, over HTTP.
func Embedded(t testing.TB) Harness {
	t.Helper()
	e := Engine(t)
	return Harness{Options: load.Options{
		Protocol: load.HTTP, Addrs: []string{e.Addr}, User: e.User, Password: func() string { return e.Key },
	}}
}

// Database makes a database of its own for one test in the shared engine and
// returns its name. It is dropped when the test ends.
func Database(t testing.TB) string {
	t.Helper()
	endpoint := Engine(t)
	name := "test_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	if err := Exec(t.Context(), endpoint, "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := Exec(context.Background(), endpoint, "DROP DATABASE "+name+" SYNC"); err != nil {
			t.Error(err)
		}
	})
	return name
}

// Exec runs a statement as the endpoint's user who may do everything.
func Exec(ctx context.Context, endpoint embedded.Endpoint, sql string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+endpoint.Addr+"/", strings.NewReader(sql))
	if err != nil {
		return fmt.Errorf("running %q: %w", sql, err)
	}
	request.SetBasicAuth(endpoint.User, endpoint.Key)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("running %q: %w", sql, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("running %q: %w", sql, err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("running %q: %s", sql, strings.TrimSpace(string(text)))
	}
	return nil
}

// Library returns the path of libchdb for tests: METERHOUSE_LIBCHDB, or what
// `npm ci` put under load/embedded of this source tree.
func Library() (string, error) {
	if path := os.Getenv("METERHOUSE_LIBCHDB"); path != "" { //nolint:forbidigo // tests have no configuration
		return path, nil
	}
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	found, err := filepath.Glob(filepath.Join(root, "load", "embedded", "node_modules", "@chdb", "lib-*", "libchdb.*"))
	if err != nil {
		return "", fmt.Errorf("looking for libchdb: %w", err)
	}
	if len(found) == 0 {
		return "", errors.New("libchdb is not installed: run `make build`, or `npm ci --prefix load/embedded`")
	}
	return found[0], nil
}

// moduleRoot is the folder of go.mod, above the package that is tested.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("looking for go.mod: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("looking for go.mod: not inside the module")
		}
		dir = filepath.Dir(dir)
	}
}

func (s *shared) open(library string) {
	if s.dir, s.err = os.MkdirTemp("", "meterhouse-test-"); s.err != nil {
		return
	}
	s.engine, s.err = embedded.Open(context.Background(), embedded.Options{Dir: s.dir, Library: library, Version: "test"})
}

// closeTimeout bounds how long statements that a test left behind may run.
const closeTimeout = 20 * time.Second

func (s *shared) close() error {
	if s.engine == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if err := s.engine.Close(ctx); err != nil {
		return err
	}
	return os.RemoveAll(s.dir)
}
