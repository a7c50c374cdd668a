package normalise

import (
	"hash/maphash"
	"strings"
	"unicode/utf8"
)

const (
	internPairs  = 1 << 14 // 512 KiB of string headers
	internLength = 256     // bytes; longer strings hardly repeat
)

// interner makes strings of bytes and hands out the same string again while it
// remembers it, so that the names of products, metrics or entities are
// allocated once and not once a row.
//
// It is not a map but a table with two places per hash: the string used last,
// and the one that it pushed aside. Memory therefore never grows, however many
// server or device names pass. A name that lost its place is allocated again
// when it returns, and names that come with every row never lose theirs.
type interner struct {
	seed  maphash.Seed
	pairs [][2]string
}

func newInterner() *interner {
	return &interner{seed: maphash.MakeSeed(), pairs: make([][2]string, internPairs)}
}

// get returns b as a string of valid UTF-8; anything else in it becomes U+FFFD,
// because clients of the warehouse stumble over it.
func (t *interner) get(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if len(b) > internLength {
		return validString(b)
	}
	pair := &t.pairs[maphash.Bytes(t.seed, b)%internPairs]
	switch {
	case pair[0] == string(b):
	case pair[1] == string(b):
		pair[0], pair[1] = pair[1], pair[0]
	default:
		pair[0], pair[1] = validString(b), pair[0]
	}
	return pair[0]
}

func validString(b []byte) string {
	return strings.ToValidUTF8(string(b), string(utf8.RuneError))
}
