//go:build server

package faulttest_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/load"
	"github.com/meterhouse/meterhouse/load/loadtest"
	"github.com/meterhouse/meterhouse/schema"
)

// requireClass holds the error of a slice to a class and to words that its
// operator needs.
func requireClass(t *testing.T, err error, class load.Class, words ...string) {
	t.Helper()
	var e *load.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, class, e.Class, err)
	for _, w := range words {
		require.ErrorContains(t, err, w)
	}
	require.NotContains(t, err.Error(), loadtest.ServerPassword)
}

// TestKilledMidInsert kills the server while the second block is on its way, and
// starts it again: the slice comes in under another load id.
func TestKilledMidInsert(t *testing.T) {
	t.Parallel()
	s := newStage(t, twoBlocks, loadtest.ServerOptions{})
	end := s.when(insertsFacts, 2, func() {
		s.server.Kill(t)
		s.server.Start(t)
	})

	require.NoError(t, end().Err)
	require.NotEmpty(t, s.retried)
	require.Equal(t, []schema.Status{schema.Published}, s.states())
	s.settle(1)
}

// TestKilledBeforePublication kills it between the last insert and the
// publication: the ledger is written when the server is back.
func TestKilledBeforePublication(t *testing.T) {
	t.Parallel()
	s := newStage(t, oneBlock, loadtest.ServerOptions{})
	end := s.when(insertsLedger, 1, func() {
		s.server.Kill(t)
		s.server.Start(t)
	})

	require.NoError(t, end().Err)
	require.Empty(t, s.retried, "the load itself is good")
	require.NotEmpty(t, s.again)
	s.settle(1)
}

// TestFrozenMidInsert stops the server's process for longer than the time-out.
// When it goes on it finishes an insert that nobody waits for any more.
func TestFrozenMidInsert(t *testing.T) {
	t.Parallel()
	s := newStage(t, oneBlock, loadtest.ServerOptions{})
	s.timeout = short
	end := s.when(sendsFacts, 2, func() {
		s.server.Freeze(t)
	})
	<-s.retried
	<-s.again
	s.server.Thaw(t)

	require.NoError(t, end().Err)
	s.settle(1)
}

// TestFrozenForGood does not thaw until the slice is given up: the error names
// the time-out, and the next run completes.
func TestFrozenForGood(t *testing.T) {
	t.Parallel()
	s := newStage(t, oneBlock, loadtest.ServerOptions{})
	s.timeout = short
	end := s.when(sendsFacts, 2, func() {
		s.server.Freeze(t)
	})

	o := end()
	requireClass(t, o.Err, load.Unreachable, "no answer within 5s", "timeout")
	s.server.Thaw(t)
	s.settle(0)
}

// TestTooManyParts has the server refuse inserts because its merges do not keep up.
func TestTooManyParts(t *testing.T) {
	t.Parallel()
	s := newStage(t, twoBlocks, loadtest.ServerOptions{})
	s.server.Configure(t, "<merge_tree><parts_to_delay_insert>1</parts_to_delay_insert><parts_to_throw_insert>3</parts_to_throw_insert>"+
		"<max_bytes_to_merge_at_max_space_in_pool>1</max_bytes_to_merge_at_max_space_in_pool></merge_tree>")
	o := s.run(1)
	requireClass(t, o.Err, load.Busy, "code: 252")
	require.Len(t, s.retried, 2)

	s.server.Configure(t, "")
	s.settle(0)
}

// TestReadOnlyUser has an administrator take the right to write away: nothing
// can be recorded, and what readers see stays.
func TestReadOnlyUser(t *testing.T) {
	t.Parallel()
	s := newStage(t, oneBlock, loadtest.ServerOptions{})
	s.server.SetUser(t, loadtest.ServerPassword, "<readonly>1</readonly>")
	s.server.Kill(t)
	s.server.Start(t)

	o := s.run(1)
	requireClass(t, o.Err, load.Forbidden, "code: 164")
	require.Empty(t, s.retried, "asking again would not help")
	require.Empty(t, s.states())

	found := loadtest.Open(t, s.options(s.server.Native)).Preflight(t.Context())
	require.Contains(t, found, load.Finding{
		What: "settings", Level: load.Fault,
		Says: "the user has readonly = 1 and can load nothing; give the user a profile without it",
	})
	s.server.SetUser(t, loadtest.ServerPassword, "")
	s.server.Kill(t)
	s.server.Start(t)
	s.settle(0)
}

// TestPasswordChangedMidRun has connections that still work, and new ones that
// do not.
func TestPasswordChangedMidRun(t *testing.T) {
	t.Parallel()
	s := newStage(t, twoBlocks, loadtest.ServerOptions{})
	end := s.when(insertsFacts, 2, func() {
		s.server.SetUser(t, "another password", "")
		s.server.Kill(t)
		s.server.Start(t)
	})

	o := end()
	requireClass(t, o.Err, load.Credentials, "code: 193", "check the user in warehouse.url and its password")
	require.LessOrEqual(t, len(s.retried), 1, "a wrong password is not tried again")
	s.server.SetUser(t, loadtest.ServerPassword, "")
	s.server.Kill(t)
	s.server.Start(t)
	s.settle(0)
}

// TestColumnDropped has somebody alter a table between two runs.
func TestColumnDropped(t *testing.T) {
	t.Parallel()
	s := newStage(t, oneBlock, loadtest.ServerOptions{})
	s.exec("ALTER TABLE license_usage_versions DROP COLUMN server_vendor")

	o := s.run(1)
	requireClass(t, o.Err, load.Schema, "server_vendor", "meterhouse migrate")
	require.Equal(t, []schema.Status{schema.Failed}, s.states())
	require.Empty(t, s.retried)

	s.exec("ALTER TABLE license_usage_versions ADD COLUMN server_vendor LowCardinality(String)")
	s.settle(0)
}

// TestDiskFull gives the server a small disk, which a day's rows do not fit on.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	require.Zero(t, os.Geteuid(), "only root may mount a small disk")
	disk := t.TempDir()
	out, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", disk).CombinedOutput()
	require.NoError(t, err, "%s", out)
	t.Cleanup(func() { require.NoError(t, exec.CommandContext(context.Background(), "umount", "-l", disk).Run()) })
	s := newStage(t, oneBlock, loadtest.ServerOptions{Data: disk})
	filler := filepath.Join(disk, "filler")
	require.ErrorIs(t, fill(filler), syscall.ENOSPC)

	o := s.run(1)
	requireClass(t, o.Err, load.Full, "free space on the warehouse's disk")
	require.Empty(t, s.retried)
	require.NoError(t, os.Remove(filler))
	s.settle(0)
}

// fill writes until there is no space left.
func fill(name string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	for chunk := make([]byte, 4096); ; {
		if _, err := f.Write(chunk); err != nil {
			return err
		}
	}
}
