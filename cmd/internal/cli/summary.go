package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/etl/run"
	"github.com/meterhouse/meterhouse/schema"
)

// untriedShown is how many of the reasons for slices that had no turn are told.
const untriedShown = 5

// conclude says on stderr what a pass did and what to do about the rest, and
// gives the error that becomes the exit code.
func (a *App) conclude(r run.Report, interrupted bool) error {
	if len(r.Outcomes) == 0 {
		a.say("Nothing to do.")
		return nil
	}
	a.say("%s, in %s.", tally(r), short(r.Took))
	switch {
	case r.Complete():
		return nil
	case interrupted:
		a.say("Interrupted. No slice is half published: each is there whole, or as it was before.")
		for _, line := range doneAndNot(r) {
			a.say("  %s", line)
		}
		a.say("The same command goes on with what is missing.")
	default:
		a.explainUntried(r)
		a.say("Of the slices that are not published now, readers see what they saw before. " +
			"The same command tries them again; `meterhouse status` shows each feed's last error.")
	}
	return errIncomplete
}

// tally counts what became of the slices of a pass.
func tally(r run.Report) string {
	s := plural(r.Count(schema.Published), "slice") + " published (" + count(r.Rows()) + " rows)"
	for _, x := range []struct {
		n    int
		what string
	}{
		{r.Count(schema.Unchanged), "unchanged"},
		{r.Count(schema.Refused), "refused"},
		{r.Count(schema.Failed), "failed"},
		{r.Untried(), "not tried"},
	} {
		if x.n > 0 {
			s += fmt.Sprintf(", %d %s", x.n, x.what)
		}
	}
	return s
}

// doneAndNot says per source which days are published and which are not.
func doneAndNot(r run.Report) []string {
	var order []string
	done, not := map[string][]schema.Day{}, map[string][]schema.Day{}
	for _, o := range r.Outcomes {
		order = appendNew(order, o.Item.Source)
		if o.Done() {
			done[o.Item.Source] = append(done[o.Item.Source], o.Item.Day)
		} else {
			not[o.Item.Source] = append(not[o.Item.Source], o.Item.Day)
		}
	}
	out := make([]string, len(order))
	for i, source := range order {
		out[i] = fmt.Sprintf("%s: published %s; not published %s", source, dayRanges(done[source]), dayRanges(not[source]))
	}
	return out
}

// explainUntried says why slices had no turn, each reason once.
func (a *App) explainUntried(r run.Report) {
	var reasons []string
	for _, o := range r.Outcomes {
		if !o.Tried {
			reasons = appendNew(reasons, o.Item.Source+": "+o.Err.Error())
		}
	}
	for i, reason := range reasons {
		if i == untriedShown {
			a.say("... and %d more reasons", len(reasons)-i)
			break
		}
		a.say("%s", reason)
	}
}

// skipReasons sums up what a plan leaves out, by source and reason.
func skipReasons(p plan.Plan) []string {
	type key struct {
		source string
		reason plan.Reason
	}
	var order []key
	days := map[key][]schema.Day{}
	for _, i := range p.Skip {
		k := key{i.Source, i.Reason}
		if days[k] == nil {
			order = append(order, k)
		}
		days[k] = append(days[k], i.Day)
	}
	var out []string
	for _, k := range order {
		out = append(out, fmt.Sprintf("%s of %s (%s): %s", plural(len(days[k]), "slice"), k.source, dayRanges(days[k]), k.reason.Explain()))
	}
	return out
}

// rangesShown is how many ranges of days a sentence takes.
const rangesShown = 5

// dayRanges writes days as ranges: "2026-11-01 to 2026-11-05, 2026-11-07".
func dayRanges(days []schema.Day) string {
	if len(days) == 0 {
		return "none"
	}
	days = slices.Compact(slices.Sorted(slices.Values(days)))
	var parts []string
	for i := 0; i < len(days); {
		last := i
		for last+1 < len(days) && days[last+1] == days[last]+1 {
			last++
		}
		part := days[i].String()
		if last > i {
			part += " to " + days[last].String()
		}
		parts = append(parts, part)
		i = last + 1
	}
	if len(parts) > rangesShown {
		parts = append(parts[:rangesShown], fmt.Sprintf("... up to %s", days[len(days)-1]))
	}
	return strings.Join(parts, ", ")
}
