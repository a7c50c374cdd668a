package schema

import (
	"math/rand/v2"
	"time"
)

// NewLoadID makes an id that no other load has: 42 bits of unix milliseconds,
// so that ids sort by time, and 22 random bits, so that two processes that
// start a load in the same millisecond do not share one.
func NewLoadID(now time.Time) uint64 {
	return uint64(now.UnixMilli())<<22 | rand.Uint64N(1<<22) //nolint:gosec // uniqueness, not secrecy
}

// LoadTime is when NewLoadID made the id, UTC, by the clock of that machine.
func LoadTime(id uint64) time.Time { return time.UnixMilli(int64(id >> 22)).UTC() }
