package run

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/klauspost/compress/zstd"

	"github.com/meterhouse/meterhouse/extract"
)

// spool keeps the answers of one pull on disk, compressed, so that a slice
// that was pulled again can be hashed first and loaded afterwards, without
// asking the source twice and without holding a day in memory.
type spool struct {
	dir      string
	recorded []extract.Response // Body is nil; the bytes are in the file of the same index
}

func newSpool(parent string) (*spool, error) {
	dir, err := os.MkdirTemp(parent, "meterhouse-spool-")
	if err != nil {
		return nil, fmt.Errorf("making a folder for the spool: %w", err)
	}
	return &spool{dir: dir}, nil
}

func (s *spool) remove() { _ = os.RemoveAll(s.dir) }

func (s *spool) file(i int) string { return filepath.Join(s.dir, strconv.Itoa(i)+".zst") }

// record is a Getter that passes every answer of live on and keeps a copy.
func (s *spool) record(live extract.Getter) extract.Getter { return &recorder{spool: s, live: live} }

// replay is a Getter that gives the recorded answers again, in order.
func (s *spool) replay() extract.Getter { return &replayer{spool: s} }

type recorder struct {
	spool *spool
	live  extract.Getter
}

func (r *recorder) Get(ctx context.Context, q extract.Query) (*extract.Response, error) {
	resp, err := r.live.Get(ctx, q)
	if err != nil {
		return nil, err
	}
	name := r.spool.file(len(r.spool.recorded))
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // below the private folder made by newSpool
	if err != nil {
		_ = resp.Body.Close()
		return nil, fmt.Errorf("opening the spool: %w", err)
	}
	z, err := zstd.NewWriter(f, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		_, _ = resp.Body.Close(), f.Close()
		return nil, fmt.Errorf("compressing the spool: %w", err)
	}
	kept := *resp
	kept.Body = nil
	r.spool.recorded = append(r.spool.recorded, kept)
	resp.Body = &tee{body: resp.Body, file: f, zstd: z}
	return resp, nil
}

// tee copies what is read of body into the spool.
type tee struct {
	body io.ReadCloser
	file *os.File
	zstd *zstd.Encoder
}

func (t *tee) Read(p []byte) (int, error) {
	n, err := t.body.Read(p)
	if n > 0 {
		if _, werr := t.zstd.Write(p[:n]); werr != nil {
			return 0, fmt.Errorf("writing the spool: %w", werr)
		}
	}
	return n, err //nolint:wrapcheck // the source's own error, classified already
}

func (t *tee) Close() error {
	err := t.body.Close()
	if zerr := t.zstd.Close(); zerr != nil {
		err = fmt.Errorf("closing the spool: %w", zerr)
	}
	if ferr := t.file.Close(); ferr != nil {
		err = fmt.Errorf("closing the spool: %w", ferr)
	}
	return err //nolint:wrapcheck // wrapped above where it is ours
}

type replayer struct {
	spool *spool
	next  int
}

func (r *replayer) Get(_ context.Context, q extract.Query) (*extract.Response, error) {
	if r.next >= len(r.spool.recorded) {
		return nil, fmt.Errorf("reading the spool: request %d (%s) was not made when it was recorded", r.next+1, q.Path)
	}
	resp := r.spool.recorded[r.next]
	f, err := os.Open(r.spool.file(r.next))
	if err != nil {
		return nil, fmt.Errorf("reading the spool: %w", err)
	}
	z, err := zstd.NewReader(f, zstd.WithDecoderConcurrency(1))
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("reading the spool: %w", err)
	}
	r.next++
	resp.Attempts = 0 // the source was not asked
	resp.Body = &unspool{Decoder: z, file: f}
	return &resp, nil
}

type unspool struct {
	*zstd.Decoder
	file *os.File
}

func (u *unspool) Close() error {
	u.Decoder.Close()
	return u.file.Close() //nolint:wrapcheck // a reader's close
}
