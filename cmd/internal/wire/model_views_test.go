package wire_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/meterhouse/meterhouse/schema"
)

// askViews gives a line for every row of the readers' views of two sources, and of
// one moment of the past. %[1]s is the moment, %[2]s the sources.
const askViews = `
SELECT arrayStringConcat(arrayMap(x -> ifNull(x, '-'), line), ' ') FROM
(
    SELECT ['usage', feed, toString(usage_date), toString(load_id), toString(product_id), toString(hwm_quantity)] AS line
    FROM license_usage WHERE source IN (%[2]s)
    UNION ALL
    SELECT ['usage', feed, toString(snapshot_date), toString(load_id), device, toString(avg_usage_seconds)]
    FROM metering_details WHERE source IN (%[2]s)
    UNION ALL
    SELECT ['as of', feed, toString(usage_date), toString(load_id), toString(product_id), toString(hwm_quantity)]
    FROM license_usage_as_of(ts = '%[1]s') WHERE source IN (%[2]s)
    UNION ALL
    SELECT ['published', feed, toString(day), toString(load_id)] FROM published_loads WHERE source IN (%[2]s)
    UNION ALL
    SELECT ['rejects', toString(load_id), toString(count())] FROM rejected_rows WHERE source IN (%[2]s) GROUP BY load_id
    UNION ALL
    SELECT ['coverage', feed, toString(day), state, toString(rows), toString(rejects), toString(load_id), toString(attempts), last_status, toString(last_finished_at)]
    FROM coverage WHERE source IN (%[2]s)
    UNION ALL
    SELECT ['freshness', feed, toString(last_day), toString(published_at), toString(checked_at), last_status, toString(last_finished_at), toString(failures_since)]
    FROM freshness WHERE source IN (%[2]s)
    UNION ALL
    SELECT ['restated', feed, toString(day), status, toString(restated_at), toString(load_id), toString(earlier_load_id), toString(rows), toString(rows_delta), toString(rejects_delta)]
    FROM restatements WHERE source IN (%[2]s)
)
ORDER BY 1`

// views are those lines as the model has them.
func (m *model) views(moment time.Time) []string {
	var lines []string
	add := func(parts ...any) {
		line := fmt.Sprintln(parts...)
		lines = append(lines, line[:len(line)-1])
	}
	sources := map[string]bool{}
	for _, f := range m.feeds {
		if !sources[f.source] {
			sources[f.source] = true
			for _, s := range m.ofSource(f.source) {
				m.sliceLines(s, f.history, moment, add)
			}
		}
		m.feedLines(f, add)
	}
	slices.Sort(lines)
	return lines
}

// sliceLines are what the views show of one slice.
func (m *model) sliceLines(s schema.Slice, history bool, moment time.Time, add func(...any)) {
	slice := m.slices[s]
	rows := func(name string, v *version) {
		if v == nil || v.pruned {
			return
		}
		for key, quantity := range v.says.rows {
			add(name, s.Feed, s.Day, v.id, key, quantity)
		}
	}
	rows("usage", slice.now)
	if history {
		rows("as of", slice.seen(moment))
	}
	if slice.now != nil {
		add("published", s.Feed, s.Day, slice.now.id)
	}
	for id, v := range slice.loads {
		if v.says.rejects > 0 && !v.pruned {
			add("rejects", id, v.says.rejects)
		}
	}
	var before *version
	for _, e := range slice.events {
		if e.version == nil {
			continue
		}
		if before != nil && !(contents{rows: before.says.rows}).equal(contents{rows: e.version.says.rows}) {
			add("restated", s.Feed, s.Day, e.status, stamp(e.at), e.version.id, before.id, len(e.version.says.rows),
				len(e.version.says.rows)-len(before.says.rows), e.version.says.rejects-before.says.rejects)
		}
		before = e.version
	}
}

// feedLines are what coverage and freshness show of a feed.
func (m *model) feedLines(f modelFeed, add func(...any)) {
	known := slices.DeleteFunc(m.ofSource(f.source), func(s schema.Slice) bool { return s.Feed != f.feed })
	if len(known) == 0 {
		return
	}
	var all []event
	lastDay, published, checked := "-", "-", time.Time{}
	for day := known[0].Day; day <= known[len(known)-1].Day; day++ {
		slice := m.slice(f.slice(day))
		all = append(all, slice.events...)
		n := len(slice.events)
		if n == 0 {
			add("coverage", f.feed, day, "missing", 0, 0, 0, 0, "", "-")
			continue
		}
		last := slice.events[n-1]
		state, rows, rejects, load := string(last.status), 0, 0, uint64(0)
		if slice.now != nil {
			state, rows, rejects, load = "published", len(slice.now.says.rows), slice.now.says.rejects, slice.now.id
			lastDay = day.String()
		}
		loads := map[uint64]bool{}
		for _, e := range slice.events {
			loads[e.load] = true
			if e.version != nil {
				published = max(published, stamp(e.at))
			}
			if (e.version != nil || e.status == schema.Unchanged) && e.at.After(checked) {
				checked = e.at
			}
		}
		add("coverage", f.feed, day, state, rows, rejects, load, len(loads), last.status, stamp(last.at))
	}
	last, failures := all[0], map[uint64]bool{}
	for _, e := range all {
		if e.at.After(last.at) || e.at.Equal(last.at) && e.load > last.load {
			last = e
		}
		if e.at.After(checked) && (e.status == schema.Failed || e.status == schema.Refused) {
			failures[e.load] = true
		}
	}
	checkedAt := "-"
	if !checked.IsZero() {
		checkedAt = stamp(checked)
	}
	add("freshness", f.feed, lastDay, published, checkedAt, last.status, stamp(last.at), len(failures))
}

// stamp is how the warehouse writes a moment.
func stamp(t time.Time) string { return t.UTC().Format(time.DateTime) }
