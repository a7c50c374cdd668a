package schema

import (
	"database/sql"
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"time"

	"github.com/zeebo/xxh3"
)

// ContentHash is an order-independent 128-bit hash of a load's rows: the sum
// of the rows' hashes. Two loads with the same hash say the same, in whatever
// order the source listed the rows. The zero value is ready to use.
type ContentHash struct {
	hi, lo uint64
	buf    []byte
}

// NoContent is the hash of a load that never had any content to hash.
const NoContent = "00000000000000000000000000000000"

// LicenseUsage adds one row.
func (h *ContentHash) LicenseUsage(r *LicenseUsage) {
	b := h.buf[:0]
	b = appendInts(b, r.ProductID, int64(r.MetricID), r.BundleID, r.ServerID, r.HWMQuantity, r.HWMCores)
	for _, s := range [...]string{
		r.ProductName, r.ProductFamilyGUID, r.MetricCodeName, r.BundleName, r.BundleGUID,
		r.Server.Name, r.Server.SerialNumber, r.Server.Vendor, r.Server.Model,
	} {
		b = appendString(b, s)
	}
	for _, n := range [...]sql.Null[int32]{
		r.Server.Type, r.Server.TotalProcessors, r.Server.Cores, r.Server.PVUPerCore, r.Server.ActiveComputers,
	} {
		b = appendNull(b, n.Valid, uint64(n.V)) //nolint:gosec // bits, not a quantity
	}
	h.add(b)
}

// LicenseTotal adds one row. It begins with a word of its own, so that no total
// can stand for a row of usage.
func (h *ContentHash) LicenseTotal(r *LicenseTotal) {
	b := appendString(h.buf[:0], "license_total")
	b = appendInts(b, r.ProductID, int64(r.MetricID), r.BundleID, r.FlexID)
	for _, s := range [...]string{
		r.PublisherName, r.ProductName, r.ProductFamilyGUID, r.MetricName, r.MetricCodeName,
		r.BundleName, r.BundleGUID, r.BundleType, r.HWMPeakTime,
	} {
		b = appendString(b, s)
	}
	for _, n := range [...]sql.Null[int64]{r.RatioFactor, r.RatioDivider, r.HWMQuantity} {
		b = appendNull(b, n.Valid, uint64(n.V)) //nolint:gosec // bits, not a quantity
	}
	h.add(b)
}

// MeteringDetail adds one row. Its ordinal is left out: portals do not promise
// an order.
func (h *ContentHash) MeteringDetail(r *MeteringDetail) {
	b := appendString(h.buf[:0], r.Device)
	b = appendString(b, r.Entity)
	b = appendNull(b, r.AvgUsageSeconds.Valid, math.Float64bits(r.AvgUsageSeconds.V))
	b = appendNull(b, r.AvgExecutions.Valid, math.Float64bits(r.AvgExecutions.V))
	b = appendTime(b, r.FirstSeen)
	b = appendTime(b, r.LastActivity)
	b = appendInts(b, int64(len(r.Binaries)))
	for i, name := range r.Binaries {
		used := r.BinariesUsed[i]
		b = appendString(b, name)
		b = appendNull(b, used.Valid, boolBit(used.V))
	}
	b = appendString(b, r.Extra)
	h.add(b)
}

// String writes the hash as 32 hex digits.
func (h *ContentHash) String() string { return fmt.Sprintf("%016x%016x", h.hi, h.lo) }

func (h *ContentHash) add(row []byte) {
	h.buf = row
	sum := xxh3.Hash128(row)
	var carry uint64
	h.lo, carry = bits.Add64(h.lo, sum.Lo, 0)
	h.hi, _ = bits.Add64(h.hi, sum.Hi, carry)
}

func appendInts(b []byte, vs ...int64) []byte {
	for _, v := range vs {
		b = binary.LittleEndian.AppendUint64(b, uint64(v)) //nolint:gosec // bits, not a quantity
	}
	return b
}

func appendString(b []byte, s string) []byte {
	return append(appendInts(b, int64(len(s))), s...)
}

func appendNull(b []byte, valid bool, v uint64) []byte {
	if !valid {
		return append(b, 0)
	}
	return binary.LittleEndian.AppendUint64(append(b, 1), v)
}

func appendTime(b []byte, t sql.Null[time.Time]) []byte {
	return appendNull(b, t.Valid, uint64(t.V.Unix())) //nolint:gosec // bits, not a quantity
}

func boolBit(v bool) uint64 {
	if v {
		return 1
	}
	return 0
}
