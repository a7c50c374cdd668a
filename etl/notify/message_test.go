package notify_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/etl/notify"
	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/etl/run"
	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/schema"
)

// outcome is what became of a day of bfi group-5 whose last row was of status
// was, "" for none.
func outcome(t *testing.T, day string, status, was schema.Status, err error) run.Outcome {
	t.Helper()
	d, perr := schema.ParseDay(day)
	require.NoError(t, perr)
	s := schema.Slice{Source: "bfi", Feed: "group-5", Day: d}
	o := run.Outcome{Item: plan.Item{Slice: s}, Load: schema.Load{Slice: s, Status: status}, Tried: status != "", Err: err}
	if was != "" {
		o.Item.Last = &schema.Load{Slice: s, Status: was}
	}
	return o
}

func restated(t *testing.T, day string, changes ...run.Change) run.Outcome {
	t.Helper()
	o := outcome(t, day, schema.Published, schema.Published, nil)
	o.Restated = &run.Restatement{Beyond: changes}
	return o
}

func message(outcomes ...run.Outcome) string {
	return notify.Message(notify.Pass{Host: "host1", Source: "bfi", Report: run.Report{Outcomes: outcomes}})
}

var errDown = &extract.Error{Class: extract.Transient, Doing: "asking for license usage", Says: "bad\ngateway"}

func TestMessageTellsNews(t *testing.T) {
	t.Parallel()
	product := run.Change{What: "product 24 (IBM DB2), PVU_SUB_CAP", Earlier: 1200, Later: 900}
	require.Equal(t, strings.Join([]string{
		"Meterhouse on host1, source bfi: slices 2 failed, 1 refused, 1 not tried, 1 restated beyond the threshold, 1 recovered",
		"restated bfi group-5 2026-11-20: product 24 (IBM DB2), PVU_SUB_CAP: 1200 -> 900 (-25 %), and 1 more",
		"meterhouse diff --source bfi --feed group-5 --day 2026-11-20",
		"failed bfi group-5 2026-11-19 and 1 more: " + strings.ReplaceAll(errDown.Error(), "\n", " "),
		"refused bfi group-5 2026-11-17: no rows",
		"meterhouse status",
	}, "\n"), message(
		outcome(t, "2026-11-21", schema.Published, "", nil),
		restated(t, "2026-11-20", product, run.Change{What: "rows", Earlier: 1, Later: 2}),
		outcome(t, "2026-11-18", schema.Failed, schema.Failed, errDown),
		outcome(t, "2026-11-19", schema.Failed, "", errDown),
		outcome(t, "2026-11-17", schema.Refused, schema.Published, errors.New("no rows")),
		outcome(t, "2026-11-16", schema.Unchanged, schema.Failed, nil),
		outcome(t, "2026-11-15", "", "", errors.New("not tried")),
	))
}

func TestNoMessageWithoutNews(t *testing.T) {
	t.Parallel()
	f := func(told bool, outcomes ...run.Outcome) {
		t.Helper()
		require.Equal(t, told, message(outcomes...) != "", message(outcomes...))
	}
	f(false)
	f(false, outcome(t, "2026-11-20", schema.Published, "", nil))
	f(false, outcome(t, "2026-11-20", schema.Unchanged, schema.Published, nil))
	f(false, restated(t, "2026-11-20")) // within the threshold
	f(true, restated(t, "2026-11-20", run.Change{What: "rows", Later: 1}))

	// A failure that repeats was told; one that becomes a refusal was not, nor that it is over.
	f(true, outcome(t, "2026-11-20", schema.Failed, "", errDown))
	f(true, outcome(t, "2026-11-20", schema.Failed, schema.Published, errDown))
	f(false, outcome(t, "2026-11-20", schema.Failed, schema.Failed, errDown))
	f(true, outcome(t, "2026-11-20", schema.Refused, schema.Failed, errDown))
	f(true, outcome(t, "2026-11-20", schema.Published, schema.Refused, nil))

	// Nobody needs to be told of what they asked for, nor of a day that the source has not finished.
	f(false, outcome(t, "2026-11-20", schema.Failed, "", fmt.Errorf("given up: %w", context.Canceled)))
	f(false, outcome(t, "2026-11-20", "", "", fmt.Errorf("not tried: %w", context.Canceled)))
	f(false, outcome(t, "2026-11-20", "", "", &extract.Error{Class: extract.NotReady}))
}

func TestMessageOfAPassThatCouldNotBegin(t *testing.T) {
	t.Parallel()
	down := notify.Pass{Host: "h", Source: "bfi", Err: errors.New("reading the ledger:\n  refused")}
	require.Equal(t, "Meterhouse on h, source bfi: the pass could not begin\nreading the ledger: refused\nmeterhouse check", notify.Message(down))
	require.Equal(t, "Meterhouse on h: passes begin again", notify.Message(notify.Pass{Host: "h", Resumed: true}))
}

func TestMessageIsShort(t *testing.T) {
	t.Parallel()
	var all []run.Outcome
	for day := range 28 {
		date := fmt.Sprintf("2026-11-%02d", day+1)
		o := outcome(t, date, schema.Failed, "", errors.New(strings.Repeat("long ", 1000)))
		o.Item.Source = fmt.Sprint("source-", day)
		all = append(all, o, restated(t, date, run.Change{What: strings.Repeat("ü", 1000), Later: 1}))
	}
	lines := strings.Split(message(all...), "\n")
	require.LessOrEqual(t, len(lines), 10)
	require.Contains(t, lines[1], "restated bfi group-5 2026-11-28")
	require.Contains(t, lines[3], "(and 26 more slices)")
	require.Equal(t, "meterhouse diff --source bfi --feed group-5 --day 2026-11-27", lines[4], "to be copied")
	require.Contains(t, lines[5], "failed source-27 group-5 2026-11-28")
	require.Contains(t, lines[8], "(and 24 more sources)")
	for _, line := range lines {
		require.Less(t, len([]rune(line)), 340)
	}
}
