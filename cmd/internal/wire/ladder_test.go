package wire_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/etl/run"
	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/extract/bigfix/bigfixtest"
	"github.com/meterhouse/meterhouse/extract/extracttest/simfault"
	"github.com/meterhouse/meterhouse/schema"
)

// rung is one way in which a source lets the run down: every slice that it
// befalls fails, with a class and a reason in the ledger.
type rung struct {
	what   string
	fault  simfault.Fault
	limits limits
	class  extract.Class // "" where it is not the source's error
	reason string
}

func ladder() []rung {
	const cut = 3000
	timeout := limits{requestTimeout: 2 * time.Second}
	idle := limits{idleTimeout: 50 * time.Millisecond}
	return []rung{
		{"500", simfault.Status(500, "broken"), limits{retries: 1}, extract.Transient, "(2 attempts)"},
		{"503 for an hour", simfault.Status(503, "", "Retry-After", "3600"), limits{}, extract.Throttled, "HTTP status 503"},
		{"401", simfault.Status(401, ""), limits{}, extract.Credentials, "HTTP status 401"},
		{"403", simfault.Status(403, ""), limits{}, extract.Forbidden, "HTTP status 403"},
		{"404", simfault.Status(404, ""), limits{}, extract.BadRequest, "HTTP status 404"},
		{"redirect", simfault.Redirect("https://sso.example.com/login"), limits{}, extract.BadAnswer, "redirects to https://sso.example.com/login"},
		{"reset", simfault.Reset(), limits{}, extract.Transient, "can it be reached from here?"},
		{"hangs before the header", simfault.Silence(), timeout, extract.Transient, "request_timeout of 2s"},
		{"stalls", simfault.StallAfter(cut), idle, extract.Interrupted, "idle timeout"},
		{"drips for too long", simfault.Drip(cut, -1, time.Millisecond), timeout, extract.Interrupted, "request_timeout of 2s"},
		{"cut", simfault.CutAfter(cut), limits{}, extract.Interrupted, "broke off"},
		{"cut, with its length announced", simfault.CutLengthAfter(cut), limits{}, extract.Interrupted, "broke off"},
		{"ends early, but in good order", simfault.EndAfter(cut), limits{}, extract.Interrupted, "in the middle"},
		{"no body", simfault.Body("application/json", ""), limits{}, extract.BadAnswer, "empty"},
		{"login page", simfault.LoginPage(), limits{}, extract.BadAnswer, "page"},
		{"error object", simfault.Body("application/json", `{"error":"import is running"}`), limits{}, extract.BadAnswer, "HTTP status 200"},
		{"longer than allowed", simfault.FloodAfter(cut), limits{maxBytes: 1 << 20}, extract.BadAnswer, "longer than the 1048576 bytes"},
		{"text behind the end", simfault.Rewrite(func(body string) string { return body + "]" }), limits{}, extract.BadAnswer, "behind the end"},
	}
}

// Of an answer that is not complete nothing is published: readers keep seeing
// exactly the version before, a day that never worked stays empty, and once the
// fault is gone the next run publishes exactly the truth.
func TestNothingIsPublishedOfAFault(t *testing.T) {
	t.Parallel()
	warehouse := newWarehouse(t)
	for i, r := range ladder() {
		t.Run("bigfix/"+r.what, func(t *testing.T) {
			t.Parallel()
			fall(t, bigfixWorld(t, warehouse, fmt.Sprintf("bfi-%d", i), bigfixtest.Options{}), r)
		})
		t.Run("nexthink/"+r.what, func(t *testing.T) {
			t.Parallel()
			fall(t, nexthinkWorld(t, warehouse, fmt.Sprintf("hq-%d", i)), r)
		})
	}
	for i, r := range []rung{
		{
			what:  "a total that is not the rows'",
			fault: simfault.Rewrite(func(body string) string { return strings.Replace(body, `{"total":`, `{"total":1`, 1) }),
			class: extract.BadAnswer, reason: "the server counts",
		},
		{
			what: "two rows that disagree",
			fault: simfault.Rewrite(func(body string) string {
				first, _, _ := strings.Cut(body[strings.Index(body, "[")+1:], ",\n")
				other := strings.Replace(first, `"hwm_quantity":`, `"hwm_quantity":7`, 1)
				return strings.Replace(body, first, first+",\n"+other, 1)
			}),
			reason: "rows 1 and 2 disagree about product",
		},
	} {
		t.Run("bigfix/"+r.what, func(t *testing.T) {
			t.Parallel()
			fall(t, bigfixWorld(t, warehouse, fmt.Sprintf("rows-%d", i), bigfixtest.Options{}), r)
		})
	}
}

// fall publishes a day, lets the fault befall the run that is to bring its
// restatement and another day, and then takes the fault away.
func fall(t *testing.T, w *world, r rung) {
	t.Helper()
	first := w.today()
	last := first + 1
	if w.bigfix != nil {
		first, last = first-3, first-2
	}
	require.True(t, w.run(first, first).Complete())
	w.requireTruth(first, first)
	before := map[string]string{}
	for _, feed := range w.feeds() {
		before[feed] = w.readersSee(feed, first)
	}
	if w.bigfix != nil {
		require.NoError(t, w.bigfix.Revise(first.String(), 1))
	} else {
		w.clock.skipDay() // the first day cannot be asked for any more
	}

	w.api = r.limits
	w.faults.Always(w.path, r.fault)
	requireFailed(t, w, r, w.run(first, last))
	for _, feed := range w.feeds() {
		require.Equal(t, before[feed], w.readersSee(feed, first), "the version before stands")
		require.Equal(t, nothing, w.readersSee(feed, last), "a day that failed is not there")
	}

	w.api = limits{}
	w.faults.Clear()
	require.True(t, w.run(first, last).Complete())
	for _, feed := range w.feeds() {
		require.Equal(t, w.truth(feed, last), w.readersSee(feed, last))
		if w.bigfix != nil {
			require.Equal(t, w.truth(feed, first), w.readersSee(feed, first))
			require.NotEqual(t, before[feed], w.readersSee(feed, first), "the restatement says something else")
		}
	}
}

// requireFailed holds the outcomes and the ledger to the fault: what was tried
// failed with its class and reason, and nothing that was not tried is there.
func requireFailed(t *testing.T, w *world, r rung, report run.Report) {
	t.Helper()
	tried := map[uint64]bool{}
	for _, o := range report.Outcomes {
		require.Error(t, o.Err)
		require.False(t, o.Done())
		if !o.Tried {
			continue
		}
		tried[o.Load.LoadID] = true
		var e *extract.Error
		if errors.As(o.Err, &e) {
			require.Equal(t, r.class, e.Class, "the error is %s", o.Err)
		} else {
			require.Empty(t, r.class, "the error is %s", o.Err)
		}
	}
	require.NotEmpty(t, tried)
	for _, row := range w.ledger() {
		if !tried[row.LoadID] {
			require.Equal(t, schema.Published, row.Status)
			continue
		}
		delete(tried, row.LoadID)
		require.Equal(t, schema.Failed, row.Status)
		require.Contains(t, row.Reason, r.reason)
		require.NotContains(t, row.Reason, password)
		require.Zero(t, row.PublishedSeq)
		require.Positive(t, row.Requests)
	}
	require.Empty(t, tried, "every try is in the ledger")
}
