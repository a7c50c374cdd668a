package load

import (
	"database/sql"
	"fmt"
	"math"
	"time"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/meterhouse/meterhouse/schema"
)

// meteringColumns are the columns of metering_details_versions that differ from row to row.
type meteringColumns struct {
	device          proto.ColStr
	entity          *proto.ColLowCardinality[string]
	avgUsageSeconds *proto.ColNullable[float64]
	avgExecutions   *proto.ColNullable[float64]
	firstSeen       *proto.ColNullable[time.Time]
	lastActivity    *proto.ColNullable[time.Time]
	binaries        *proto.ColArr[string]
	binariesUsed    *proto.ColArr[proto.Nullable[uint8]]
	extra           proto.ColStr
	ordinal         proto.ColUInt64
	used            []proto.Nullable[uint8] // scratch
}

func newMeteringBlock(h *schema.LoadHeader) *block {
	c := &meteringColumns{
		entity:          dictionary(),
		avgUsageSeconds: proto.NewColNullable[float64](new(proto.ColFloat64)),
		avgExecutions:   proto.NewColNullable[float64](new(proto.ColFloat64)),
		firstSeen:       proto.NewColNullable[time.Time](utcTimes()),
		lastActivity:    proto.NewColNullable[time.Time](utcTimes()),
		binaries:        new(proto.ColStr).Array(),
		binariesUsed:    proto.NewColNullable[uint8](new(proto.ColUInt8)).Array(),
	}
	b := &block{table: schema.MeteringDetailsTable().Name, capacity: factRows, metering: c}
	constant(b, "load_id", new(proto.ColUInt64), h.LoadID)
	constant(b, "source", dictionary(), h.Source)
	constant(b, "feed", dictionary(), h.Feed)
	constant(b, "snapshot_date", new(proto.ColDate), h.Day.UTC())
	constant(b, "retrieved_at", utcTimes(), h.RetrievedAt)
	constant(b, "metric", dictionary(), h.Target.Metric)
	constant(b, "program", dictionary(), h.Target.Program)
	constant(b, "hierarchy", dictionary(), h.Target.Hierarchy)
	constant(b, "path", new(proto.ColStr).Array(), h.Target.Path)
	constant(b, "list", dictionary(), h.Target.List)
	constant(b, "window_days", new(proto.ColUInt16), h.Target.WindowDays)
	b.variable("device", &c.device)
	b.variable("entity", c.entity)
	b.variable("avg_usage_seconds", c.avgUsageSeconds)
	b.variable("avg_executions", c.avgExecutions)
	b.variable("first_seen", c.firstSeen)
	b.variable("last_activity", c.lastActivity)
	b.variable("binaries", c.binaries)
	b.variable("binaries_used", c.binariesUsed)
	constant(b, "format", dictionary(), h.Target.Format)
	b.variable("extra", &c.extra)
	b.variable("ordinal", &c.ordinal)
	return b
}

// append adds the whole row or, when it returns an error, nothing of it.
func (c *meteringColumns) append(r *schema.MeteringDetail) error {
	if len(r.BinariesUsed) != len(r.Binaries) {
		panic("BUG: a metering row does not say of every binary whether it was used")
	}
	for _, t := range []sql.Null[time.Time]{r.FirstSeen, r.LastActivity} {
		if s := t.V.Unix(); t.Valid && (s < 0 || s > math.MaxUint32) {
			return fmt.Errorf("%s: outside of what a DateTime can hold", t.V.UTC().Format(time.RFC3339))
		}
	}
	c.used = c.used[:0]
	for _, u := range r.BinariesUsed {
		n := proto.Nullable[uint8]{Set: u.Valid}
		if u.V {
			n.Value = 1
		}
		c.used = append(c.used, n)
	}
	c.device.Append(r.Device)
	c.entity.Append(r.Entity)
	c.avgUsageSeconds.Append(nullable(r.AvgUsageSeconds))
	c.avgExecutions.Append(nullable(r.AvgExecutions))
	c.firstSeen.Append(nullable(r.FirstSeen))
	c.lastActivity.Append(nullable(r.LastActivity))
	c.binaries.Append(r.Binaries)
	c.binariesUsed.Append(c.used)
	c.extra.Append(r.Extra)
	c.ordinal.Append(r.Ordinal)
	return nil
}
