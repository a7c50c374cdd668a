package embedded

import (
	"errors"
	"fmt"
	"io"

	chproto "github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2/lib/proto"
)

// copyNative copies blocks in the Native format and brings them from revision
// 0, which the engine writes, to the revision that the client reads: those from
// 54454 on have a header per block and a byte more per column.
func copyNative(w io.Writer, r io.Reader, revision uint64) error {
	blocks := chproto.NewReader(r)
	var buffer chproto.Buffer
	for {
		block := proto.NewBlock()
		if err := block.Decode(blocks, 0); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return fmt.Errorf("reading a block of the engine: %w", err)
		}
		buffer.Reset()
		if err := block.Encode(&buffer, revision); err != nil {
			return fmt.Errorf("writing a block for the client: %w", err)
		}
		if _, err := w.Write(buffer.Buf); err != nil {
			return err
		}
	}
}
