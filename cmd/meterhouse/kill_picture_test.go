package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/schema"
)

// picture is what a warehouse holds at one moment.
type picture struct {
	ledger map[schema.Slice][]ledgerRow
	// seen are the digests of what the views show, by slice and load.
	seen map[schema.Slice]map[uint64]*content
	// stored counts the rows of the fact tables by load, pruned are the loads
	// that a prune has marked.
	stored map[uint64]uint64
	pruned map[uint64]bool
}

// content is a load in its fact table and in that of the product totals.
type content struct{ facts, totals string }

func (c *content) String() string {
	if c == nil || c.totals == "" {
		return c.facts
	}
	return c.facts + " and " + c.totals
}

type ledgerRow struct {
	load, seq, rows uint64
	started         time.Time // in whole seconds
	status          schema.Status
	hash, reason    string
	pruned          bool
}

// pictureSQL asks for all of it at once. It runs on old servers, too. The sums
// are those of digest.
const pictureSQL = `
SELECT 'usage' AS what, toString(any(source)) AS s, toString(any(feed)) AS f, toString(usage_date) AS d, toString(load_id) AS l,
	concat(toString(count()), ' rows ', toString(sum(n * n))) AS text
FROM (SELECT source, feed, usage_date, load_id,
	((((toUInt64(product_id) * 1000003 + toUInt64(metric_id)) * 1000003 + toUInt64(bundle_id)) * 1000003 + toUInt64(hwm_quantity)) * 1000003
		+ toUInt64(server_id)) * 1000003 + toUInt64(hwm_cores) AS n FROM license_usage)
GROUP BY source, feed, usage_date, load_id
UNION ALL
SELECT 'totals', toString(any(source)), toString(any(feed)), toString(usage_date), toString(load_id),
	concat(toString(count()), ' rows ', toString(sum(n * n)))
FROM (SELECT source, feed, usage_date, load_id,
	((toUInt64(product_id) * 1000003 + toUInt64(metric_id)) * 1000003 + toUInt64(bundle_id)) * 1000003 + toUInt64(ifNull(hwm_quantity, -1)) AS n
	FROM license_totals)
GROUP BY source, feed, usage_date, load_id
UNION ALL
SELECT 'metering', toString(any(source)), toString(any(feed)), toString(snapshot_date), toString(load_id),
	concat(toString(count()), ' rows ', toString(sum(last_activity IS NULL)), ' ',
		toString(sum(toInt64(round(ifNull(avg_usage_seconds, 0) * 100)))), ' ', toString(sum(length(binaries))))
FROM metering_details GROUP BY source, feed, snapshot_date, load_id
UNION ALL
SELECT 'stored', '', '', '', toString(load_id), toString(count()) FROM license_usage_versions GROUP BY load_id
UNION ALL
SELECT 'stored', '', '', '', toString(load_id), toString(count()) FROM metering_details_versions GROUP BY load_id
UNION ALL
SELECT 'pruned', '', '', '', toString(load_id), '' FROM pruned_loads
UNION ALL
SELECT 'ledger', CAST(source AS String), CAST(feed AS String), toString(day), toString(load_id),
	concat(toString(published_seq), '|', toString(rows), '|', CAST(status AS String), '|', toString(content_hash), '|',
		toString(toUnixTimestamp(started_at)), '|', reason)
FROM loads FINAL`

// takePicture asks the warehouse of a configuration, "" for the world's own.
func takePicture(t testing.TB, w *world, config string) picture {
	t.Helper()
	p := picture{
		ledger: map[schema.Slice][]ledgerRow{}, seen: map[schema.Slice]map[uint64]*content{},
		stored: map[uint64]uint64{}, pruned: map[uint64]bool{},
	}
	args := []string{"query", "--format", "TSV", pictureSQL}
	if config != "" {
		args = append(args, "--config", config)
	}
	for line := range strings.Lines(w.must(args...)) {
		cells := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		require.Len(t, cells, 6, line)
		p.add(t, cells)
	}
	for _, rows := range p.ledger { // in the end, for it takes all marks
		for i := range rows {
			rows[i].pruned = p.pruned[rows[i].load]
		}
	}
	return p
}

func (p picture) add(t testing.TB, cells []string) {
	t.Helper()
	what, text := cells[0], cells[5]
	load, err := strconv.ParseUint(cells[4], 10, 64)
	require.NoError(t, err)
	slice := schema.Slice{Source: cells[1], Feed: cells[2]}
	if cells[3] != "" {
		slice.Day, err = schema.ParseDay(cells[3])
		require.NoError(t, err)
	}
	number := func(text string) uint64 {
		n, err := strconv.ParseUint(text, 10, 64)
		require.NoError(t, err)
		return n
	}
	switch what {
	case "stored":
		p.stored[load] = number(text)
	case "pruned":
		p.pruned[load] = true
	case "ledger":
		f := strings.SplitN(text, "|", 6)
		p.ledger[slice] = append(p.ledger[slice], ledgerRow{
			load: load, seq: number(f[0]), rows: number(f[1]), status: schema.Status(f[2]), hash: f[3],
			started: time.Unix(int64(number(f[4])), 0), reason: f[5],
		})
	default:
		if p.seen[slice] == nil {
			p.seen[slice] = map[uint64]*content{}
		}
		if p.seen[slice][load] == nil {
			p.seen[slice][load] = &content{}
		}
		if what == "totals" {
			p.seen[slice][load].totals = text
		} else {
			p.seen[slice][load].facts = text
		}
	}
}

// slices are those that the ledger knows, in order.
func (p picture) slices() []schema.Slice {
	return slices.SortedFunc(maps.Keys(p.ledger), func(a, b schema.Slice) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Feed, b.Feed), cmp.Compare(a.Day, b.Day))
	})
}

// current is the row of the ledger that decides what readers see of a slice; its
// load is 0 where none does.
func (p picture) current(s schema.Slice) ledgerRow {
	var top ledgerRow
	for _, r := range p.ledger[s] {
		if r.seq > 0 && (r.seq > top.seq || r.seq == top.seq && r.load > top.load) {
			top = r
		}
	}
	return top
}

// content is the digest of what readers see of a slice.
func (p picture) content(s schema.Slice) string {
	if c := p.seen[s][p.current(s).load]; c != nil {
		return c.String()
	}
	return ""
}

// lastSince is the last word of the ledger on the slices that were pulled since
// began. A load that was refused again bears the number of the first time.
func (p picture) lastSince(began time.Time) map[schema.Slice]ledgerRow {
	last := map[schema.Slice]ledgerRow{}
	for s, rows := range p.ledger {
		for _, r := range rows {
			since := !schema.LoadTime(r.load).Before(began.Truncate(time.Millisecond)) ||
				r.status == schema.Refused && !r.started.Before(began.Truncate(time.Second))
			if since && cmp.Or(r.started.Compare(last[s].started), cmp.Compare(r.load, last[s].load)) > 0 {
				last[s] = r
			}
		}
	}
	return last
}

// orphans are the loads that have rows and no row in the ledger.
func (p picture) orphans() int {
	known := map[uint64]bool{}
	for _, rows := range p.ledger {
		for _, r := range rows {
			known[r.load] = true
		}
	}
	n := 0
	for load := range p.stored {
		if !known[load] {
			n++
		}
	}
	return n
}

// rows counts those of the ledger.
func (p picture) rows() int {
	n := 0
	for _, rows := range p.ledger {
		n += len(rows)
	}
	return n
}

// faults lists what must not be, whenever one looks, and counts the slices that
// were compared.
func (p picture) faults(a *answers) (compared int, faults []string) {
	wrong := func(s schema.Slice, format string, args ...any) {
		faults = append(faults, fmt.Sprintf("%s %s %s: ", s.Source, s.Feed, s.Day)+fmt.Sprintf(format, args...))
	}
	for s, seen := range p.seen {
		for load := range seen {
			if load != p.current(s).load {
				wrong(s, "readers see load %d, and the ledger names %d", load, p.current(s).load)
			}
		}
	}
	for _, s := range p.slices() {
		for _, r := range p.ledger[s] {
			// Whole are also those that an operator may yet publish.
			if (r.seq > 0 || r.status == schema.Refused) && !r.pruned && p.stored[r.load] != r.rows {
				wrong(s, "load %d (%s) has %d rows, and %d are stored", r.load, r.status, r.rows, p.stored[r.load])
			}
		}
		current := p.current(s)
		if current.load == 0 {
			continue
		}
		compared++
		digest := p.content(s)
		if current.pruned {
			wrong(s, "readers see load %d, which was pruned", current.load)
		}
		if current.rows == 0 && digest == "" {
			continue
		}
		if !strings.HasPrefix(digest, fmt.Sprintf("%d rows ", current.rows)) {
			wrong(s, "load %d has %d rows, and readers see %q", current.load, current.rows, digest)
		}
		if !a.said(s, digest) {
			wrong(s, "readers see %q, which the source never said", digest)
		}
		if other := a.named(s, current.hash, digest); other != "" {
			wrong(s, "the ledger names content %s of load %d for %q, and did for %q", current.hash, current.load, digest, other)
		}
	}
	return compared, faults
}
