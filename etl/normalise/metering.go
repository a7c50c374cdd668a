package normalise

import (
	"time"

	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/schema"
)

// MeteringOptions say how a portal writes its values. Nothing public says how
// it does, so that everything that could be read two ways is an option.
type MeteringOptions struct {
	// Location is the portal's time zone, for dates that carry none; nil is UTC.
	Location *time.Location
	// DateLayout is the layout of the portal's dates in Go's notation
	// ("02/01/2006 15:04"), for forms that cannot be told apart by looking at
	// them; "" when there are none. Where it ends in a time of day, a date
	// without one is read too.
	DateLayout string
	// DecimalComma makes "1,5" one and a half, and a dot in text unreadable.
	DecimalComma bool
}

// Metering normalises the rows of one load from a nexthink source.
type Metering struct {
	options    MeteringOptions
	layouts    []string // of dates, the configured one first
	strings    *interner
	extra      extraFields
	unreadable uint64
}

// NewMetering makes a normaliser for one load.
func NewMetering(o MeteringOptions) *Metering {
	if o.Location == nil {
		o.Location = time.UTC
	}
	return &Metering{options: o, layouts: dateLayouts(o.DateLayout), strings: newInterner()}
}

// UnreadableDates counts the dates that were there but could not be read; they
// are NULL in their rows, and their text is in extra.
func (n *Metering) UnreadableDates() uint64 { return n.unreadable }

// Row overwrites row with what rec says; the lists of row are written over as
// well. It returns nil, or a *Reject when the row has to be left out; after an
// error row means nothing.
//
//   - The device must be there and is stored as given, blank included: portals
//     may show devices anonymously. A missing entity is "".
//   - Averages that are absent, null, blank, "-" or "N/A" are NULL, never 0;
//     what is negative or no number rejects the row.
//   - Dates that cannot be read are NULL, and extra holds the text under
//     first_seen or last_activity. Instants are kept to the second, in UTC.
//   - Binaries are read in every form described at binaryReader; what is not
//     understood of them is kept in extra under binaries.
//   - Unknown keys go to extra, a JSON object with sorted keys.
func (n *Metering) Row(rec *extract.Record, row *schema.MeteringDetail) error {
	f := fields{values: rec.Values, strings: n.strings}
	if device := rec.Values[extract.MeteringDevice]; device.Kind == extract.Absent || device.Kind == extract.Null {
		f.fail("device is %s", shown(device))
	}
	n.extra.reset(rec.Extra)
	binaries := binaryReader{strings: n.strings, names: row.Binaries[:0], used: row.BinariesUsed[:0]}
	if !binaries.read(rec.Values[extract.MeteringBinaries]) {
		n.extra.add("binaries", rec.Values[extract.MeteringBinaries])
	}
	*row = schema.MeteringDetail{
		Device:          f.text(extract.MeteringDevice, "device"),
		Entity:          f.text(extract.MeteringEntity, "entity"),
		AvgUsageSeconds: f.average(extract.MeteringAvgUsage, "avg_usage_seconds", n.options.DecimalComma),
		AvgExecutions:   f.average(extract.MeteringAvgExecutions, "avg_executions", n.options.DecimalComma),
		FirstSeen:       n.date(rec.Values[extract.MeteringFirstSeen], "first_seen"),
		LastActivity:    n.date(rec.Values[extract.MeteringLastActivity], "last_activity"),
		Binaries:        binaries.names,
		BinariesUsed:    binaries.used,
		Ordinal:         rec.Ordinal,
	}
	if f.reject != nil {
		return f.reject
	}
	if len(n.extra.fields) > 0 {
		row.Extra = n.strings.get(n.extra.object())
	}
	return nil
}
