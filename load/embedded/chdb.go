package embedded

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"github.com/ebitengine/purego"
)

// library is libchdb: the part of its C interface (chdb.h) that is used here.
// Handles are pointers into memory that the library owns.
type library struct {
	setSignalHandlers func(enabled int32)
	connect           func(argc int32, argv unsafe.Pointer) *unsafe.Pointer
	closeConn         func(conn *unsafe.Pointer)
	classify          func(conn, sql unsafe.Pointer, n uintptr, database unsafe.Pointer, dn uintptr, out *analysis) int32

	query func(conn, sql unsafe.Pointer, n uintptr, format unsafe.Pointer, fn uintptr, names, nameLens, values, valueLens unsafe.Pointer, params uintptr) unsafe.Pointer

	insertBegin   func(conn, sql unsafe.Pointer, n uintptr, format unsafe.Pointer, fn uintptr, names, nameLens, values, valueLens unsafe.Pointer, params uintptr) unsafe.Pointer
	insertError   func(stream unsafe.Pointer) string
	insertAppend  func(stream, data unsafe.Pointer, n uintptr) int32
	insertDone    func(stream unsafe.Pointer) unsafe.Pointer
	insertCancel  func(stream unsafe.Pointer)
	insertDestroy func(stream unsafe.Pointer)

	resultBuffer      func(result unsafe.Pointer) unsafe.Pointer
	resultLength      func(result unsafe.Pointer) uintptr
	resultError       func(result unsafe.Pointer) string
	resultRowsRead    func(result unsafe.Pointer) uint64
	resultBytesRead   func(result unsafe.Pointer) uint64
	resultRowsWritten func(result unsafe.Pointer) uint64
	resultDestroy     func(result unsafe.Pointer)
}

// symbols names the C function behind each field of library.
func (l *library) symbols() map[string]any {
	return map[string]any{
		"chdb_set_signal_handlers_enabled": &l.setSignalHandlers,
		"chdb_connect":                     &l.connect,
		"chdb_close_conn":                  &l.closeConn,
		"chdb_classify_query_n":            &l.classify,
		"chdb_query_with_params_n":         &l.query,
		"chdb_stream_insert_with_params_n": &l.insertBegin,
		"chdb_stream_insert_error":         &l.insertError,
		"chdb_stream_append":               &l.insertAppend,
		"chdb_stream_done":                 &l.insertDone,
		"chdb_stream_cancel_insert":        &l.insertCancel,
		"chdb_destroy_insert_stream":       &l.insertDestroy,
		"chdb_result_buffer":               &l.resultBuffer,
		"chdb_result_length":               &l.resultLength,
		"chdb_result_error":                &l.resultError,
		"chdb_result_storage_rows_read":    &l.resultRowsRead,
		"chdb_result_storage_bytes_read":   &l.resultBytesRead,
		"chdb_result_rows_written":         &l.resultRowsWritten,
		"chdb_destroy_query_result":        &l.resultDestroy,
	}
}

// load opens the library file and binds its functions. A library is never
// unloaded: its threads live as long as the process.
func load(path string) (*library, error) {
	handle, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_GLOBAL)
	if err != nil {
		return nil, fmt.Errorf("loading %s: %w", path, err)
	}
	l := new(library)
	for name, f := range l.symbols() {
		address, err := purego.Dlsym(handle, name)
		if err != nil {
			return nil, fmt.Errorf("%s is too old, it has no %s: libchdb 26.7 or newer is needed", path, name)
		}
		purego.RegisterFunc(f, address)
	}
	// Go's own handlers must stay: they turn a nil dereference into a panic and
	// SIGTERM into a value on a channel.
	l.setSignalHandlers(0)
	return l, nil
}

// errNoConnection is what chdb_connect returning NULL means; the library tells
// the reason to its own log only.
var errNoConnection = errors.New("the engine refused the connection")

// conn is one session of the engine: its settings and its current database are
// its own, and it runs one statement at a time. It costs a quarter of a
// millisecond to open beside another one.
type conn struct {
	lib    *library
	handle *unsafe.Pointer
}

// open starts a session; args are written like those of clickhouse-local.
func (l *library) open(args ...string) (*conn, error) {
	argv := []*byte{cString("clickhouse")}
	for _, a := range args {
		argv = append(argv, cString(a))
	}
	n := int32(len(argv)) //nolint:gosec // a handful
	argv = append(argv, nil)
	handle := l.connect(n, unsafe.Pointer(&argv[0]))
	runtime.KeepAlive(argv)
	if handle == nil {
		return nil, errNoConnection
	}
	return &conn{lib: l, handle: handle}, nil
}

func (c *conn) close() { c.lib.closeConn(c.handle) }

// analysis is chdb_query_analysis_v1: what the engine's parser says of a text.
type analysis struct {
	size       uint32
	statements uint32
	_          uint32 // flags
	class      uint32
}

// classControl is the class of statements that act on the session, on the
// whole engine or outside of it (SET, KILL, SELECT ... INTO OUTFILE).
const classControl = 3

// analyse parses sql without running it. Text that does not parse counts as no
// statement: running it brings the parser's message.
func (c *conn) analyse(sql string) analysis {
	a := analysis{size: uint32(unsafe.Sizeof(analysis{}))}
	c.lib.classify(*c.handle, stringData(sql), uintptr(len(sql)), nil, 0, &a)
	runtime.KeepAlive(sql)
	return a
}

// param is the value of a placeholder {name:Type}.
type param struct{ name, value string }

// paramArrays are params as the C interface takes them. The caller keeps the
// value alive during the call.
type paramArrays struct {
	names, values       []unsafe.Pointer
	nameLens, valueLens []uintptr
}

func newParamArrays(params []param) paramArrays {
	var a paramArrays
	for _, p := range params {
		a.names = append(a.names, stringData(p.name))
		a.nameLens = append(a.nameLens, uintptr(len(p.name)))
		a.values = append(a.values, stringData(p.value))
		a.valueLens = append(a.valueLens, uintptr(len(p.value)))
	}
	return a
}

func cString(s string) *byte { return unsafe.SliceData(append([]byte(s), 0)) }

// stringData points at the bytes of s, and never is NULL.
func stringData(s string) unsafe.Pointer {
	if s == "" {
		return unsafe.Pointer(cString(""))
	}
	return unsafe.Pointer(unsafe.StringData(s))
}
