package archive

import (
	"context"
	"errors"
	"io"
	"iter"
)

// store holds objects by key. The keys have slashes and no part that is empty,
// a dot or two.
type store interface {
	// put writes the object whole or not at all: whoever gets it afterwards, even
	// after a crash, gets all of it.
	put(ctx context.Context, key string, body io.ReadSeeker, size int64) error
	// get gives the object, or errAbsent.
	get(ctx context.Context, key string) (io.ReadCloser, error)
	// list gives the objects whose keys begin with prefix, "" or one that ends
	// with a slash. Those of one folder come together. What is not there is empty.
	list(ctx context.Context, prefix string) iter.Seq2[object, error]
	// remove removes the object, if it is there.
	remove(ctx context.Context, key string) error
}

type object struct {
	key  string
	size int64
}

var errAbsent = errors.New("it is not there")
