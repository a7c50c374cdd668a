package embedded

import (
	"runtime"
	"unsafe"
)

// answer is what a statement gave, in one piece of the engine's memory.
type answer struct {
	lib    *library
	result unsafe.Pointer
}

// run executes one statement and waits for its end. format is the output
// format of statements that name none. The caller closes the answer.
func (c *conn) run(sql, format string, params []param) (*answer, error) {
	p := newParamArrays(params)
	result := c.lib.query(*c.handle,
		stringData(sql), uintptr(len(sql)), stringData(format), uintptr(len(format)),
		sliceData(p.names), sliceData(p.nameLens), sliceData(p.values), sliceData(p.valueLens), uintptr(len(params)))
	runtime.KeepAlive(sql)
	runtime.KeepAlive(params)
	if text := c.lib.resultError(result); text != "" {
		c.lib.resultDestroy(result)
		return nil, newException(text)
	}
	return &answer{lib: c.lib, result: result}, nil
}

// exec runs a statement whose answer nobody reads.
func (c *conn) exec(sql string) error {
	a, err := c.run(sql, "Null", nil)
	if err != nil {
		return err
	}
	a.close()
	return nil
}

// bytes is the answer's text, valid until the answer is closed.
func (a *answer) bytes() []byte {
	n := a.lib.resultLength(a.result)
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(a.lib.resultBuffer(a.result)), n)
}

func (a *answer) rowsRead() uint64    { return a.lib.resultRowsRead(a.result) }
func (a *answer) bytesRead() uint64   { return a.lib.resultBytesRead(a.result) }
func (a *answer) rowsWritten() uint64 { return a.lib.resultRowsWritten(a.result) }
func (a *answer) close()              { a.lib.resultDestroy(a.result) }

// insert is a running INSERT whose data is written to it in the input format
// that it was begun with.
type insert struct {
	lib    *library
	stream unsafe.Pointer
}

// insert begins `sql`, an INSERT without FORMAT and data. The caller ends it
// with commit or abort before it uses the connection again.
func (c *conn) insert(sql, format string, params []param) (*insert, error) {
	p := newParamArrays(params)
	stream := c.lib.insertBegin(*c.handle,
		stringData(sql), uintptr(len(sql)), stringData(format), uintptr(len(format)),
		sliceData(p.names), sliceData(p.nameLens), sliceData(p.values), sliceData(p.valueLens), uintptr(len(params)))
	runtime.KeepAlive(sql)
	runtime.KeepAlive(params)
	if text := c.lib.insertError(stream); text != "" {
		c.lib.insertDestroy(stream)
		return nil, newException(text)
	}
	return &insert{lib: c.lib, stream: stream}, nil
}

// Write hands data to the engine, and waits while it is busy with what it has.
func (i *insert) Write(data []byte) (int, error) {
	if len(data) == 0 {
		return 0, nil
	}
	state := i.lib.insertAppend(i.stream, unsafe.Pointer(unsafe.SliceData(data)), uintptr(len(data)))
	runtime.KeepAlive(data)
	if state != 0 {
		return 0, newException(i.lib.insertError(i.stream))
	}
	return len(data), nil
}

// commit says that the data is complete, and returns how many rows were
// written once they are visible.
func (i *insert) commit() (rows uint64, err error) {
	defer i.lib.insertDestroy(i.stream)
	done := i.lib.insertDone(i.stream)
	defer i.lib.resultDestroy(done)
	if text := i.lib.resultError(done); text != "" {
		return 0, newException(text)
	}
	return i.lib.resultRowsWritten(done), nil
}

// abort ends the insert without what has not become a part of the table yet.
func (i *insert) abort() {
	i.lib.insertCancel(i.stream)
	i.lib.insertDestroy(i.stream)
}

func sliceData[T any](s []T) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(s)) }
