package main

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/schema"
)

// inFlight is how many requests for usage a process of a campaign has in flight at
// most, unless it is told otherwise. If more wait, two processes are at it.
const inFlight = 2

// TestProcessesAtOnce has several processes work on the same slices: they do work
// twice, and readers see every slice once.
func TestProcessesAtOnce(t *testing.T) {
	t.Parallel()
	processesAtOnce(t, func(*testing.T) string { return "" })
}

func processesAtOnce(t *testing.T, warehouse func(*testing.T) string) {
	t.Helper()
	for name, test := range map[string]func(*campaign){
		"two syncs into nothing": twoSyncs, "daemon and backfill": daemonAndBackfill, "prune and backfill": pruneAndBackfill,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(newCampaign(t, warehouse(t)))
		})
	}
}

// twoSyncs make the tables and load the same days, at the same time.
func twoSyncs(c *campaign) {
	began, release := time.Now(), c.hold()
	a := c.plainSync()
	one, two := c.world.start("sync", "--migrate"), c.world.start("sync", "--migrate")
	c.untilWaiting(inFlight + 1)
	release()
	codes := [2]int{one.wait(), two.wait()} // a picture is of no one moment while somebody publishes
	for i, p := range [2]*process{one, two} {
		c.judge(a, codes[i], p.stderr.String(), began)
		require.Regexp(c.t, `1[0-2] slices published`, p.stderr.String()) // the portal's may have been the other's
		require.NotContains(c.t, p.stderr.String(), "failed")
	}
	require.Equal(c.t, 24, c.now.rows(), "each wrote down what it did")
	// Both brought the same, and neither restated the other's.
	c.complete(c.plainSync())
	require.Equal(c.t, 24+recheck+metered, c.now.rows())
}

// daemonAndBackfill catch up on the same days.
func daemonAndBackfill(c *campaign) {
	c.load()
	a, backfill := c.daemon(), c.backfill()
	began, release := time.Now(), c.hold()
	daemon := c.world.start(a.args...)
	c.untilWaiting(1)
	other := c.world.start(backfill.args...)
	c.untilWaiting(inFlight + 1)
	release()
	code := other.wait()
	daemon.waitFor(`"pass finished"`)
	require.Contains(c.t, daemon.stderr.String(), `"failed":0`)
	daemon.signal(syscall.SIGTERM)
	require.Zero(c.t, daemon.wait())
	c.judge(backfill, code, other.stderr.String(), began)
	c.complete(c.plainSync())
}

// pruneAndBackfill: what the prune deletes is superseded by then, and what the
// backfill has in hand is not.
func pruneAndBackfill(c *campaign) {
	c.load()
	for day := range schema.Day(restated) {
		c.restateDay(c.first+day, false)
	}
	c.complete(c.plainSync())
	a, prune := c.backfill(), c.prune()
	began, release := time.Now(), c.hold()
	p := c.world.start(a.args...)
	c.untilWaiting(1)
	release()
	p.waitFor(fmt.Sprintf("[1/%d]", a.slices))
	release = c.hold()
	prunes := c.world.start(prune.args...)
	code := prunes.wait()
	release()
	c.judge(a, p.wait(), p.stderr.String(), began)
	c.judge(prune, code, prunes.stderr.String(), began)
	require.Contains(c.t, prunes.stdout.String(), "superseded")
	require.NotContains(c.t, prunes.stdout.String(), "orphan")
	c.complete(c.plainSync())
}

// The owner of the embedded engine is killed while another process uses it. That
// one goes on with the engine of whoever owns the folder next.
func TestTheOwnerOfTheEngineIsKilled(t *testing.T) {
	t.Parallel()
	c := newCampaign(t, "").load()
	backfill, began, release := c.backfill(), time.Now(), c.hold()
	owner := c.world.start("sync")
	c.untilWaiting(1)
	guest := c.world.start(backfill.args...)
	c.untilWaiting(inFlight + 1)
	owner.signal(syscall.SIGKILL)
	require.Equal(t, 137, owner.wait())
	release()
	guest.waitFor("trying the warehouse again")
	c.complete(c.plainSync())
	c.judge(backfill, guest.wait(), guest.stderr.String(), began)
	c.complete(c.plainSync())
}
