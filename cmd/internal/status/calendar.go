package status

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/meterhouse/meterhouse/schema"
)

// sheet is one calendar: of a feed, or of several feeds of a source, day by day
// the mark of the one that most needs a look.
type sheet struct {
	title string
	feeds []*Feed
	// from is the first day that is drawn; earlier ones are left out.
	from schema.Day
}

// draw writes the title, a line per month, and a legend of the marks in view.
// With several feeds the numbers count slices, several to a day.
func (s sheet) draw(pen pen) string {
	var b strings.Builder
	b.WriteString(pen.paint(bold, text.Snip(clean(s.title), Width, "...")) + "\n")
	months := s.months()
	if len(months) == 0 {
		b.WriteString("  no days in this range\n")
		return b.String()
	}
	counted := "days published"
	if len(s.feeds) > 1 {
		counted = "slices published"
	}
	b.WriteString("          1     6     11    16    21    26        " + counted + "\n")
	var all tally
	digits, numbered := 0, false
	for _, m := range months {
		all.add(m.tally)
		digits = max(digits, len(m.tally.fraction(0)))
		numbered = numbered || slices.ContainsFunc(m.cells[:], cell.numbered)
	}
	for _, m := range months {
		b.WriteString(m.line(pen, digits))
	}
	b.WriteString("\n" + all.legend(pen, numbered))
	return b.String()
}

// month is a line of a calendar.
type month struct {
	first schema.Day // of the month
	cells [31]cell
	days  int
	tally tally
}

// cell is one day of the feeds of a sheet.
type cell struct {
	worst          mark
	slices, unseen int // that are due, and of which readers see nothing
}

func (c *cell) add(m mark) {
	c.worst = max(c.worst, m)
	if m.due() {
		c.slices++
	}
	if m.due() && !m.seen() {
		c.unseen++
	}
}

// numbered reports whether readers see some of the feeds but not all: then the
// number of those that they do not see says more than a letter.
func (c cell) numbered() bool { return c.unseen > 0 && c.unseen < c.slices }

func (c cell) symbol() string {
	switch {
	case !c.numbered():
		return c.worst.symbol()
	case c.unseen > 9:
		return "+"
	default:
		return strconv.Itoa(c.unseen)
	}
}

// months are the lines from the first day in view to the last one that is due.
func (s sheet) months() []*month {
	byFirst := map[schema.Day]*month{}
	first, last := schema.Day(math.MaxInt32), schema.Day(0)
	for _, f := range s.feeds {
		for _, d := range f.Days {
			if d.Day < s.from {
				continue
			}
			at, mark := d.Day.UTC(), markOf(d)
			begin := d.Day - schema.Day(at.Day()) + 1 //nolint:gosec // 1 to 31
			m := byFirst[begin]
			if m == nil {
				m = newMonth(begin)
				byFirst[begin] = m
			}
			m.tally[mark]++
			m.cells[at.Day()-1].add(mark)
			first = min(first, begin)
			if mark.due() {
				last = max(last, begin)
			}
		}
	}
	var months []*month
	for begin := first; len(byFirst) > 0 && begin <= max(first, last); {
		m := byFirst[begin]
		if m == nil { // nobody asked for it, between others
			m = newMonth(begin)
		}
		months = append(months, m)
		begin += schema.Day(m.days) //nolint:gosec // 28 to 31
	}
	return months
}

func newMonth(first schema.Day) *month {
	at := first.UTC()
	return &month{first: first, days: time.Date(at.Year(), at.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()}
}

// groups of days have a space between them, so that the eye finds the date.
const groups = 5

// line draws the month: its days, how many slices readers see, and what the rest is.
func (m *month) line(pen pen, digits int) string {
	var b strings.Builder
	b.WriteString(m.first.UTC().Format("2006-01") + "   ")
	for i := 0; i < len(m.cells); {
		if i > 0 && i%groups == 0 && i < 30 {
			b.WriteByte(' ')
		}
		c, run := m.cells[i].worst.colour(), m.cells[i].symbol()
		for i++; i < len(m.cells) && (i%groups != 0 || i == 30) && m.cells[i].worst.colour() == c; i++ {
			run += m.cells[i].symbol()
		}
		b.WriteString(pen.paint(c, run))
	}
	const column = len("2006-01   ") + 31 + 5 + len("  ") // where the numbers begin
	fraction := m.tally.fraction(digits)
	b.WriteString("  " + fraction)
	if notes := m.tally.notes(pen, restated, Width-column-len(fraction)-2); notes != "" {
		b.WriteString("  " + notes)
	}
	return strings.TrimRight(b.String(), " ") + "\n"
}

// tally counts slices by mark.
type tally [marks]int

func (t *tally) add(u tally) {
	for m, n := range u {
		t[m] += n
	}
}

// due and seen count the slices that readers should see, and do.
func (t tally) due() (due, seen int) {
	for m, n := range t {
		if mark(m).due() {
			due += n
		}
		if mark(m).seen() {
			seen += n
		}
	}
	return due, seen
}

// fraction writes "28 of 31", as wide as told.
func (t tally) fraction(width int) string {
	due, seen := t.due()
	if due == 0 {
		return ""
	}
	return fmt.Sprintf("%*s", width, fmt.Sprintf("%d of %d", seen, due))
}

// notes counts the marks from least on, worst first: in words where they fit,
// else by the symbols of the legend.
func (t tally) notes(pen pen, least mark, room int) string {
	var words, letters []string
	var colours []colour
	for m := refused; m >= least; m-- {
		if t[m] > 0 {
			words = append(words, fmt.Sprintf("%d %s", t[m], m.word()))
			letters = append(letters, fmt.Sprintf("%d%s", t[m], m.symbol()))
			colours = append(colours, m.colour())
		}
	}
	sep := ", "
	if len(strings.Join(words, sep)) > room {
		words, sep = letters, " "
	}
	for len(words) > 1 && len(strings.Join(words, sep)) > room {
		words = words[:len(words)-1]
	}
	for i := range words {
		words[i] = pen.paint(colours[i], words[i])
	}
	return strings.Join(words, sep)
}

// legend explains the characters that are in view, with their numbers.
func (t tally) legend(pen pen, numbered bool) string {
	const indent, gap = 10, 3
	var b strings.Builder
	at := 0
	item := func(c colour, symbol, words string) {
		width := len(symbol) + 1 + len(words)
		switch {
		case at == 0:
			b.WriteString(strings.Repeat(" ", indent))
			at = indent
		case at+gap+width > Width:
			b.WriteString("\n" + strings.Repeat(" ", indent))
			at = indent
		default:
			b.WriteString(strings.Repeat(" ", gap))
			at += gap
		}
		b.WriteString(pen.paint(c, symbol) + " " + words)
		at += width
	}
	for m := notYetDue; m < marks; m++ {
		if t[m] > 0 {
			item(m.colour(), m.symbol(), fmt.Sprintf("%d %s", t[m], m.word()))
		}
	}
	if numbered {
		item(plain, "1-9, +", "so many feeds are not published, the others are")
	}
	return b.String() + "\n"
}
