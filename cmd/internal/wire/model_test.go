package wire_test

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"pgregory.net/rapid"

	"github.com/meterhouse/meterhouse/cmd/internal/wire"
	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/etl/run"
	"github.com/meterhouse/meterhouse/load"
	"github.com/meterhouse/meterhouse/schema"
)

// lab is one life of two sources and their ledger, beside a model of it.
type lab struct {
	warehouse *wire.Warehouse
	model     *model
	scripts   map[string]*scripted // by source
	sources   []run.Source
	feeds     []plan.Feed
	clock     time.Time
	moments   []time.Time // at which somebody looked
	did       map[string]int
	last      schema.Day // that the sources say anything of
	settled   bool       // nothing was asked of the warehouse since it was compared
}

// How many lives the test makes up, and of how many steps on average, unless
// -rapid.checks and -rapid.steps say otherwise. A step takes some 50 ms of two processors.
const (
	modelChecks = "4"
	modelSteps  = "50"
)

// TestReadersSeeWhatTheModelSees makes up lives of sources and operators: days
// that are restated, shrink, grow, vanish, fail and cannot be read; syncs,
// backfills, accepts, rollbacks and prunes; days that pass and clocks that are set
// back. After every step the views of the warehouse are those of a model that
// fits on two pages.
func TestReadersSeeWhatTheModelSees(t *testing.T) {
	t.Parallel()
	unlessGiven(t, "rapid.checks", modelChecks)
	unlessGiven(t, "rapid.steps", modelSteps)
	warehouse := &wire.Warehouse{Warehouse: newWarehouse(t)}
	lives, did := 0, map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		lives++
		l := newLab(t, warehouse, lives)
		t.Repeat(map[string]func(*rapid.T){
			"":                 l.compare,
			"accept":           l.accept,
			"backfill":         l.backfill,
			"day passes":       l.dayPasses,
			"hour comes back":  l.hourComesBack,
			"prune":            l.prune,
			"rollback":         l.rollback,
			"source changes":   l.sourceChanges,
			"source fails":     l.sourceFails,
			"sync":             l.sync,
			"sync of a day":    l.syncDay,
			"sync of one more": l.syncDay,
		})
		for what, n := range l.did {
			did[what] += n
		}
	})
	t.Logf("%d lives: %v", lives, did)
}

// unlessGiven sets a flag that is not on the command line.
func unlessGiven(t *testing.T, name, value string) {
	t.Helper()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == name })
	if !given {
		require.NoError(t, flag.Set(name, value))
	}
}

// newLab begins a life on a day near a change of the clocks in Berlin, with
// sources that no other life has.
func newLab(t *rapid.T, warehouse *wire.Warehouse, life int) *lab {
	zone := time.UTC
	if rapid.Bool().Draw(t, "in Berlin") {
		var err error
		zone, err = time.LoadLocation("Europe/Berlin")
		require.NoError(t, err)
	}
	l := &lab{
		warehouse: warehouse, clock: time.Date(2026, time.March, 28, rapid.IntRange(0, 23).Draw(t, "hour"), 30, 0, 0, time.UTC),
		scripts: map[string]*scripted{}, did: map[string]int{},
	}
	l.model = &model{
		slices: map[schema.Slice]*modelSlice{}, maxRejects: 0.3,
		minRows: rapid.SampledFrom([]int{0, 2}).Draw(t, "min_rows"), allowEmpty: rapid.Bool().Draw(t, "allow_empty"),
	}
	l.add(fmt.Sprintf("bfi%d", life), schema.KindBigFix, zone, rapid.IntRange(0, 3).Draw(t, "recheck_days"), "default")
	l.add(fmt.Sprintf("hq%d", life), schema.KindNexthink, zone, rapid.IntRange(0, 1).Draw(t, "recheck today"), "visio/installed")
	return l
}

// daysKnown is how many days a life may have.
const daysKnown = 12

func (l *lab) add(source, kind string, zone *time.Location, recheck int, feeds ...string) {
	s := &scripted{kind: kind, says: map[string]contents{}, fails: map[string]sabotage{}}
	l.scripts[source] = s
	r := run.Source{
		Name: source, Kind: kind, Location: zone, API: s, Parallel: 1, Feeds: map[string]run.Feed{},
		Guards: run.Guards{
			MinRows: uint64(l.model.minRows), MaxShrink: maxShrink, MaxRejects: l.model.maxRejects, AllowEmpty: l.model.allowEmpty,
		},
	}
	for _, feed := range feeds {
		m := modelFeed{source: source, feed: feed, history: kind == schema.KindBigFix, recheck: recheck, zone: zone}
		m.start = m.today(l.clock) - 2
		l.model.feeds = append(l.model.feeds, m)
		l.feeds = append(l.feeds, plan.Feed{
			Source: source, Kind: kind, Feed: feed, Location: zone, History: m.history, Start: m.start, HasStart: true, RecheckDays: recheck,
		})
		r.Feeds[feed] = run.Feed{Target: schema.Target{List: "installed"}}
		for day := m.start - 4; day <= m.start+daysKnown; day++ {
			s.says[s.key(request(m.slice(day)))] = contents{rows: map[int64]int64{1: 1, 2: 1, 3: 1, 4: 1}}
			l.last = day
		}
	}
	l.sources = append(l.sources, r)
}

// says is what a source says of a slice now, and what goes wrong while it does.
func (l *lab) says(s schema.Slice) (contents, sabotage) {
	script := l.scripts[s.Source]
	key := script.key(request(s))
	return script.says[key], script.fails[key]
}

// slice is a slice that can be asked for.
func (l *lab) slice(t *rapid.T) schema.Slice {
	f := rapid.SampledFrom(l.model.feeds).Draw(t, "feed")
	if !f.history {
		return f.slice(f.today(l.clock))
	}
	return f.slice(f.today(l.clock) - schema.Day(rapid.IntRange(1, 2).Draw(t, "days ago")))
}

// known is a slice that the ledger knows and that has what is asked for.
func (l *lab) known(t *rapid.T, has func(*modelSlice) bool) schema.Slice {
	var known []schema.Slice
	for _, s := range l.sources {
		for _, slice := range l.model.ofSource(s.Name) {
			if has(l.model.slice(slice)) {
				known = append(known, slice)
			}
		}
	}
	if len(known) == 0 {
		t.Skip("there is none")
	}
	return rapid.SampledFrom(known).Draw(t, "slice")
}

func (l *lab) sourceChanges(t *rapid.T) { l.change(t, l.slice(t)) }

// change has the source say something of a slice that it may well have said before.
func (l *lab) change(t *rapid.T, s schema.Slice) {
	c := contents{rows: rapid.MapOfN(rapid.Int64Range(1, 5), rapid.Int64Range(1, 2), 0, 5).Draw(t, "rows")}
	c.rejects = rapid.SampledFrom([]int{0, 0, 0, 0, 1, 3}).Draw(t, "rejects")
	script := l.scripts[s.Source]
	script.says[script.key(request(s))] = c
}

func (l *lab) sourceFails(t *rapid.T) {
	s := l.slice(t)
	script := l.scripts[s.Source]
	script.fails[script.key(request(s))] = rapid.SampledFrom(sabotages(script.kind)).Draw(t, "how")
}

func (l *lab) dayPasses(t *rapid.T) {
	if l.model.feeds[0].today(l.clock) >= l.last-1 {
		t.Skip("the sources know no further day")
	}
	l.clock = l.clock.AddDate(0, 0, 1)
}

// hourComesBack by a bit more, so that no two steps have the same time.
func (l *lab) hourComesBack(*rapid.T) { l.clock = l.clock.Add(-time.Hour - 7*time.Second) }

func (l *lab) sync(t *rapid.T) {
	l.pass(t, l.model.sync(l.clock), plan.Sync(l.input(t), plan.Options{}))
}

// syncDay asks for one day, of which the source may say something else now.
func (l *lab) syncDay(t *rapid.T) {
	s := l.slice(t)
	if rapid.IntRange(0, 3).Draw(t, "changed") > 0 {
		l.change(t, s)
	}
	p := plan.Sync(l.input(t), plan.Options{Source: s.Source, Day: &s.Day})
	l.pass(t, slices.DeleteFunc(l.model.backfill(s.Day, s.Day, true, l.clock), func(x schema.Slice) bool { return x != s }), p)
}

func (l *lab) backfill(t *rapid.T) {
	to := l.model.feeds[0].today(l.clock) - schema.Day(rapid.IntRange(0, 3).Draw(t, "to, days ago"))
	from := to - schema.Day(rapid.IntRange(0, 2).Draw(t, "days before"))
	force := rapid.Bool().Draw(t, "force")
	l.pass(t, l.model.backfill(from, to, force, l.clock), plan.Range(l.input(t), from, to, plan.RangeOptions{Force: force}))
}

// pass carries a plan out and holds it to what the model expects.
func (l *lab) pass(t *rapid.T, expected []schema.Slice, p plan.Plan) {
	report := wire.Runner(wire.RunnerOptions{
		Warehouse: l.warehouse, Sources: l.sources, Clock: l.now, Version: "test", Logger: zap.NewNop(), Observer: nobody{},
	}).Run(t.Context(), t.Context(), p)
	became := map[schema.Slice]schema.Load{}
	for _, o := range report.Outcomes {
		require.True(t, o.Tried)
		became[o.Load.Slice] = o.Load
	}
	l.settled = false
	require.Len(t, became, len(expected), "pulled: %v, expected: %v", became, expected)
	for _, s := range expected {
		c, fault := l.says(s)
		want := l.model.pull(s, c, fault)
		require.Equal(t, want, became[s].Status, "%v: %s", s, became[s].Reason)
		l.did[string(want)]++
		l.model.loaded(s, became[s].LoadID, want, c, l.clock)
	}
}

func (l *lab) accept(t *rapid.T) {
	s := l.known(t, func(s *modelSlice) bool {
		return slices.ContainsFunc(s.events, func(e event) bool { return e.status == schema.Refused })
	})
	force := rapid.Bool().Draw(t, "force")
	l.publish(t, s, l.model.accept(s, force), schema.Accepted, plan.Publication{Force: force}, plan.Accept)
}

func (l *lab) rollback(t *rapid.T) {
	s := l.known(t, func(s *modelSlice) bool {
		return slices.ContainsFunc(s.events, func(e event) bool { return e.version != nil && e.version != s.now })
	})
	var to uint64 // the version before
	if rapid.Bool().Draw(t, "to a load") {
		to = rapid.SampledFrom(slices.Sorted(maps.Keys(l.model.slice(s).loads))).Draw(t, "load")
	}
	l.publish(t, s, l.model.rollback(s, to), schema.RolledBack, plan.Publication{LoadID: to}, plan.Rollback)
}

// publish has an operator publish a load, which the model may know to be impossible.
func (l *lab) publish(
	t *rapid.T, s schema.Slice, expected *version, status schema.Status, p plan.Publication,
	choose func([]schema.Load, plan.Publication) (plan.Version, error),
) {
	l.settled = false
	p.Slice, p.Note, p.Now = s, "note", l.clock
	v, err := choose(l.input(t).Ledger, p)
	var row schema.Load
	if err == nil {
		row, err = run.Republish(t.Context(), l.warehouse.Versions(), v)
	}
	if expected == nil {
		l.did["not "+string(status)]++
		require.Error(t, err)
		return
	}
	require.NoError(t, err)
	require.Equal(t, expected.id, row.LoadID)
	l.did[string(status)]++
	l.model.republished(s, expected, status, l.clock)
}

func (l *lab) prune(t *rapid.T) {
	age := rapid.SampledFrom([]time.Duration{0, 30 * time.Minute, 36 * time.Hour})
	r := plan.Retention{Superseded: age.Draw(t, "keep superseded"), Unpublished: age.Draw(t, "keep unpublished"), Now: l.clock}
	chosen, err := run.PlanPrune(t.Context(), l.warehouse.Stock(), r)
	require.NoError(t, err)
	done, err := run.Prune(t.Context(), l.warehouse.Stock(), r, chosen, schema.PrunedLoad{PrunedAt: l.clock})
	require.NoError(t, err)
	got := []string{}
	for _, p := range done.Loads {
		if l.scripts[p.Source] != nil {
			got = append(got, fmt.Sprint(p.LoadID, " ", p.Why))
		}
	}
	l.settled = false
	l.did["pruned"] += len(got)
	slices.Sort(got)
	require.Equal(t, l.model.prune(l.clock, r.Superseded, r.Unpublished), got)
}

// compare holds the readers' views to the model's, at this moment and at an
// earlier one.
func (l *lab) compare(t *rapid.T) {
	l.clock = l.clock.Add(time.Minute) // steps take time
	l.did["steps"]++
	if l.settled {
		return
	}
	l.settled = true
	l.moments = append(l.moments, l.clock)
	moment := rapid.SampledFrom(l.moments).Draw(t, "look back to")
	sources := make([]string, len(l.sources))
	for i, s := range l.sources {
		sources[i] = "'" + s.Name + "'"
	}
	var out strings.Builder
	require.NoError(t, l.warehouse.Query(t.Context(), fmt.Sprintf(askViews, stamp(moment), strings.Join(sources, ", ")), "TSVRaw", &out))
	got := strings.FieldsFunc(out.String(), func(r rune) bool { return r == '\n' })
	want := l.model.views(moment)
	slices.Sort(got)
	require.Equal(t, strings.Join(want, "\n"), strings.Join(got, "\n"), "as of %s", moment)
}

func (l *lab) now() time.Time { return l.clock }

// input is what a plan is made of.
func (l *lab) input(t *rapid.T) plan.Input {
	in := plan.Input{Feeds: l.feeds, Now: l.clock}
	for _, s := range l.sources {
		ledger, err := l.warehouse.Ledger(t.Context(), load.LedgerQuery{Source: s.Name})
		require.NoError(t, err)
		in.Ledger = append(in.Ledger, ledger...)
	}
	return in
}
