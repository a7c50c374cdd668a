package main

import (
	"flag"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/extract/bigfix/bigfixtest"
	"github.com/meterhouse/meterhouse/schema"
)

var (
	kills = flag.Int("kills", 13, "how many processes TestKills kills on each warehouse")
	seed  = flag.Uint64("seed", 0, "what TestKills draws from; 0 for a new one each time")
)

// TestKills ends processes by `kill -9` at random moments, in every command that
// writes, while the sources restate days. After each kill readers see of every
// slice one whole version, the one that the ledger names; the next run completes.
// `make soak` is the long form.
func TestKills(t *testing.T) {
	t.Parallel()
	newCampaign(t, "").load().run(*kills)
}

const (
	// recheck is how many past days every pass of a campaign pulls again.
	recheck     = 8
	restated    = recheck + 2
	soakArchive = "archive: {url: \"file:./archive\"}\n"
)

// campaign kills processes in a world.
type campaign struct {
	*world
	*answers
	rand *rand.Rand
	seed uint64
	// first is the first of the days that the source restates, the last of which
	// every pass pulls again; start is the source's start as it is configured.
	first, start schema.Day
	now          picture // of the warehouse, the latest one
	took         map[string]time.Duration

	others int            // warehouses beside the world's own
	killed map[string]int // by command
	// late counts the processes that were through before their kill.
	late, midLoad, midPass, compared int
}

// newCampaign makes a world with that warehouse, see worldOptions. There is nothing
// in it yet.
func newCampaign(t *testing.T, warehouse string) *campaign {
	t.Helper()
	c := &campaign{seed: *seed, took: map[string]time.Duration{}, killed: map[string]int{}}
	if c.seed == 0 {
		c.seed = uint64(time.Now().UnixNano())
	}
	c.rand = rand.New(rand.NewPCG(c.seed, 0))
	c.first = schema.DayOf(time.Now(), time.UTC) - restated
	c.start = c.first
	c.world = newWorld(t, worldOptions{
		bigfix:    bigfixtest.Options{Rows: 120, Latency: 10 * time.Millisecond},
		warehouse: warehouse, start: c.start.String(), devices: 900,
		bigfixYAML: fmt.Sprintf("    recheck_days: %d\n    product_totals: true\n", recheck),
		topYAML:    "publish_delay: 200ms\n" + soakArchive,
	})
	c.answers = newAnswers(c.world)
	return c
}

// load fills the warehouse, with more than one version of some days.
func (c *campaign) load() *campaign {
	c.t.Helper()
	c.must("migrate")
	c.complete(c.sync())
	c.complete(c.backfill())
	return c
}

// run kills that many processes and says what came of it.
func (c *campaign) run(kills int) {
	c.t.Helper()
	began := time.Now()
	var deck []func() attempt
	for n := 0; n < kills; {
		if len(deck) == 0 {
			deck = []func() attempt{
				c.sync, c.sync, c.sync, c.backfill, c.backfill, c.accept, c.accept, c.rollback, c.rollback,
				c.replay, c.daemon, c.prune, c.migrate,
			}
			c.rand.Shuffle(len(deck), func(i, j int) { deck[i], deck[j] = deck[j], deck[i] })
		}
		if c.strike(deck[0]()) { // else the same again: it was too late
			n++
			deck = deck[1:]
		}
		if c.t.Failed() {
			c.t.Fatalf("seed %d, after %d kills", c.seed, n)
		}
	}
	c.complete(c.sync())
	c.must("archive", "verify")
	left, err := os.ReadDir(filepath.Join(c.dir, "tmp"))
	require.NoError(c.t, err)
	require.Empty(c.t, left, "what killed processes left in the temporary folder is gone")
	c.t.Logf("%d kills in %.0f seconds (seed %d): %s; %d of them left a load without its row in the ledger, %d came between the first and the last row of a pass; %d processes were through before; %d slices compared",
		kills, time.Since(began).Seconds(), c.seed, c.words(), c.midLoad, c.midPass, c.late, c.compared)
}

// words says which commands were killed how often.
func (c *campaign) words() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(c.killed)) {
		parts = append(parts, fmt.Sprintf("%s %d", name, c.killed[name]))
	}
	return strings.Join(parts, ", ")
}

// strike starts a command and kills it at a moment of the time that it takes when
// it is left alone; late moments, when most is at stake, are likelier. It looks at
// what is left, and lets the command run to its end. It reports whether the kill
// came in time.
func (c *campaign) strike(a attempt) bool {
	c.t.Helper()
	before, began := c.now, time.Now()
	moment := time.Duration(math.Sqrt(c.rand.Float64()) * float64(c.expected(a.name)))
	p := c.world.start(a.args...)
	select {
	case <-p.ended:
	case <-time.After(moment):
		_ = p.cmd.Process.Kill() // it may have ended
	}
	if code := p.wait(); code != 137 {
		c.late++
		c.took[a.name] = time.Since(began)
		c.judge(a, code, p.stderr.String(), began)
		return false
	}
	c.killed[a.name]++
	if !a.elsewhere() {
		c.look(a)
		c.midLoad += min(1, c.now.orphans()-before.orphans())
		if rows := c.now.rows() - before.rows(); rows > 0 && rows < a.slices {
			c.midPass++
		}
	}
	c.complete(a)
	return true
}

// complete runs a command to its end.
func (c *campaign) complete(a attempt) {
	c.t.Helper()
	args := a.args
	if a.again != nil {
		args = a.again
	}
	began := time.Now()
	code, _, stderr := c.world.run(args...)
	if a.again == nil {
		// What a kill left undone may be less than the whole.
		c.took[a.name] = max(time.Since(began), c.took[a.name]*9/10)
	}
	c.judge(a, code, stderr, began)
}

// expected is how long a command takes.
func (c *campaign) expected(name string) time.Duration {
	if took, known := c.took[name]; known {
		return took
	}
	return c.took["sync"]
}

// judge says whether a command that ended by itself did what it was told.
func (c *campaign) judge(a attempt, code int, stderr string, began time.Time) {
	c.t.Helper()
	c.look(a)
	if fault := a.judge(code, stderr, began); fault != "" {
		c.t.Errorf("meterhouse %v, exit code %d: %s\n%s", a.args, code, fault, stderr)
	}
}

// look compares the warehouse with the sources.
func (c *campaign) look(a attempt) {
	c.t.Helper()
	p := takePicture(c.t, c.world, a.config)
	if !a.elsewhere() {
		c.now = p
	}
	n, faults := p.faults(c.answers)
	c.compared += n
	for _, fault := range faults {
		c.t.Errorf("after meterhouse %v: %s", a.args, fault)
	}
}
