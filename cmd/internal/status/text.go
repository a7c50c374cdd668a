package status

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/meterhouse/meterhouse/schema"
)

// Width is how many columns a line takes at most, commands to copy apart.
const Width = 80

// Look says how a status is shown.
type Look struct {
	Colours bool // the text goes to a terminal that shows colours
	ByFeed  bool // a calendar for each feed, not one for each source
	AllDays bool // the calendars show all days, not the last twelve months
}

// Text is the status for people: whether everything is there, a line per feed,
// the calendars, the days to look at, and what to type about them.
func Text(feeds []*Feed, look Look) string {
	var b strings.Builder
	pen := pen{look.Colours}
	sources := bySource(feeds)
	b.WriteString(verdict(feeds, pen) + "\n")
	writeFeeds(&b, sources, pen)
	for _, source := range sources {
		for _, s := range sheets(source, look) {
			b.WriteString("\n" + s.draw(pen))
		}
		if l := list(source, pen); l != "" {
			b.WriteString("\n" + pen.paint(bold, text.Snip(clean(source[0].Source)+", days to look at", Width, "...")) + "\n" + l)
		}
		for _, f := range source {
			if len(f.Hosts) > 1 {
				b.WriteString("\n" + strings.Join(wrap(clean(fmt.Sprintf("%s %s: loaded by several machines, of which one is enough: %s",
					f.Source, f.Feed, strings.Join(f.Hosts, ", "))), Width), "\n") + "\n")
			}
		}
	}
	writeAdvice(&b, feeds)
	return b.String()
}

// bySource groups feeds, which come source by source.
func bySource(feeds []*Feed) [][]*Feed {
	var out [][]*Feed
	for _, f := range feeds {
		if n := len(out); n > 0 && out[n-1][0].Source == f.Source {
			out[n-1] = append(out[n-1], f)
			continue
		}
		out = append(out, []*Feed{f})
	}
	return out
}

// sheets are the calendars of one source.
func sheets(source []*Feed, look Look) []sheet {
	if look.ByFeed || len(source) == 1 {
		out := make([]sheet, len(source))
		for i, f := range source {
			out[i] = newSheet(f.Source+" "+f.Feed, []*Feed{f}, look)
		}
		return out
	}
	return []sheet{newSheet(fmt.Sprintf("%s, %d feeds", source[0].Source, len(source)), source, look)}
}

func newSheet(title string, feeds []*Feed, look Look) sheet {
	s := sheet{title: title + ", days of " + feeds[0].TimeZone, feeds: feeds}
	if look.AllDays {
		return s
	}
	for _, f := range feeds {
		s.from = max(s.from, twelveMonths(f.To))
	}
	if slices.ContainsFunc(feeds, func(f *Feed) bool { return len(f.Days) > 0 && f.Days[0].Day < s.from }) {
		s.title += ", the last twelve months"
	}
	return s
}

// twelveMonths is the first day of the twelve months that end with the month of last.
func twelveMonths(last schema.Day) schema.Day {
	at := last.UTC()
	return max(0, schema.DayOf(at.AddDate(0, -11, 1-at.Day()), at.Location()))
}

// manyFeeds is how many feeds of a source have a line of their own; of more, those
// that are alike share one.
const manyFeeds = 10

// nameWidth is how wide the names in the table of the feeds are.
const nameWidth = 30

// writeFeeds is the table of the feeds.
func writeFeeds(b *strings.Builder, sources [][]*Feed, pen pen) {
	b.WriteString(pen.paint(bold, fmt.Sprintf("%-*s %12s  %-10s  %s", nameWidth, "feed", "published", "newest", "not published")) + "\n")
	for _, source := range sources {
		if len(source) == 1 {
			writeFeed(b, clean(source[0].Source+" "+source[0].Feed), source, pen)
			continue
		}
		b.WriteString(text.Snip(clean(source[0].Source), Width, "...") + "\n")
		for _, alike := range alike(source) {
			name := clean(alike[0].Feed)
			if n := len(alike); n > 1 {
				name = fmt.Sprintf("%d feeds, together", n)
			}
			writeFeed(b, "  "+name, alike, pen)
		}
	}
}

// alike groups the feeds of a source that has many: those that are complete, and
// those whose counts of days and newest day are the same.
func alike(source []*Feed) [][]*Feed {
	var groups [][]*Feed
	at := map[string]int{}
	for i, f := range source {
		all := count(f)
		key := fmt.Sprint(all[outOfReach:], f.LastDay)
		if due, seen := all.due(); due == seen {
			key = "complete"
		}
		if len(source) <= manyFeeds {
			key = strconv.Itoa(i)
		}
		if _, ok := at[key]; !ok {
			at[key] = len(groups)
			groups = append(groups, nil)
		}
		groups[at[key]] = append(groups[at[key]], f)
	}
	return groups
}

// writeFeed is a line of the table. Of several feeds the newest day is the one
// that all of them have.
func writeFeed(b *strings.Builder, name string, feeds []*Feed, pen pen) {
	newest := "-"
	for _, f := range feeds {
		if f.LastDay != nil && (newest == "-" || f.LastDay.String() < newest) {
			newest = f.LastDay.String()
		}
	}
	all := count(feeds...)
	fmt.Fprintf(b, "%s %12s  %-10s  ", text.Pad(text.Snip(name, nameWidth, "..."), nameWidth, ' '), all.fraction(0), newest)
	const room = Width - nameWidth - 1 - 14 - 2 - 10 - 2
	b.WriteString(cmp.Or(all.notes(pen, outOfReach, room), "-") + "\n")
}

// writeAdvice says what to type about what is not published.
func writeAdvice(b *strings.Builder, feeds []*Feed) {
	var guarded *Day
	for _, f := range feeds {
		for i := range f.Days {
			if d := &f.Days[i]; d.Stopped() && d.Last.Status == schema.Refused && (guarded == nil || d.Day >= guarded.Day) {
				guarded = d
			}
		}
	}
	all := count(feeds...)
	if all[missing]+all[failed]+all[laterFailed] > 0 {
		b.WriteString("\nWhat the next sync pulls of the missing and failed days:\n  meterhouse plan\n")
	}
	if guarded != nil {
		slice := clean(fmt.Sprintf("--source %s --feed %s --day %s", guarded.Source, guarded.Feed, guarded.Day))
		b.WriteString("\nWhat a guard refused last, and how to publish it:\n")
		if guarded.Published != nil {
			b.WriteString("  meterhouse diff " + slice + " --refused\n")
		}
		b.WriteString("  meterhouse accept " + slice + " --note ...\n")
	}
	if all[outOfReach] > 0 {
		b.WriteString("\nWhether the archive has answers for days that are out of reach:\n" +
			"  meterhouse replay --from DAY --to DAY --dry-run\n")
	}
}

// count tallies the days of feeds.
func count(feeds ...*Feed) tally {
	var all tally
	for _, f := range feeds {
		for _, d := range f.Days {
			all[markOf(d)]++
		}
	}
	return all
}
