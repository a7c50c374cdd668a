package notify

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/meterhouse/meterhouse/etl/run"
	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/schema"
)

// A message is read on a phone: it has at most 10 lines, and says where there is
// more. These are the lines for each kind of news, and the length of a line.
const (
	restatedShown = 2 // of two lines each
	troubleShown  = 4
	longest       = 300 // characters
)

// Pass is what happened, as far as its message goes.
type Pass struct {
	Host string
	// Source is what was synced, "" for all sources.
	Source string
	Report run.Report
	// Err is why the pass could not begin, nil when it did.
	Err error
	// Resumed: the pass before this one could not begin.
	Resumed bool
}

// Message is what operators are told of a pass, "" when there is no news: nothing
// restated beyond the threshold, no slice that newly failed or was refused, and
// none that failed or was refused before and is published now. Failures that
// only repeat are told with the next news.
func Message(p Pass) string {
	who := "Meterhouse on " + p.Host
	if p.Source != "" {
		who += ", source " + p.Source
	}
	if p.Err != nil {
		return who + ": the pass could not begin\n" + cut(p.Err.Error()) + "\nmeterhouse check"
	}
	n := sift(p.Report)
	if !n.fresh && !p.Resumed {
		return ""
	}
	lines := []string{who + ": " + n.headline(p.Resumed)}
	lines = append(lines, n.restatedLines()...)
	lines = append(lines, n.troubleLines()...)
	if len(n.trouble) > 0 {
		lines = append(lines, "meterhouse status")
	}
	return strings.Join(lines, "\n")
}

// news are the outcomes of a pass by what an operator makes of them.
type news struct {
	restated  []run.Outcome // beyond the threshold
	trouble   []run.Outcome // failed or refused, newest day first
	recovered int
	untried   int
	fresh     bool // there is something that was not told before
}

func sift(r run.Report) news {
	var n news
	for _, o := range r.Outcomes {
		was := schema.Status("")
		if o.Item.Last != nil {
			was = o.Item.Last.Status
		}
		switch {
		case o.Interrupted():
		case !o.Tried && o.ErrorClass() != string(extract.NotReady):
			n.untried++
		case !o.Tried:
		case !o.Done():
			n.trouble = append(n.trouble, o)
			n.fresh = n.fresh || was != o.Load.Status
		default:
			if was == schema.Failed || was == schema.Refused {
				n.recovered++
				n.fresh = true
			}
			if o.Alert() != "" {
				n.restated = append(n.restated, o)
				n.fresh = true
			}
		}
	}
	newest := func(a, b run.Outcome) int { return cmp.Compare(b.Item.Day, a.Item.Day) }
	slices.SortStableFunc(n.restated, newest)
	slices.SortStableFunc(n.trouble, newest)
	return n
}

// headline counts, with what is bad first.
func (n news) headline(resumed bool) string {
	var parts []string
	for _, x := range []struct {
		n    int
		what string
	}{
		{n.count(schema.Failed), "failed"},
		{n.count(schema.Refused), "refused"},
		{n.untried, "not tried"},
		{len(n.restated), "restated beyond the threshold"},
		{n.recovered, "recovered"},
	} {
		if x.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", x.n, x.what))
		}
	}
	text := strings.Join(parts, ", ")
	if text != "" {
		text = "slices " + text
	}
	if resumed {
		text = strings.TrimPrefix(text+"; passes begin again", "; ")
	}
	return text
}

func (n news) count(s schema.Status) int {
	count := 0
	for _, o := range n.trouble {
		if o.Load.Status == s {
			count++
		}
	}
	return count
}

// restatedLines has two lines for each of the newest days. The second is a command
// to copy, so that nothing else stands in it.
func (n news) restatedLines() []string {
	var lines []string
	for i, o := range n.restated[:min(restatedShown, len(n.restated))] {
		line := cut(fmt.Sprintf("restated %s: %s", name(o.Item.Slice), o.Alert()))
		if more := len(n.restated) - restatedShown; more > 0 && i == restatedShown-1 {
			line += fmt.Sprintf(" (and %d more slices)", more)
		}
		lines = append(lines, line, fmt.Sprintf("meterhouse diff --source %s --feed %s --day %s", o.Item.Source, o.Item.Feed, o.Item.Day))
	}
	return lines
}

// troubleLines has a line per source and status, with the newest day's reason.
func (n news) troubleLines() []string {
	type kind struct {
		source string
		status schema.Status
	}
	var order []kind
	count, newest := map[kind]int{}, map[kind]run.Outcome{}
	for _, o := range n.trouble {
		k := kind{o.Item.Source, o.Load.Status}
		if count[k]++; count[k] == 1 {
			order, newest[k] = append(order, k), o
		}
	}
	var lines []string
	for i, k := range order {
		if i == troubleShown {
			lines[len(lines)-1] += fmt.Sprintf(" (and %d more sources)", len(order)-i)
			break
		}
		line := fmt.Sprintf("%s %s", k.status, name(newest[k].Item.Slice))
		if more := count[k] - 1; more > 0 {
			line += fmt.Sprintf(" and %d more", more)
		}
		lines = append(lines, cut(line+": "+newest[k].Err.Error()))
	}
	return lines
}

func name(s schema.Slice) string { return fmt.Sprintf("%s %s %s", s.Source, s.Feed, s.Day) }

// cut keeps a line on one line, and short.
func cut(line string) string {
	text := []rune(strings.Join(strings.Fields(line), " "))
	if len(text) > longest {
		return string(text[:longest]) + "..."
	}
	return string(text)
}
