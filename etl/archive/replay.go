package archive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/meterhouse/meterhouse/extract"
)

// Replayer is a Getter that gives recorded answers again: to the n-th request
// of a path the n-th answer of that path. What else the request asks for does
// not count, because it may be asked in another way by now.
//
// Everything is held against its hashes while it is read. Ask Done before the
// rows are believed.
type Replayer struct {
	exchanges []Exchange
	used      []bool
	asked     map[string]bool // paths
	open      func(ctx context.Context, object string) (io.ReadCloser, error)
	failed    error
}

func newReplayer(exchanges []Exchange, open func(context.Context, string) (io.ReadCloser, error)) *Replayer {
	return &Replayer{exchanges: exchanges, used: make([]bool, len(exchanges)), asked: map[string]bool{}, open: open}
}

// Get gives the next recorded answer of the path. Attempts of its Response is
// 0: the source was not asked.
func (r *Replayer) Get(ctx context.Context, q extract.Query) (*extract.Response, error) {
	r.asked[q.Path] = true
	for i, x := range r.exchanges {
		if r.used[i] || x.Path != q.Path {
			continue
		}
		r.used[i] = true
		object, err := r.open(ctx, x.Object)
		if err != nil {
			return nil, r.fail(x, err)
		}
		body, err := newVerified(x, object)
		if err != nil {
			return nil, r.fail(x, err)
		}
		return &extract.Response{Status: x.Status, Header: x.Header.Clone(), Body: &replayed{body, r, x}}, nil
	}
	return nil, replayError(fmt.Errorf("there is no further answer of %s: it was not asked for when this was recorded", q.Path))
}

// Done says why what was replayed cannot be believed: an object is not what it
// was, or answers of a path are left over that was asked, as further pages are
// when the settings of the source have changed.
func (r *Replayer) Done() error {
	if r.failed != nil {
		return r.failed
	}
	for i, x := range r.exchanges {
		if !r.used[i] && r.asked[x.Path] {
			return replayError(fmt.Errorf("the recorded answer %s of %s was not asked for: the pull was made in another way", x.Object, x.Path))
		}
	}
	return nil
}

func (r *Replayer) fail(x Exchange, err error) error {
	e := replayError(fmt.Errorf("object %s: %w", x.Object, err))
	if r.failed == nil {
		r.failed = e
	}
	return e
}

// replayError is of the class that is not tried again and never published.
func replayError(err error) error {
	return &extract.Error{Class: extract.BadAnswer, Doing: "reading recorded answers", Err: err}
}

// replayed is the body of a replayed answer.
type replayed struct {
	body *verified
	r    *Replayer
	x    Exchange
}

func (b *replayed) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = b.r.fail(b.x, err)
	}
	return n, err //nolint:wrapcheck // wrapped by fail
}

// Close reads what the pull left of the body: its hash counts all the same.
func (b *replayed) Close() error {
	if _, err := io.Copy(io.Discard, struct{ io.Reader }{b.body}); err != nil {
		_ = b.r.fail(b.x, err) // for Done
	}
	return b.body.Close()
}

// verified reads an object as the body that was put into it, and ends with an
// error instead of io.EOF when either is not what the manifest says.
type verified struct {
	zstd       *zstd.Decoder
	object     *faultKeeper
	x          Exchange
	bodyHash   hash.Hash
	objectHash hash.Hash
	ended      error // what further reads return
}

var errCorrupt = errors.New("it is corrupt")

func newVerified(x Exchange, object io.ReadCloser) (*verified, error) {
	v := &verified{object: &faultKeeper{ReadCloser: object}, x: x, bodyHash: sha256.New(), objectHash: sha256.New()}
	var err error
	v.zstd, err = zstd.NewReader(io.TeeReader(v.object, v.objectHash), zstd.WithDecoderConcurrency(1))
	if err != nil {
		_ = object.Close()
		return nil, fmt.Errorf("decompressing: %w", err)
	}
	return v, nil
}

func (v *verified) Read(p []byte) (int, error) {
	if v.ended != nil {
		return 0, v.ended
	}
	n, err := v.zstd.Read(p)
	v.bodyHash.Write(p[:n])
	switch {
	case err == nil:
		return n, nil
	case v.object.err != nil:
		v.ended = v.object.err // what there is of it may be in order
	case !errors.Is(err, io.EOF):
		v.ended = fmt.Errorf("%w: %w", errCorrupt, err)
	case hex.EncodeToString(v.objectHash.Sum(nil)) != v.x.ObjectSHA256:
		v.ended = fmt.Errorf("%w: its sha256 is not the one in the manifest", errCorrupt)
	case hex.EncodeToString(v.bodyHash.Sum(nil)) != v.x.SHA256:
		v.ended = fmt.Errorf("%w: the sha256 of its content is not the one in the manifest", errCorrupt)
	default:
		v.ended = io.EOF
	}
	return n, v.ended
}

func (v *verified) Close() error {
	v.zstd.Close()
	return v.object.Close() //nolint:wrapcheck // a reader's close
}

// faultKeeper remembers why its object could not be read further.
type faultKeeper struct {
	io.ReadCloser
	err error
}

func (k *faultKeeper) Read(p []byte) (int, error) {
	n, err := k.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		k.err = err
	}
	return n, err //nolint:wrapcheck // passed on
}
