package main

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/schema"
)

// attempt is a command that is to be killed.
type attempt struct {
	name string
	args []string
	// again is what to run after the kill where that is another command.
	again []string
	// slices is how many slices it loads.
	slices int
	// config is another configuration than the campaign's, with another warehouse.
	config string
	// judge says what is wrong when the command ran to its end, "" for nothing.
	judge func(code int, stderr string, began time.Time) string
}

func (a attempt) elsewhere() bool { return a.config != "" }

const metered = 2 // feeds of the portal

func (c *campaign) sync() attempt {
	c.restate(1 + c.rand.IntN(recheck))
	return c.plainSync()
}

// plainSync pulls what the sources say as it is.
func (c *campaign) plainSync() attempt {
	a := attempt{name: "sync", args: []string{"sync"}, slices: recheck + metered}
	a.judge = c.pulled(a.slices, nil)
	return a
}

// backfill is forced, so that also what is published is pulled again.
func (c *campaign) backfill() attempt {
	from, days := c.first+schema.Day(c.rand.IntN(restated-4)), 5
	c.restate(c.rand.IntN(recheck))
	a := attempt{name: "backfill", slices: days, args: []string{
		"backfill", "--force", "--source", "bfi", "--from", from.String(), "--to", (from + schema.Day(days) - 1).String(), "--parallel", "3",
	}}
	a.judge = c.pulled(days, func(s schema.Slice) bool { return s.Source == "bfi" && s.Day >= from && s.Day < from+schema.Day(days) })
	return a
}

// daemon has a day more to catch up on, so that it begins with a pass.
func (c *campaign) daemon() attempt {
	c.restate(3)
	earlier := c.start - 1
	c.reconfigure("start: "+c.start.String(), "start: "+earlier.String())
	c.start = earlier
	c.took["run"] = c.took["sync"] // it does not end by itself
	a := attempt{name: "run", args: []string{"run"}, again: []string{"sync"}, slices: recheck + metered}
	a.judge = c.pulled(a.slices, nil)
	return a
}

// replay makes a new version of days from their archived answers.
func (c *campaign) replay() attempt {
	from, days := c.first+2, 5
	a := attempt{name: "replay", slices: days, args: []string{
		"replay", "--force", "--source", "bfi", "--from", from.String(), "--to", (from + schema.Day(days) - 1).String(),
	}}
	a.judge = func(code int, _ string, began time.Time) string {
		last := c.now.lastSince(began)
		for slice, row := range last {
			if row.status != schema.Published && row.status != schema.Refused {
				return fmt.Sprintf("%v was not replayed: %s", slice, row.status)
			}
		}
		return expectCode(code, last)
	}
	return a
}

// pulled wants that so many slices were looked at and that readers see what their
// source says, unless a guard or an operator is in the way. Those that are not of,
// nil for all, are another process's.
func (c *campaign) pulled(atLeast int, of func(schema.Slice) bool) func(int, string, time.Time) string {
	return func(code int, _ string, began time.Time) string {
		last := c.now.lastSince(began)
		maps.DeleteFunc(last, func(s schema.Slice, _ ledgerRow) bool { return of != nil && !of(s) })
		if len(last) < atLeast {
			return fmt.Sprintf("only %d slices were looked at", len(last))
		}
		for slice, row := range last {
			switch {
			case row.status == schema.Failed:
				return fmt.Sprintf("%v failed: %s", slice, row.reason)
			case row.status == schema.Refused, strings.Contains(row.reason, "rolled back from"):
			case c.now.content(slice) != c.says(slice):
				return fmt.Sprintf("%v is %s, and readers see %q where the source says %q", slice, row.status, c.now.content(slice), c.says(slice))
			}
		}
		return expectCode(code, last)
	}
}

// expectCode holds the exit code to what became of the slices.
func expectCode(code int, last map[schema.Slice]ledgerRow) string {
	want := 0
	for _, row := range last {
		if row.status == schema.Refused {
			want = 3
		}
	}
	if code != want {
		return fmt.Sprintf("the exit code should be %d", want)
	}
	return ""
}

// accept publishes a refused load.
func (c *campaign) accept() attempt {
	c.t.Helper()
	slice, load := c.choose(func(r ledgerRow) bool { return r.status == schema.Refused }, func() {
		for _, few := range []bool{false, true} {
			for day := range schema.Day(restated) {
				c.restateDay(c.first+day, few)
			}
			c.complete(c.plainSync())
		}
	})
	return c.publication("accept", slice, load, "--load", "--force")
}

// rollback publishes an earlier version.
func (c *campaign) rollback() attempt {
	c.t.Helper()
	slice, load := c.choose(func(r ledgerRow) bool { return r.seq > 0 }, func() { c.complete(c.sync()) })
	return c.publication("rollback", slice, load, "--to")
}

// choose draws one of the loads that are stored and that readers do not see. As
// long as there is none, it has some more made.
func (c *campaign) choose(fits func(ledgerRow) bool, makeSome func()) (schema.Slice, uint64) {
	c.t.Helper()
	for range 10 {
		var found []ledgerRow
		var of []schema.Slice
		for _, s := range c.now.slices() {
			for _, r := range c.now.ledger[s] {
				if fits(r) && !r.pruned && r.load != c.now.current(s).load {
					found, of = append(found, r), append(of, s)
				}
			}
		}
		if len(found) > 0 {
			i := c.rand.IntN(len(found))
			return of[i], found[i].load
		}
		makeSome()
		require.False(c.t, c.t.Failed())
	}
	require.FailNow(c.t, "no load is left to publish")
	return schema.Slice{}, 0
}

// publication is a command that makes a load the one that readers see, or finds
// that it is.
func (c *campaign) publication(command string, slice schema.Slice, load uint64, flag string, more ...string) attempt {
	c.t.Helper()
	before := c.now.current(slice).load
	a := attempt{name: command, slices: 2, args: append([]string{
		command, "--source", slice.Source, "--feed", slice.Feed, "--day", slice.Day.String(), "--note", "as agreed",
		flag, strconv.FormatUint(load, 10),
	}, more...)}
	a.judge = func(code int, stderr string, _ time.Time) string {
		switch now := c.now.current(slice).load; {
		case now != load:
			return fmt.Sprintf("readers see load %d, before it was %d", now, before)
		case code != 0 && !strings.Contains(stderr, "is what readers see already"):
			return "it should have published the load, or found it published"
		}
		return ""
	}
	return a
}

// prune deletes whatever it may.
func (c *campaign) prune() attempt {
	return attempt{
		name: "prune", args: []string{"prune", "--keep-superseded", "0h", "--keep-unpublished", "0h"},
		judge: func(code int, _ string, _ time.Time) string {
			for load, rows := range c.now.stored {
				if c.now.pruned[load] && rows > 0 {
					return fmt.Sprintf("%d rows of load %d are left", rows, load)
				}
			}
			if code != 0 {
				return "the exit code should be 0"
			}
			return ""
		},
	}
}

// migrate makes the tables of another warehouse. What a kill leaves of them is
// made whole, and takes a day.
func (c *campaign) migrate() attempt {
	c.others++
	name := fmt.Sprintf("other%d", c.others)
	config := strings.NewReplacer(`./data"`, `./`+name+`"`, `/meterhouse"`, `/`+name+`"`, soakArchive, "").Replace(c.config())
	require.NotEqual(c.t, config, c.config())
	c.write(name+".yaml", config)
	a := attempt{name: "migrate", config: name + ".yaml", args: []string{"migrate", "--config", name + ".yaml"}}
	a.judge = func(code int, _ string, _ time.Time) string {
		if code != 0 {
			return "the exit code should be 0"
		}
		day := (c.first + 3).String()
		code, _, stderr := c.world.run("backfill", "--config", a.config, "--source", "bfi", "--from", day, "--to", day)
		if code != 0 {
			return "the warehouse takes no day: " + stderr
		}
		if _, faults := takePicture(c.t, c.world, a.config).faults(c.answers); len(faults) > 0 {
			return strings.Join(faults, "\n")
		}
		return ""
	}
	return a
}
