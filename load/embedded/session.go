package embedded

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// database is the running engine: the library with one data path open. The
// library allows one path per process.
type database struct {
	lib  *library
	path string
	// base keeps the engine running while no session is open.
	base *conn
	// contentTypes holds the output formats' Content-Types by lower-case name.
	contentTypes map[string]formatInfo
}

type formatInfo struct{ name, contentType string }

// openTries is how often a refused connection is tried again: loading the
// tables of a folder has been seen to fail at random in older libraries.
const (
	openTries = 5
	openPause = 200 * time.Millisecond
)

// openDatabase starts the engine on a folder, which is made if it is not there.
func openDatabase(ctx context.Context, lib *library, path string) (*database, error) {
	db := &database{lib: lib, path: path}
	for try := 1; ; try++ {
		base, err := lib.open(db.serverArgs()...)
		if err == nil {
			db.base = base
			break
		}
		if try == openTries {
			return nil, fmt.Errorf("starting the engine on %s: %w", path, err)
		}
		if err := pause(ctx, openPause); err != nil {
			return nil, fmt.Errorf("starting the engine on %s: %w", path, err)
		}
	}
	if err := db.loadFormats(); err != nil {
		db.close()
		return nil, fmt.Errorf("asking the engine for its formats: %w", err)
	}
	return db, nil
}

// silenceEngine keeps the engine from writing its own log on the terminal. What
// goes wrong with a statement comes back as its error; the rest is noise, such as
// "current_thread contains invalid address", which a worker thread of the
// library says after every streamed insert.
const silenceEngine = "--log-level=none"

// serverArgs are the engine's settings as a guest on somebody's machine.
func (db *database) serverArgs() []string {
	return []string{
		"--path=" + db.path,
		// One thread loads the tables: with more, older libraries deadlock or fail.
		"--tables_loader_foreground_pool_size=1",
		"--max_server_memory_usage_to_ram_ratio=0.6",
		"--mark_cache_size=268435456",
		"--background_pool_size=2",
		"--background_schedule_pool_size=4",
		silenceEngine,
	}
}

func (db *database) close() { db.base.close() }

func (db *database) loadFormats() error {
	a, err := db.base.run("SELECT name, content_type FROM system.formats WHERE is_output", "TSV", nil)
	if err != nil {
		return err
	}
	defer a.close()
	db.contentTypes = make(map[string]formatInfo)
	for line := range strings.Lines(string(a.bytes())) {
		name, contentType, _ := strings.Cut(strings.TrimSpace(line), "\t")
		db.contentTypes[strings.ToLower(name)] = formatInfo{name, contentType}
	}
	return nil
}

// format tells the canonical name and the Content-Type of an output format.
func (db *database) format(name string) formatInfo {
	if info, ok := db.contentTypes[strings.ToLower(name)]; ok {
		return info
	}
	return formatInfo{name, "text/plain; charset=UTF-8"}
}

// session is a connection that serves one request, so that nothing a request
// sets (SET, USE, temporary tables) is there for the next one.
type session struct {
	*conn
	db  *database
	tag string // marks the session's statements in system.processes
}

// sessionOptions are what a request says about its session.
type sessionOptions struct {
	database string
	settings url.Values
	readonly readonly
}

// readonly is the engine's setting of that name.
type readonly int

const (
	readWrite    readonly = 0
	readOnly     readonly = 1 // reads only, and sets nothing
	readSettings readonly = 2 // reads only: what GET may do
)

// session opens a connection for one request. The caller closes it.
func (db *database) session(o sessionOptions) (*session, error) {
	tag := "meterhouse-" + uuid.NewString()
	c, err := db.lib.open("--path="+db.path, "--log_comment="+tag, silenceEngine,
		"--session_timezone=UTC", // not the zone that the user's machine happens to have
		"--implicit_select=0",    // the library takes "x" for "SELECT x", a server does not
	)
	if err != nil {
		return nil, errorf(codeUnknown, "UNKNOWN_EXCEPTION", "%v", err)
	}
	s := &session{conn: c, db: db, tag: tag}
	if err := s.prepare(o); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *session) prepare(o sessionOptions) error {
	if o.database != "" {
		if err := s.exec("USE " + quoteIdentifier(o.database)); err != nil {
			return err
		}
	}
	assignments, err := s.assignments(o.settings)
	if err != nil {
		return err
	}
	if o.readonly != readWrite {
		if o.settings.Has("readonly") {
			return errorf(codeReadonly, "READONLY", "Cannot modify 'readonly' setting in readonly mode")
		}
		assignments = append(assignments, fmt.Sprintf("readonly = %d", o.readonly))
	}
	if len(assignments) == 0 {
		return nil
	}
	return s.exec("SET " + strings.Join(assignments, ", "))
}

func (s *session) assignments(settings url.Values) ([]string, error) {
	var list []string
	for name, values := range settings {
		if !isName(name) {
			return nil, errorf(codeUnknownSetting, "UNKNOWN_SETTING", "Unknown setting '%s'", name)
		}
		value := values[0]
		if name == "log_comment" { // the tag must stay, kill looks for it
			value = s.tag + " " + value
		}
		list = append(list, name+" = "+quoteString(value))
	}
	slices.Sort(list)
	return list, nil
}

// kill stops what the session runs. The library has no call for it, so another
// session asks the engine, as a client of a server would.
func (s *session) kill() {
	c, err := s.db.lib.open("--path=" + s.db.path)
	if err != nil {
		return // the engine is closing, nothing runs any more
	}
	defer c.close()
	_ = c.exec("KILL QUERY WHERE startsWith(Settings['log_comment'], " + quoteString(s.tag) + ") ASYNC")
}

// killEvery is how often a statement that nobody waits for is killed again: it
// may not have begun when the first kill looked for it.
const killEvery = 100 * time.Millisecond

// killOnDone kills what the session runs when ctx ends. The returned function
// ends the watch and must be called before the session is closed.
func (s *session) killOnDone(ctx context.Context) (release func()) {
	released := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() {
		select {
		case <-released:
			return
		case <-ctx.Done():
		}
		again := time.NewTicker(killEvery)
		defer again.Stop()
		for {
			s.kill()
			select {
			case <-released:
				return
			case <-again.C:
			}
		}
	})
	return func() {
		close(released)
		watch.Wait()
	}
}

// isName keeps a request from writing SQL of its own where a name belongs.
func isName(s string) bool {
	for i := range len(s) {
		if !wordByte(s[i]) || s[i] >= 0x80 {
			return false
		}
	}
	return s != ""
}

func quoteString(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

func quoteIdentifier(s string) string {
	return "`" + strings.NewReplacer(`\`, `\\`, "`", "\\`").Replace(s) + "`"
}

// pause waits for d or the end of ctx, whichever is first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
