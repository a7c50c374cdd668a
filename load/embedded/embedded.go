package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"
)

// Options say which data folder to open and how.
type Options struct {
	// Dir is the data folder. It is made if it is not there, and kept private
	// to its user.
	Dir string
	// Listen is the loopback address to serve on, "127.0.0.1:8123" for example.
	// Empty takes the port of the last time, or a free one. It has no effect
	// when another process owns the folder.
	Listen string
	// Library is the path of libchdb. Empty looks beside the executable and in
	// the system's library folders.
	Library string
	// Version is the program's, for the endpoint file.
	Version string
	// Logger may be nil.
	Logger *zap.Logger
	// Own refuses to be a guest: Open waits, as long as its context lasts, until
	// no other process owns the folder. It is for those who stay: a guest is left
	// without an engine when its owner ends.
	Own bool
	// Waiting, if set, is called once when Open has to wait because of Own, and
	// when Close has to wait for other processes that still use this one's engine.
	Waiting func()
}

// Endpoint is where the warehouse of a data folder answers, and who may ask.
type Endpoint struct {
	Addr string // host:port, always loopback
	// User may do everything with Key, ReaderUser may read with ReaderKey.
	User, Key             string
	ReaderUser, ReaderKey string
}

// Engine is a data folder in use: owned by this process, or by another one
// whose endpoint this process talks to.
type Engine struct {
	endpoint Endpoint
	owner    *owner   // nil in a guest
	guest    *os.File // the guest's share of the guests' lock, nil in the owner
}

// openTimeout bounds how long Open waits for an owner that is starting or
// closing; openPoll is how often it looks.
const (
	openTimeout = time.Minute
	openPoll    = 50 * time.Millisecond
)

// Open opens the warehouse in a data folder. The first process to do so owns
// the folder and runs the engine; every later one, while the owner lives, is a
// guest at the owner's endpoint. Open waits, up to a minute, for an owner that
// is still starting or is closing. ErrNoLibrary says that the engine is not
// installed. A process can own one data folder at a time.
func Open(ctx context.Context, o Options) (*Engine, error) {
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	dir, err := privateDir(o.Dir)
	if err != nil {
		return nil, err
	}
	if o.Own {
		return ownAtLast(ctx, dir, o)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, openTimeout,
		fmt.Errorf("the folder's owner did not answer within %s", openTimeout))
	defer cancel()
	for {
		lock, err := tryLock(filepath.Join(dir, lockFile), exclusive)
		if err == nil {
			return own(ctx, dir, lock, o)
		}
		if !errors.Is(err, errLocked) {
			return nil, fmt.Errorf("locking the data folder: %w", err)
		}
		engine, attachErr := attach(ctx, dir)
		if attachErr == nil {
			return engine, nil
		}
		if err := pause(ctx, openPoll); err != nil {
			return nil, fmt.Errorf("using the warehouse in %s, which another process owns: %w (%w)", dir, err, attachErr)
		}
	}
}

// ownAtLast takes the folder as soon as nobody else has it.
func ownAtLast(ctx context.Context, dir string, o Options) (*Engine, error) {
	for told := false; ; told = true {
		lock, err := tryLock(filepath.Join(dir, lockFile), exclusive)
		if err == nil {
			return own(ctx, dir, lock, o)
		}
		if !errors.Is(err, errLocked) {
			return nil, fmt.Errorf("locking the data folder: %w", err)
		}
		if !told && o.Waiting != nil {
			o.Waiting()
		}
		if err := pause(ctx, openPoll); err != nil {
			return nil, fmt.Errorf("waiting for the process that owns %s: %w", dir, err)
		}
	}
}

// Endpoint is where to connect to, with clickhouse-go's HTTP protocol or any
// other client of ClickHouse's HTTP interface.
func (e *Engine) Endpoint() Endpoint { return e.endpoint }

// Owner tells whether this process runs the engine.
func (e *Engine) Owner() bool { return e.owner != nil }

// Close ends the use of the folder. An owner waits until its guests are gone,
// takes no more requests and lets the running ones finish, all within ctx; then
// it stops what still runs and closes the engine. Close is called once.
func (e *Engine) Close(ctx context.Context) error {
	if e.owner == nil {
		return e.guest.Close()
	}
	return e.owner.close(ctx)
}

// privateDir makes the folder and takes everybody else's rights to it away.
func privateDir(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("finding the data folder: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("making the data folder: %w", err)
	}
	if err := os.Chmod(dir, 0o700); err != nil { //nolint:gosec // a folder needs the x
		return "", fmt.Errorf("making the data folder private: %w", err)
	}
	return dir, nil
}

func (a access) endpoint(addr string) Endpoint {
	return Endpoint{Addr: addr, User: a.User, Key: a.Key, ReaderUser: a.ReaderUser, ReaderKey: a.ReaderKey}
}
