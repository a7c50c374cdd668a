package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"go.uber.org/zap"
)

// owner is the process that runs a data folder's engine.
type owner struct {
	dir     string
	lock    *os.File
	db      *database
	http    *http.Server
	stop    context.CancelFunc // stops running statements
	running sync.WaitGroup     // the server's goroutine and its requests
	waiting func()
	logger  *zap.Logger
}

// own starts the engine in a folder whose lock this process has taken.
func own(ctx context.Context, dir string, lock *os.File, o Options) (*Engine, error) {
	w := &owner{dir: dir, lock: lock, waiting: o.Waiting, logger: o.Logger.Named("embedded")}
	engine, err := w.start(ctx, o)
	if err != nil {
		if w.db != nil {
			w.db.close()
		}
		_ = lock.Close()
		return nil, fmt.Errorf("opening the embedded warehouse: %w", err)
	}
	return engine, nil
}

func (w *owner) start(ctx context.Context, o Options) (*Engine, error) {
	if o.Listen != "" {
		if err := checkLoopback(o.Listen); err != nil {
			return nil, err
		}
	}
	// An owner that was killed left its endpoint: nobody shall ask there again.
	if err := remove(filepath.Join(w.dir, endpointFile)); err != nil {
		return nil, err
	}
	path, err := findLibrary(o.Library)
	if err != nil {
		return nil, err
	}
	lib, err := load(path)
	if err != nil {
		return nil, err
	}
	users, err := ensureAccess(w.dir)
	if err != nil {
		return nil, err
	}
	if w.db, err = openDatabase(ctx, lib, filepath.Join(w.dir, engineFolder)); err != nil {
		return nil, err
	}
	listener, err := listen(ctx, w.dir, o.Listen)
	if err != nil {
		return nil, err
	}
	address := listener.Addr().String()
	if err := w.announce(address, o.Version); err != nil {
		_ = listener.Close()
		return nil, err
	}
	w.serve(ctx, listener, users)
	w.logger.Info("embedded warehouse open", zap.String("dir", w.dir), zap.String("address", address), zap.String("library", path))
	return &Engine{endpoint: users.endpoint(address), owner: w}, nil
}

// listen opens the port: the one asked for, else that of the last owner so that
// BI tools find it again, else a free one.
func listen(ctx context.Context, dir, address string) (net.Listener, error) {
	var config net.ListenConfig
	if address != "" {
		listener, err := config.Listen(ctx, "tcp", address)
		if err != nil {
			return nil, fmt.Errorf("listening for the embedded warehouse: %w", err)
		}
		return listener, nil
	}
	var port int
	if err := readJSON(filepath.Join(dir, portFile), &port); err == nil {
		if listener, err := config.Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			return listener, nil
		}
	}
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for the embedded warehouse: %w", err)
	}
	return listener, nil
}

// checkLoopback refuses addresses that other machines could reach: keys and
// data travel in the clear.
func checkLoopback(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("listen address %q: %w", address, err)
	}
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("listen address %q: the embedded warehouse listens on loopback only, on 127.0.0.1 for example", address)
}

// announce writes where the owner listens, for guests and for the next owner.
func (w *owner) announce(address, version string) error {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	_, text, _ := net.SplitHostPort(address)
	port, err := strconv.Atoi(text)
	if err != nil {
		return fmt.Errorf("reading the port of %s: %w", address, err)
	}
	if err := writeJSON(filepath.Join(w.dir, portFile), port); err != nil {
		return fmt.Errorf("writing the port file: %w", err)
	}
	record := endpointRecord{Address: address, PID: os.Getpid(), Host: host, Version: version, Started: time.Now().UTC()}
	if err := writeJSON(filepath.Join(w.dir, endpointFile), record); err != nil {
		return fmt.Errorf("writing the endpoint file: %w", err)
	}
	return nil
}

// serve answers requests until close; ctx was for opening only.
func (w *owner) serve(ctx context.Context, listener net.Listener, users access) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	w.stop = cancel
	handler := &server{db: w.db, access: users}
	w.http = &http.Server{
		Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			w.running.Add(1)
			defer w.running.Done()
			handler.ServeHTTP(rw, r)
		}),
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          zap.NewStdLog(w.logger),
	}
	w.running.Go(func() {
		if err := w.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			w.logger.Error("embedded warehouse stopped listening", zap.Error(err))
		}
	})
}

// close is Engine.Close of an owner.
func (w *owner) close(ctx context.Context) error {
	// Until the last guest has gone others may still come: a short query that
	// owns the engine must not lock everybody out while a long backfill uses it.
	guests := w.waitForGuests(ctx)
	if guests != nil {
		defer func() { _ = guests.Close() }()
	}
	if err := remove(filepath.Join(w.dir, endpointFile)); err != nil {
		return fmt.Errorf("closing the embedded warehouse: %w", err)
	}
	if err := w.stopServing(ctx); err != nil {
		// The engine is in use and cannot be closed; the folder stays locked
		// until the process ends.
		return fmt.Errorf("closing the embedded warehouse: %w", err)
	}
	w.db.close()
	return w.lock.Close()
}

// waitForGuests waits until no other process uses the endpoint, and returns the
// lock that keeps new ones out, nil when ctx ended first.
func (w *owner) waitForGuests(ctx context.Context) *os.File {
	for told := false; ; told = true {
		lock, err := tryLock(filepath.Join(w.dir, guestsFile), exclusive)
		if err == nil {
			return lock
		}
		if !told && w.waiting != nil {
			w.waiting()
		}
		if err := pause(ctx, openPoll); err != nil {
			return nil
		}
	}
}

// stopTimeout bounds how long a statement may take to notice that it was killed.
const stopTimeout = 10 * time.Second

// stopServing lets running requests finish within ctx and kills what is left.
func (w *owner) stopServing(ctx context.Context) error {
	if err := w.http.Shutdown(ctx); err == nil {
		w.stop()
		w.running.Wait()
		return nil
	}
	w.stop()
	_ = w.http.Close()
	done := make(chan struct{})
	go func() {
		w.running.Wait()
		close(done)
	}()
	timer := time.NewTimer(stopTimeout)
	defer timer.Stop()
	select {
	case <-done:
		return nil
	case <-timer.C:
		return fmt.Errorf("a statement still runs %s after it was killed", stopTimeout)
	}
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
