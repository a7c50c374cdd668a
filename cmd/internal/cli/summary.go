package cli

import (
	"fmt"

	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/etl/run"
	"github.com/meterhouse/meterhouse/schema"
)

// untriedShown is how many of the slices that had no turn are told apart.
const untriedShown = 5

// conclude says on stderr what a pass did and what to do about the rest, and
// gives the error that becomes the exit code.
func (a *App) conclude(r run.Report, interrupted bool) error {
	if len(r.Outcomes) == 0 {
		a.say("Nothing to do: all that was asked for is published, or cannot be pulled.")
		return nil
	}
	a.say("%s, in %s.", tally(r), short(r.Took))
	a.explainUntried(r, interrupted)
	switch {
	case interrupted:
		a.say("Interrupted. Every slice is either published whole or stands as it was before; no slice is half. " +
			"The same command goes on with what is missing.")
		return errIncomplete
	case !r.Complete():
		a.say("Readers still see the versions published before of the slices that failed or were refused. " +
			"`meterhouse status` lists them; the next sync tries them again.")
		return errIncomplete
	default:
		return nil
	}
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

// explainUntried says why slices had no turn, each reason once.
func (a *App) explainUntried(r run.Report, interrupted bool) {
	if interrupted {
		return
	}
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
		lo, hi := days[k][0], days[k][0]
		for _, d := range days[k] {
			lo, hi = min(lo, d), max(hi, d)
		}
		span := lo.String()
		if hi != lo {
			span += " to " + hi.String()
		}
		out = append(out, plural(len(days[k]), "slice")+" of "+k.source+" ("+span+"): "+k.reason.Explain())
	}
	return out
}
