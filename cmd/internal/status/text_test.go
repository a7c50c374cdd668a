package status_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/meterhouse/meterhouse/cmd/internal/status"
	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/schema"
)

var update = flag.Bool("update", false, "write the golden files anew")

func day(t require.TestingT, s string) schema.Day {
	d, err := schema.ParseDay(s)
	require.NoError(t, err)
	return d
}

func berlin(t require.TestingT) *time.Location {
	loc, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	return loc
}

// estate is a configuration and a ledger that grows.
type estate struct {
	t  require.TestingT
	in plan.Input
}

// newEstate is asked on 20 March 2026, in the morning.
func newEstate(t require.TestingT) *estate {
	return &estate{t, plan.Input{Now: time.Date(2026, time.March, 20, 8, 0, 0, 0, time.UTC)}}
}

func (e *estate) feed(f plan.Feed) plan.Feed {
	f.Location = berlin(e.t)
	f.Kind = schema.KindNexthink
	if f.History {
		f.Kind = schema.KindBigFix
	}
	e.in.Feeds = append(e.in.Feeds, f)
	return f
}

// history is a feed that can be asked for any past day, since start.
func (e *estate) history(source, feed, start string) plan.Feed {
	return e.feed(plan.Feed{Source: source, Feed: feed, History: true, RecheckDays: 3, HasStart: true, Start: day(e.t, start)})
}

// row adds a row to the ledger; the content is the number of the row, so that
// publishing twice is a restatement.
func (e *estate) row(f plan.Feed, d schema.Day, status schema.Status, reason string) *schema.Load {
	n := len(e.in.Ledger) + 1
	load := schema.Load{
		LoadID: uint64(n), Slice: schema.Slice{Source: f.Source, Feed: f.Feed, Day: d}, Kind: f.Kind,
		Status: status, Reason: reason, Rows: 1000 + uint64(n), ContentHash: fmt.Sprint(n),
		FinishedAt: e.in.Now.Add(time.Duration(n)*time.Second - 24*time.Hour), Host: "loader-1",
	}
	if status.Publishes() {
		load.PublishedSeq = uint64(n)
	}
	e.in.Ledger = append(e.in.Ledger, load)
	return &e.in.Ledger[n-1]
}

// published publishes the days from and to and all between, but for some.
func (e *estate) published(f plan.Feed, from, to string, but ...string) {
	for d := day(e.t, from); d <= day(e.t, to); d++ {
		if !strings.Contains(strings.Join(but, " "), d.String()) {
			e.row(f, d, schema.Published, "an earlier day that was never loaded")
		}
	}
}

// oneFeed has a day of every kind that a source with history knows.
func oneFeed(t require.TestingT) *estate {
	e := newEstate(t)
	f := e.history("bfi-emea", "default", "2025-02-10")
	e.published(f, "2025-02-10", "2026-03-19", "2025-03-30", "2025-06-07", "2025-06-08", "2025-12-24", "2026-01-09", "2026-03-19")
	e.row(f, day(t, "2025-12-24"), schema.Refused, "12 rows, where the last seven published days have 1040 in the middle: more than max_shrink 0.5 vanished")
	e.row(f, day(t, "2026-01-09"), schema.Failed, "pulling: the source answered 503\x1b[31m Service Unavailable")
	for _, d := range []string{"2025-08-15", "2025-08-16", "2026-02-28", "2026-03-18"} {
		e.row(f, day(t, d), schema.Published, "")
	}
	e.row(f, day(t, "2026-02-11"), schema.Failed, "pulling: connection refused")
	e.row(f, day(t, "2026-02-12"), schema.Refused, "0 rows, although this feed has had some")
	return e
}

// manyFeeds is what a larger company has: computer groups that were all down for
// a weekend, one of them broken since, and a portal with a lost engine.
func manyFeeds(t require.TestingT) *estate {
	e := newEstate(t)
	for n := range 50 {
		f := e.history("bfi-emea", fmt.Sprintf("group-%d", n+1), "2025-06-01")
		last := "2026-03-19"
		if n == 6 {
			last = "2026-02-27"
			for d := day(t, "2026-02-28"); d <= day(t, "2026-03-19"); d++ {
				e.row(f, d, schema.Failed, "pulling: the token has no right to read computer group 7")
			}
		}
		e.published(f, "2025-06-01", last, "2025-11-08", "2025-11-09")
		if n%10 == 0 {
			e.row(f, day(t, "2026-01-31"), schema.Published, "")
		}
	}
	calm := e.history("bfi-apac", "default", "2026-01-01")
	e.published(calm, "2026-01-01", "2026-03-19")
	for _, name := range []string{"visio-lausanne/installed", "visio-lausanne/underusage", "autocad/installed"} {
		f := e.feed(plan.Feed{Source: "nexthink-hq", Feed: name, RecheckDays: 3})
		e.published(f, "2025-12-11", "2026-03-20", "2026-02-14", "2026-02-15")
		e.row(f, day(t, "2026-03-02"), schema.Published, "").Partial = `the portal has lost 1 of its 2 engines: "emea" is DISCONNECTED`
	}
	return e
}

func (e *estate) text(q status.Query, look status.Look) string {
	return status.Text(status.Of(e.in, q), look)
}

func (e *estate) year(n int) status.Query {
	from, to := day(e.t, fmt.Sprintf("%d-01-01", n)), day(e.t, fmt.Sprintf("%d-12-31", n))
	return status.Query{From: &from, To: &to}
}

// TestText holds what people see to golden files.
func TestText(t *testing.T) {
	t.Parallel()
	f := func(name, text string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requireWidth(t, text)
			file := filepath.Join("testdata", name+".txt")
			if *update {
				require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, string(want), text)
		})
	}
	f("one", oneFeed(t).text(status.Query{}, status.Look{}))
	f("one_colours", oneFeed(t).text(status.Query{}, status.Look{Colours: true}))
	f("one_year", oneFeed(t).text(oneFeed(t).year(2025), status.Look{AllDays: true}))
	f("many", manyFeeds(t).text(status.Query{}, status.Look{}))
	f("many_by_feed", manyFeeds(t).text(status.Query{Source: "nexthink-hq"}, status.Look{ByFeed: true}))

	leap := newEstate(t)
	group := leap.history("bfi-emea", "default", "2023-12-30")
	leap.published(group, "2023-12-30", "2024-12-31")
	f("leap_year", leap.text(leap.year(2024), status.Look{AllDays: true}))

	// Without a start the calendar begins with the ledger, and the year does not
	// end before its days are due.
	young := newEstate(t)
	young.published(young.feed(plan.Feed{Source: "bfi", Feed: "default", History: true}), "2026-03-04", "2026-03-18")
	f("no_start", young.text(young.year(2026), status.Look{AllDays: true}))
	f("no_days", young.text(young.year(2024), status.Look{AllDays: true}))
	f("complete", completeEstate(t).text(status.Query{}, status.Look{}))

	long := newEstate(t)
	for n := range 3 {
		target := strings.Repeat("Lizenzübersicht-", 8) + fmt.Sprint(n) + "/installed"
		g := long.history(strings.Repeat("quelle-", 16), target, "2026-02-20")
		long.row(g, day(t, "2026-03-01"), schema.Failed, strings.Repeat("x", 300))
	}
	f("long_names", long.text(status.Query{}, status.Look{}))
}

// TestAdviceOnWhatFailedLater: the next sync looks at it again, and plan says so.
func TestAdviceOnWhatFailedLater(t *testing.T) {
	t.Parallel()
	e := completeEstate(t)
	require.NotContains(t, e.text(status.Query{}, status.Look{}), "meterhouse plan")
	e.row(e.in.Feeds[0], day(t, "2026-02-11"), schema.Failed, "pulling: connection refused")
	require.Contains(t, e.text(status.Query{}, status.Look{}), "  meterhouse plan\n")
}

func completeEstate(t require.TestingT) *estate {
	e := newEstate(t)
	for n := range 12 {
		e.published(e.history("bfi-emea", fmt.Sprintf("group-%d", n+1), "2026-02-01"), "2026-02-01", "2026-03-19")
	}
	return e
}

// requireWidth holds every line to the width of a terminal; commands are there to
// be copied in one piece.
func requireWidth(t require.TestingT, s string) {
	for line := range strings.Lines(s) {
		line = strings.TrimSuffix(line, "\n")
		if !strings.HasPrefix(line, "  meterhouse ") {
			require.LessOrEqual(t, text.StringWidthWithoutEscSequences(line), status.Width, line)
		}
	}
}

var monthLine = regexp.MustCompile(`(?m)^\d{4}-\d{2}   .{36} +(\d+) of (\d+)`)

// requireSums adds the numbers of the months up.
func requireSums(t require.TestingT, plain string, feeds []*status.Feed) {
	var seen, due, gotSeen, gotDue int
	for _, f := range feeds {
		seen += f.States[plan.StatePublished] + f.States[plan.StateProvisional]
		due += len(f.Days) - f.States[plan.StateNotYetDue]
	}
	for _, m := range monthLine.FindAllStringSubmatch(plain, -1) {
		var s, d int
		_, err := fmt.Sscan(m[1]+" "+m[2], &s, &d)
		require.NoError(t, err)
		gotSeen, gotDue = gotSeen+s, gotDue+d
	}
	require.Equal(t, []int{seen, due}, []int{gotSeen, gotDue}, plain)
}

var escapes = regexp.MustCompile("\x1b\\[[0-9;]*m")

// TestTextOfAnything: whatever names, states and reasons there are, no line is too
// wide, colours say nothing more, and every slice is counted once.
func TestTextOfAnything(t *testing.T) {
	t.Parallel()
	statuses := []schema.Status{schema.Published, schema.Unchanged, schema.Refused, schema.Failed, schema.Accepted, schema.RolledBack}
	rapid.Check(t, func(t *rapid.T) {
		e := newEstate(t)
		for n := range rapid.IntRange(1, 14).Draw(t, "feeds") {
			source := rapid.SampledFrom([]string{"bfi", strings.Repeat("long-", 30)}).Draw(t, "source")
			f := e.feed(plan.Feed{
				Source: source, Feed: fmt.Sprint(rapid.StringN(0, 60, -1).Draw(t, "feed"), n),
				History: rapid.Bool().Draw(t, "history"), RecheckDays: rapid.IntRange(0, 5).Draw(t, "recheck"),
				HasStart: rapid.Bool().Draw(t, "has start"), Start: day(t, "2026-03-22") - schema.Day(rapid.IntRange(0, 500).Draw(t, "start")),
			})
			for range rapid.IntRange(0, 20).Draw(t, "rows") {
				d := day(t, "2026-03-20") - schema.Day(rapid.IntRange(0, 300).Draw(t, "day"))
				l := e.row(f, d, rapid.SampledFrom(statuses).Draw(t, "status"), rapid.String().Draw(t, "reason"))
				l.Partial = rapid.SampledFrom([]string{"", "", "lost an engine"}).Draw(t, "partial")
			}
		}
		look := status.Look{ByFeed: rapid.Bool().Draw(t, "by feed"), AllDays: true}
		plain := e.text(status.Query{}, look)
		requireWidth(t, plain)
		require.NotContains(t, plain, "\x1b")
		requireSums(t, plain, status.Of(e.in, status.Query{}))
		look.Colours = true
		require.Equal(t, plain, escapes.ReplaceAllString(e.text(status.Query{}, look), ""))
	})
}

// TestSeveralMachines load one feed by mistake: the text names them, and says so of
// no feed that has one loader.
func TestSeveralMachines(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	twice, once := e.history("bfi-emea", "default", "2026-03-18"), e.history("bfi-apac", "default", "2026-03-18")
	for _, f := range []plan.Feed{twice, once} {
		e.published(f, "2026-03-18", "2026-03-19")
	}
	e.row(twice, day(t, "2026-03-19"), schema.Published, "").Host = "loader-2"

	said := status.Text(status.Of(e.in, status.Query{}), status.Look{})

	require.Contains(t, strings.ReplaceAll(said, "\n", " "), "bfi-emea default: loaded by several machines, of which one is enough: loader-1, loader-2")
	require.Equal(t, 1, strings.Count(said, "several machines"))
}
