package main

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/extract/bigfix/bigfixtest"
)

// A daemon owns the embedded warehouse and is killed while a backfill, its guest,
// rests between the last insert and the publication. When the daemon is back soon,
// the backfill publishes as if nothing had been.
func TestOwnerKilledBetweenInsertAndPublication(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{
		bigfix: bigfixtest.Options{Rows: 100}, bigfixYAML: never, topYAML: strings.Replace(inAFolder, "10ms", "2s", 1),
	})
	w.must("sync", "--source", "portal")
	owner, _ := w.daemon() // it has nothing to do
	archived := len(w.objects("manifest.json"))
	guest := w.start(backfillDays(t, 1)...)
	// What is archived is inserted and verified, and waits for its publication.
	require.Eventually(t, func() bool { return len(w.objects("manifest.json")) > archived }, time.Minute, 5*time.Millisecond)
	owner.signal(syscall.SIGKILL)
	owner.wait()
	require.NotContains(t, guest.stderr.String(), "published")

	guest.waitFor("the meterhouse process that held the embedded warehouse in " + filepath.Join(w.dir, "data") + " is gone: start it again")

	w.daemon()
	require.Zero(t, guest.wait(), guest.stderr.String())
	requireDays(t, w, 1)
	require.Equal(t, []string{"1"}, w.query("SELECT count() FROM loads WHERE source = 'bfi'"))
}
