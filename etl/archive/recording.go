package archive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"

	"github.com/meterhouse/meterhouse/extract"
)

// RecordingOptions say how a pull is recorded.
type RecordingOptions struct {
	// Dir is where the recording's own folder is made, "" for the system's
	// temporary one.
	Dir string
	// Lenient lets the pull go on when the recording cannot, for one that is not
	// needed to load the slice.
	Lenient bool
	// ReadOn reads an answer to its end also when the pull gives it up, so that it
	// can be archived. It is for sources that will not give the same answer again.
	ReadOn bool
}

// Recording keeps the answers of one pull on disk, compressed, without holding
// any of them in memory. It can be replayed and it can be archived.
type Recording struct {
	o         RecordingOptions
	spool     *spool // nil where there is none
	begun     int    // answers
	exchanges []Exchange
	broken    error // why answers could not be kept
	failed    error // that of it which ends the pull
	cut       error // which answers broke off; a pull may do without one
}

// NewRecording makes the folder. Remove it in the end.
func NewRecording(o RecordingOptions) (*Recording, error) {
	folder, err := newSpool(o.Dir)
	r := &Recording{o: o, spool: folder}
	if err != nil {
		err = fmt.Errorf("making a folder for the answers: %w", err)
		if !o.Lenient {
			return nil, err
		}
		r.broken = err
	}
	return r, nil
}

// Remove removes what was recorded.
func (r *Recording) Remove() {
	if r.spool != nil {
		r.spool.remove()
	}
}

// Whole says why the recording does not hold every answer to its end, nil when
// it does and there is one.
func (r *Recording) Whole() error {
	if err := r.kept(); err != nil {
		return err
	}
	return r.cut
}

// kept says why what was read to its end is not all here.
func (r *Recording) kept() error {
	if r.broken == nil && len(r.exchanges) == 0 {
		return errors.New("nothing was answered")
	}
	return r.broken
}

// Record is a Getter that passes every answer of live on and keeps a copy. It
// is for one pull at a time.
func (r *Recording) Record(live extract.Getter) extract.Getter { return &recorder{r, live} }

// Replay is a Getter that gives the recorded answers again.
func (r *Recording) Replay() *Replayer {
	return newReplayer(r.exchanges, func(_ context.Context, object string) (io.ReadCloser, error) {
		return r.open(object)
	})
}

func (r *Recording) open(object string) (*os.File, error) {
	return os.Open(filepath.Join(r.spool.dir, object)) //nolint:wrapcheck,gosec // names the file, which is the recording's own
}

// fail notes that the recording is not whole. It returns the error that the
// pull has to end with, nil if it may go on.
func (r *Recording) fail(err error) error {
	r.broken = errors.Join(r.broken, err)
	if r.o.Lenient {
		return nil
	}
	r.failed = errors.Join(r.failed, err)
	return err
}

// Failed says why the pull could not go on: an answer could not be written to the
// disk. It is nil while all could, and of a lenient recording.
func (r *Recording) Failed() error { return r.failed }

type recorder struct {
	into *Recording
	live extract.Getter
}

func (r *recorder) Get(ctx context.Context, q extract.Query) (*extract.Response, error) {
	resp, err := r.live.Get(ctx, q)
	if err != nil || r.into.broken != nil {
		return resp, err
	}
	x := exchange(r.into.begun, q, resp)
	r.into.begun++
	t, err := newTee(r.into, x, resp.Body)
	if err != nil {
		if err = r.into.fail(fmt.Errorf("keeping an answer: %w", err)); err != nil {
			_ = resp.Body.Close()
			return nil, err
		}
		return resp, nil
	}
	resp.Body = t
	return resp, nil
}

// tee copies what is read of body into the recording.
type tee struct {
	body io.ReadCloser
	into *Recording
	x    Exchange
	file *os.File
	zstd *zstd.Encoder
	// bodyHash sees the body, objectHash and objectBytes what goes into the file.
	bodyHash    hash.Hash
	objectHash  hash.Hash
	objectBytes counter
	ended       bool // the body was read to its end
	failed      bool // it cannot be read further, or not be kept
}

func newTee(into *Recording, x Exchange, body io.ReadCloser) (*tee, error) {
	f, err := os.OpenFile(filepath.Join(into.spool.dir, x.Object), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err //nolint:wrapcheck // names the file
	}
	t := &tee{body: body, into: into, x: x, file: f, bodyHash: sha256.New(), objectHash: sha256.New()}
	t.zstd, err = zstd.NewWriter(io.MultiWriter(f, t.objectHash, &t.objectBytes),
		zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("compressing: %w", err)
	}
	return t, nil
}

func (t *tee) Read(p []byte) (int, error) {
	n, err := t.body.Read(p)
	if n > 0 && t.into.broken == nil {
		t.bodyHash.Write(p[:n])
		t.x.Bytes += int64(n)
		if _, werr := t.zstd.Write(p[:n]); werr != nil {
			if werr = t.into.fail(fmt.Errorf("keeping an answer: %w", werr)); werr != nil {
				t.failed = true
				return 0, werr
			}
		}
	}
	t.ended = t.ended || errors.Is(err, io.EOF)
	t.failed = t.failed || err != nil && !t.ended
	return n, err //nolint:wrapcheck // the source's own error, classified already
}

// Close ends the entry. One that the pull did not read to its end makes the
// recording worthless, but is no error of the pull.
func (t *tee) Close() error {
	if t.into.o.ReadOn && !t.ended && !t.failed {
		_, _ = io.Copy(io.Discard, struct{ io.Reader }{t}) // Read keeps account
	}
	err := t.body.Close()
	zerr := errors.Join(t.zstd.Close(), t.file.Close())
	switch {
	case t.into.broken != nil:
	case zerr != nil:
		err = errors.Join(err, t.into.fail(fmt.Errorf("keeping an answer: %w", zerr)))
	case t.failed:
		t.into.cut = fmt.Errorf("answer %s broke off", t.x.Object)
	case !t.ended:
		t.into.broken = fmt.Errorf("answer %s was not read to its end", t.x.Object)
	default:
		t.x.SHA256 = hex.EncodeToString(t.bodyHash.Sum(nil))
		t.x.ObjectSHA256 = hex.EncodeToString(t.objectHash.Sum(nil))
		t.x.ObjectBytes = int64(t.objectBytes)
		t.into.exchanges = append(t.into.exchanges, t.x)
	}
	return err //nolint:wrapcheck // wrapped above where it is ours
}

// counter counts the bytes that it is given.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
