package normalise

import (
	"hash/maphash"
	"strings"
	"unicode/utf8"
)

const (
	internSlots  = 1 << 15 // 512 KiB of string headers
	internLength = 256     // longer strings hardly repeat
)

// interner makes strings of bytes and hands out the same string again while it
// remembers it, so that the names of products, metrics or entities are
// allocated once and not once a row.
//
// It is a table with one place per hash, not a map: a new string takes the
// place of the one that was there. Memory therefore never grows, however many
// server or device names pass; a name that lost its place is allocated again
// when it returns, and names that come with every row win their place back at
// once.
type interner struct {
	seed  maphash.Seed
	slots []string
}

func newInterner() *interner {
	return &interner{seed: maphash.MakeSeed(), slots: make([]string, internSlots)}
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
	slot := &t.slots[maphash.Bytes(t.seed, b)%internSlots]
	if *slot != string(b) {
		*slot = validString(b)
	}
	return *slot
}

func validString(b []byte) string {
	return strings.ToValidUTF8(string(b), string(utf8.RuneError))
}
