package status

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/meterhouse/meterhouse/schema"
)

// Of a long list the first entries are shown, and of each the first feeds.
const (
	entriesShown = 12
	feedsShown   = 4
)

// entry is a run of days of which feeds have the same mark.
type entry struct {
	mark     mark
	from, to schema.Day
	feeds    []string
	reasons  []string // of the newest day, without repetitions
}

// list names the days that somebody should know of, newest first, with the feeds
// and the reason; "" when there are none. The feeds are those of one source.
func list(feeds []*Feed, pen pen) string {
	entries := entriesOf(feeds)
	var b strings.Builder
	for i, e := range entries {
		if i == entriesShown {
			fmt.Fprintf(&b, "  ... and %d more\n", len(entries)-i)
			break
		}
		e.write(&b, pen, len(feeds))
	}
	return b.String()
}

func entriesOf(feeds []*Feed) []*entry {
	type key struct {
		mark     mark
		from, to schema.Day
	}
	var entries []*entry
	byKey := map[key]*entry{}
	for _, f := range feeds {
		for i := 0; i < len(f.Days); {
			last, m := i, markOf(f.Days[i])
			for last+1 < len(f.Days) && f.Days[last+1].Day == f.Days[last].Day+1 && markOf(f.Days[last+1]) == m {
				last++
			}
			k := key{m, f.Days[i].Day, f.Days[last].Day}
			i = last + 1
			if !m.needsALook() {
				continue
			}
			e := byKey[k]
			if e == nil {
				e = &entry{mark: m, from: k.from, to: k.to}
				byKey[k] = e
				entries = append(entries, e)
			}
			e.feeds = append(e.feeds, clean(f.Feed))
			if why := reason(f.Days[last]); why != "" && !slices.Contains(e.reasons, why) {
				e.reasons = append(e.reasons, why)
			}
		}
	}
	slices.SortStableFunc(entries, func(a, b *entry) int {
		return cmp.Or(cmp.Compare(b.to, a.to), cmp.Compare(b.mark, a.mark))
	})
	return entries
}

// reason is what the ledger says of why a slice needs a look, on one line.
func reason(d Day) string {
	if d.Stopped() {
		return clean(d.Reason)
	}
	return clean(d.Partial)
}

// clean takes out what a terminal would act on: reasons may hold words of a source.
func clean(s string) string {
	printable := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
	return strings.Join(strings.Fields(printable), " ")
}

func (e *entry) write(b *strings.Builder, pen pen, of int) {
	days := e.to.String()
	if e.from != e.to {
		days = e.from.String() + " to " + days
	}
	head := fmt.Sprintf("  %-24s  ", days)
	words := e.mark.word()
	if of > 1 {
		words += ": " + e.who(of)
	}
	lines := wrap(words, Width-len(head)-2)
	b.WriteString(head + pen.paint(e.mark.colour(), e.mark.symbol()) + " " + strings.Join(lines, "\n"+strings.Repeat(" ", len(head)+2)) + "\n")
	if len(e.reasons) == 0 {
		return
	}
	why := e.reasons[0]
	if n := len(e.reasons) - 1; n > 0 {
		why += fmt.Sprintf(" (and %d other reasons)", n)
	}
	const indent = "      "
	for _, line := range wrap(why, Width-len(indent)) {
		b.WriteString(indent + line + "\n")
	}
}

// who names the feeds of an entry, out of so many.
func (e *entry) who(of int) string {
	if len(e.feeds) == of {
		return fmt.Sprintf("all %d feeds", of)
	}
	names := strings.Join(e.feeds[:min(feedsShown, len(e.feeds))], ", ")
	if n := len(e.feeds) - feedsShown; n > 0 {
		names += fmt.Sprintf(" and %d more", n)
	}
	return names
}

func wrap(s string, width int) []string {
	lines := strings.Split(text.WrapSoft(s, width), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return lines
}

// verdict says in a sentence whether everything is there that should be.
func verdict(feeds []*Feed, pen pen) string {
	all := count(feeds...)
	due, seen := all.due()
	var gaps, doubts []string
	for m := refused; m >= partial; m-- {
		switch {
		case all[m] > 0 && m.seen():
			doubts = append(doubts, fmt.Sprintf("%d %s", all[m], m.word()))
		case all[m] > 0:
			gaps = append(gaps, fmt.Sprintf("%d %s", all[m], m.word()))
		}
	}
	var said string
	var c colour
	switch {
	case due == 0:
		said = "Nothing is due."
	case seen == due:
		said, c = fmt.Sprintf("Complete: %d of %d slices that are due are published.", seen, due), boldGreen
	case due-seen == all[outOfReach]:
		said, c = fmt.Sprintf("Nothing is left to pull: of %d slices that were due %d are published, and %s.", due, seen, strings.Join(gaps, ", ")), bold
	default:
		said, c = fmt.Sprintf("Not complete: %d of %d slices that are due are not published: %s.", due-seen, due, strings.Join(gaps, ", ")), boldRed
	}
	lines := wrap(said, Width)
	for i := range lines {
		lines[i] = pen.paint(c, lines[i])
	}
	if len(doubts) > 0 {
		lines = append(lines, wrap("Of those that are published: "+strings.Join(doubts, ", ")+".", Width)...)
	}
	return strings.Join(lines, "\n") + "\n"
}
