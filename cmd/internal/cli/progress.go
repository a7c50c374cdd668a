package cli

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/progress"
	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/term"

	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/etl/run"
	"github.com/meterhouse/meterhouse/schema"
)

// observer is a run.Observer with an end.
type observer interface {
	run.Observer
	// Say writes a sentence without disturbing what is drawn.
	Say(text string)
	Close()
}

// progress shows how a pass goes on: a bar per source on a terminal, a line
// per slice elsewhere.
func (a *App) progress() observer {
	if isTerminal(a.Stderr) {
		return newBars(a.Stderr)
	}
	return &lines{out: a.Stderr}
}

// lines writes one line per finished slice.
type lines struct {
	mu    sync.Mutex
	out   io.Writer
	total int
	ended int
}

func (l *lines) Planned(items []plan.Item) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total = len(items)
	l.ended = 0
}

func (l *lines) Rows(plan.Item, uint64) {}

func (l *lines) Note(i plan.Item, text string) { l.Say(noteLine(i, text)) }

func (l *lines) Say(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintln(l.out, text)
}

func noteLine(i plan.Item, text string) string {
	return "note: " + i.Source + " " + i.Feed + ": " + text
}

func (l *lines) Finished(o run.Outcome) {
	if !o.Tried {
		return // the summary counts them
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended++
	fmt.Fprintf(l.out, "[%d/%d] %s\n", l.ended, l.total, describe(o))
}

func (l *lines) Close() {}

// describe is the line of one slice.
func describe(o run.Outcome) string {
	s := fmt.Sprintf("%s %s %s: %s", o.Item.Day, o.Item.Source, o.Item.Feed, o.Load.Status)
	switch {
	case o.Err != nil:
		return s + ": " + o.Err.Error()
	case o.Load.Status == schema.Unchanged:
		return s + fmt.Sprintf(", %s rows compared in %s", count(o.Load.Rows), short(o.Took))
	default:
		s += fmt.Sprintf(", %s rows in %s", count(o.Load.Rows), short(o.Took))
		if o.Load.Rejects > 0 {
			s += fmt.Sprintf(", %s rejected", count(o.Load.Rejects))
		}
		if o.Load.PreviousLoadID != 0 {
			s += ", replaces an earlier version"
		}
		if alert := o.Alert(); alert != "" {
			s += "; beyond restatements.alert_above: " + alert
		}
		return s
	}
}

// bars draws one bar per source; its length is slices, its words rows.
type bars struct {
	writer progress.Writer
	length int // of a message
	done   chan struct{}
	mu     sync.Mutex
	source map[string]*bar
}

type bar struct {
	tracker *progress.Tracker
	began   time.Time
	rows    uint64
}

func newBars(out io.Writer) *bars {
	w := progress.NewWriter()
	w.SetOutputWriter(out)
	w.SetAutoStop(false)
	// The library writes " ... 100.00% [bar] [1,234 slices in 12m34s; ~ETA: 56m]"
	// behind the message; a line that wraps could not be drawn over again.
	width := terminalWidth(out)
	w.SetTerminalWidth(width)
	length := min(52, max(16, width-62))
	w.SetMessageLength(length)
	w.SetTrackerLength(min(20, max(4, width-110)))
	w.SetTrackerPosition(progress.PositionRight)
	w.SetUpdateFrequency(200 * time.Millisecond)
	w.Style().Visibility.TrackerOverall = false
	w.Style().Visibility.Time = true
	w.Style().Visibility.ETA = true
	w.Style().Visibility.Value = true
	w.Style().Options.TimeInProgressPrecision = time.Second
	b := &bars{writer: w, length: length, done: make(chan struct{}), source: map[string]*bar{}}
	go func() { defer close(b.done); w.Render() }()
	return b
}

// defaultWidth is assumed of terminals that do not tell theirs.
const defaultWidth = 80

func terminalWidth(out io.Writer) int {
	if f, ok := out.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return defaultWidth
}

func (b *bars) Planned(items []plan.Item) {
	b.mu.Lock()
	defer b.mu.Unlock()
	totals := map[string]int64{}
	for _, i := range items {
		totals[i.Source]++
	}
	for _, i := range items { // in the plan's order
		if b.source[i.Source] != nil {
			continue
		}
		t := &progress.Tracker{
			Message: i.Source, Total: totals[i.Source],
			Units: progress.Units{Notation: " slices", NotationPosition: progress.UnitsNotationPositionAfter, Formatter: progress.FormatNumber},
		}
		b.source[i.Source] = &bar{tracker: t, began: time.Now()}
		b.writer.AppendTracker(t)
	}
}

func (b *bars) Rows(i plan.Item, n uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.source[i.Source]
	s.rows += n
	perSecond := float64(s.rows) / max(time.Since(s.began).Seconds(), 0.001)
	rows, rate := count(s.rows)+" rows", count(uint64(perSecond))+"/s, "
	s.tracker.UpdateMessage(fitting(b.length, i.Source+"  "+rate+rows, i.Source+"  "+rows, i.Source))
}

// fitting is the first of texts that is not longer than length, else the last: a
// number that is cut would pass for another.
func fitting(length int, texts ...string) string {
	for _, t := range texts {
		if utf8.RuneCountInString(t) <= length {
			return t
		}
	}
	return texts[len(texts)-1]
}

func (b *bars) Note(i plan.Item, text string) { b.Say(noteLine(i, text)) }

func (b *bars) Say(text string) { b.writer.Log("%s", text) }

func (b *bars) Finished(o run.Outcome) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !o.Tried {
		return // the summary counts them
	}
	switch {
	case o.Err != nil:
		b.writer.Log("%s", text.FgRed.Sprint(describe(o)))
	case o.Alert() != "":
		b.writer.Log("%s", text.FgYellow.Sprint(describe(o)))
	}
	b.source[o.Item.Source].tracker.Increment(1)
}

func (b *bars) Close() {
	b.writer.Stop()
	<-b.done
}

// count writes a number with thousands separators.
func count(n uint64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// short writes a duration as a person reads it.
func short(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return d.Round(time.Second).String()
}
