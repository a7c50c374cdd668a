package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// Query runs one read-only statement in the warehouse's database and writes the
// answer to out, as it comes, in one of ClickHouse's formats. A FORMAT clause in
// the statement is stronger than format.
//
// Over HTTP the server formats, and knows every format. Over the native protocol
// it cannot: there this program does, and knows TSV, TSVWithNames, JSONEachRow and
// PrettyCompact only.
func (w *Warehouse) Query(ctx context.Context, sql, format string, out io.Writer) error {
	const doing = "querying the warehouse"
	sql, format = splitFormat(sql, format)
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"readonly": readonly}))
	if w.protocol == Native {
		return w.queryNative(ctx, sql, format, out)
	}
	answer, err := w.conn.QueryFormat(ctx, format, sql)
	if err != nil {
		return withoutHint(fail(err, doing))
	}
	defer answer.Close()
	sink := &sink{out: out}
	if _, err := io.Copy(sink, answer); err != nil {
		if sink.err != nil {
			return fmt.Errorf("writing the answer: %w", sink.err)
		}
		return fail(err, doing)
	}
	return nil
}

// withoutHint drops the advice that fits Meterhouse's own statements: a table
// that a user's statement names wrongly does not come from a migration.
func withoutHint(err error) error {
	var e *Error
	if errors.As(err, &e) && e.Class == Schema {
		e.Hint = ""
	}
	return err
}

// splitFormat takes a FORMAT clause off the end of a statement: the driver wants
// the format apart. Without a clause the format stays as it is.
func splitFormat(sql, format string) (statement, asked string) {
	clause := regexp.MustCompile(`(?is)^(.*\S)\s+FORMAT\s+(\w+)\s*;?\s*$`).FindStringSubmatch(sql)
	if clause == nil {
		return sql, format
	}
	return clause[1], clause[2]
}

// readonly lets a statement read and change settings, but neither data, tables
// nor this setting.
const readonly = 2

// sink remembers whether it was the writer that failed, not the server.
type sink struct {
	out io.Writer
	err error
}

func (s *sink) Write(p []byte) (int, error) {
	n, err := s.out.Write(p)
	if err != nil {
		s.err = err
	}
	return n, err
}
