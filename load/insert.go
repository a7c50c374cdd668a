package load

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
)

var errColumnType = errors.New("another type")

// inserter sends blocks, one INSERT each: between two blocks no statement is
// open that a server could run out of patience with while the source is slow.
//
// Columns are encoded here and handed to the driver as it would have read them
// from a server. Its own Append takes LowCardinality values one by one through
// an interface, which costs more than all the rest together.
type inserter struct {
	w       *Warehouse
	to      taker
	buf     proto.Buffer
	encoded bytes.Reader
	reader  *proto.Reader
}

func newInserter(w *Warehouse, to taker) *inserter {
	in := &inserter{w: w, to: to}
	in.reader = proto.NewReader(&in.encoded)
	return in
}

// insert returns when the server has acknowledged the block.
func (in *inserter) insert(ctx context.Context, b *block) error {
	b.seal()
	batch, err := in.to.conn.PrepareBatch(in.w.insertContext(ctx, b.types()), insertSQL(in.to.table(b.table), b.names()))
	if err != nil {
		return err
	}
	for i, dst := range batch.Columns() {
		if err := in.copy(dst, b.columns[i].data, b.rows); err != nil {
			return errors.Join(fmt.Errorf("column %q: %w", b.columns[i].name, err), batch.Abort())
		}
	}
	return batch.Send()
}

func (in *inserter) copy(dst column.Interface, src proto.Column, rows int) error {
	if string(dst.Type()) != string(src.Type()) {
		return fmt.Errorf("%w: the table has %s, this program writes %s", errColumnType, dst.Type(), src.Type())
	}
	if p, ok := src.(proto.Preparable); ok {
		if err := p.Prepare(); err != nil {
			return err
		}
	}
	in.buf.Reset()
	src.EncodeColumn(&in.buf)
	in.encoded.Reset(in.buf.Buf)
	return dst.Decode(in.reader, rows)
}

// insertContext sets what every INSERT needs. Recent servers buffer small
// inserts and drop blocks that look like ones they have seen; both would break
// the promise that an acknowledged block is in the table, once.
func (w *Warehouse) insertContext(ctx context.Context, types []clickhouse.ColumnNameAndType) context.Context {
	settings := clickhouse.Settings{"insert_deduplicate": 0}
	if w.atLeast(21, 12) {
		settings["async_insert"] = 0
	}
	options := []clickhouse.QueryOption{clickhouse.WithSettings(settings)}
	if types != nil { // over HTTP this saves asking for the table's columns
		options = append(options, clickhouse.WithColumnNamesAndTypes(types))
	}
	return clickhouse.Context(ctx, options...)
}
