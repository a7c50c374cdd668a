package load

import (
	"github.com/ClickHouse/ch-go/proto"

	"github.com/meterhouse/meterhouse/schema"
)

// rejectColumns are the columns of rejected_rows that differ from row to row.
type rejectColumns struct {
	ordinal proto.ColUInt64
	reason  proto.ColStr
	raw     proto.ColStr
}

func newRejectBlock(h *schema.LoadHeader) *block {
	c := &rejectColumns{}
	b := &block{table: "rejected_rows", capacity: rejectRows, reject: c}
	constant(b, "load_id", new(proto.ColUInt64), h.LoadID)
	constant(b, "source", dictionary(), h.Source)
	constant(b, "feed", dictionary(), h.Feed)
	constant(b, "day", new(proto.ColDate), h.Day.UTC())
	b.variable("ordinal", &c.ordinal)
	b.variable("reason", &c.reason)
	b.variable("raw", &c.raw)
	return b
}

func (c *rejectColumns) append(r schema.Reject) {
	c.ordinal.Append(r.Ordinal)
	c.reason.Append(r.Reason)
	c.raw.Append(r.Raw[:min(len(r.Raw), maxRaw)])
}
