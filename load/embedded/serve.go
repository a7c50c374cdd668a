package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
)

// serve executes a request's statement in a session of its own and writes its
// answer. When ctx ends, the engine is told to stop the statement.
func (db *database) serve(ctx context.Context, out *reply, q *request) (summary, error) {
	in, isInsert, err := q.insert()
	if err != nil {
		return summary{}, err
	}
	s, err := db.session(q.sessionOptions)
	if err != nil {
		return summary{}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer s.close()
	defer s.killOnDone(ctx)() // ends the watch first of all
	if isInsert {
		return s.load(in, q.params)
	}
	sql, err := q.statement()
	if err != nil {
		return summary{}, err
	}
	if err := s.permit(sql, q.readonly); err != nil {
		return summary{}, err
	}
	if isSelect(sql) {
		return s.stream(cancel, out, q, sql)
	}
	return s.answer(out, q, sql)
}

// permit refuses what a server's HTTP interface refuses, and what only a client
// in the engine's own process could do: write files, kill others' statements.
// The engine's parser decides what a text is; text that it does not understand
// is never run, because the library takes some of it for commands of a terminal.
func (s *session) permit(sql string, rights readonly) error {
	a := s.analyse(sql)
	switch {
	case strings.TrimSpace(sql) == "":
		return errorf(codeSyntaxError, "SYNTAX_ERROR", "Empty query")
	case a.statements == 0:
		return s.syntaxError(sql)
	case a.statements > 1:
		return errorf(codeSyntaxError, "SYNTAX_ERROR", "Syntax error (Multi-statements are not allowed)")
	case a.class == classControl && rights != readWrite:
		return errorf(codeReadonly, "READONLY", "Cannot execute query in readonly mode")
	case a.class == classControl && strings.Contains(strings.ToUpper(sql), "OUTFILE"):
		return errorf(codeIntoOutfile, "INTO_OUTFILE_NOT_ALLOWED", "INTO OUTFILE is not allowed")
	}
	return nil
}

// syntaxError returns the parser's complaint about sql, as a server words it: a
// function of the engine parses it as text, so that places count from its
// beginning.
func (s *session) syntaxError(sql string) error {
	const formatting = "SELECT formatQuery("
	err := s.exec(formatting + quoteString(sql) + ")")
	e, ok := errors.AsType[*exception](err)
	if !ok {
		return errorf(codeSyntaxError, "SYNTAX_ERROR", "Syntax error")
	}
	if complaint, _, own := strings.Cut(e.text, ": In scope "+formatting); own {
		e.text = complaint + ". (SYNTAX_ERROR)"
	}
	return e
}

// load runs an INSERT whose data is streamed to the engine.
func (s *session) load(in insertData, params []param) (summary, error) {
	insert, err := s.insert(in.sql, in.format, params)
	if err != nil {
		return summary{}, err
	}
	if _, err := io.Copy(insert, in.data); err != nil {
		insert.abort()
		if e, ok := errors.AsType[*exception](err); ok {
			return summary{}, e
		}
		return summary{}, bodyError(err)
	}
	rows, err := insert.commit()
	return summary{WrittenRows: rows}, err
}

// answer runs a statement whose answer is small: anything but SELECT.
func (s *session) answer(out *reply, q *request, sql string) (summary, error) {
	a, err := s.run(sql, q.format, q.params)
	if err != nil {
		return summary{}, err
	}
	defer a.close()
	format := s.db.format(firstOf(splitOutput(sql).format, q.format))
	return a.summary(), writeAnswer(out, q, format, bytes.NewReader(a.bytes()))
}

// stream runs a SELECT and passes its answer on while the engine computes it.
// The library would give the answer in one piece, or in pieces that each are a
// document of its own, so the engine is made to write it into a pipe.
func (s *session) stream(cancel context.CancelFunc, out *reply, q *request, sql string) (summary, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return summary{}, fmt.Errorf("making a pipe for the answer: %w", err)
	}
	text := splitOutput(sql)
	into := fmt.Sprintf("\nINTO OUTFILE '/dev/fd/%d' TRUNCATE ", w.Fd())
	var (
		statement sync.WaitGroup
		sum       summary
		failure   error
	)
	statement.Go(func() {
		defer func() { _ = w.Close() }() // with the engine's own end closed, the reader sees the end
		a, err := s.run(sql[:text.into]+into+sql[text.into:], q.format, q.params)
		if err != nil {
			failure = err
			return
		}
		sum = a.summary()
		a.close()
	})
	err = passOn(cancel, out, q, s.db.format(firstOf(text.format, q.format)), r)
	statement.Wait()
	if failure != nil {
		return summary{}, failure
	}
	return sum, err
}

// passOn writes what comes out of the pipe to the client. It reads to the end
// also when the client is gone, because the engine would wait for ever; cancel
// makes that end come soon.
func passOn(cancel context.CancelFunc, out *reply, q *request, format formatInfo, pipe *os.File) error {
	complete := false
	defer func() {
		if !complete {
			cancel()
			_, _ = io.Copy(io.Discard, pipe)
		}
		_ = pipe.Close()
	}()
	err := writeAnswer(out, q, format, pipe)
	complete = err == nil
	return err
}

func (a *answer) summary() summary {
	return summary{ReadRows: a.rowsRead(), ReadBytes: a.bytesRead(), WrittenRows: a.rowsWritten()}
}

// writeAnswer writes an answer of the engine as the client wants to have it.
func writeAnswer(out *reply, q *request, format formatInfo, answer io.Reader) error {
	out.format(format)
	w, closeAll := out.encoder(q)
	var err error
	if format.name == "Native" && q.revision > 0 {
		err = copyNative(w, answer, q.revision)
	} else {
		_, err = io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{answer}, make([]byte, copyBytes))
	}
	if err != nil {
		return fmt.Errorf("sending the answer: %w", err)
	}
	return closeAll()
}

// copyBytes is the size of the pieces in which answers are passed on.
const copyBytes = 256 << 10
