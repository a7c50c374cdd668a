package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/extract/bigfix/bigfixtest"
	"github.com/meterhouse/meterhouse/schema"
)

// withMounts tells a test process that it may mount.
const withMounts = "METERHOUSE_TEST_WITH_MOUNTS"

// mounting reports whether this process may mount. One that may not runs the test
// again in a process with mounts of its own, which end with it: root needs nothing
// for that, anybody else a kernel that lets users have name spaces.
func mounting(t *testing.T) bool {
	t.Helper()
	if os.Getenv(withMounts) != "" {
		return true
	}
	again := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	again.Env = append(os.Environ(), withMounts+"=1")
	again.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	if uid := os.Getuid(); uid != 0 {
		again.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
		again.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: uid, Size: 1}}
		again.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	out, err := again.CombinedOutput()
	require.NoError(t, err, "%s\nIf it was not permitted: this test mounts small disks, for which it must be root or the kernel must permit user name spaces.", out)
	require.Contains(t, string(out), "--- PASS: "+t.Name())
	return false
}

// disk is a small disk of its own.
type disk struct {
	t   *testing.T
	dir string
}

func newDisk(t *testing.T, dir, size string) disk {
	t.Helper()
	require.NoError(t, os.MkdirAll(dir, 0o700))
	require.NoError(t, syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size))
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(dir, syscall.MNT_DETACH)) })
	return disk{t, dir}
}

func (d disk) filler() string { return filepath.Join(d.dir, "filler") }

// fill leaves no byte of it.
func (d disk) fill() {
	d.t.Helper()
	f, err := os.Create(d.filler())
	require.NoError(d.t, err)
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	require.ErrorIs(d.t, err, syscall.ENOSPC)
}

func (d disk) free() {
	d.t.Helper()
	require.NoError(d.t, os.Remove(d.filler()))
}

func (d disk) readOnly(yes bool) {
	d.t.Helper()
	flags := uintptr(syscall.MS_REMOUNT)
	if yes {
		flags |= syscall.MS_RDONLY
	}
	require.NoError(d.t, syscall.Mount("tmpfs", d.dir, "tmpfs", flags, ""))
}

// firstDay begins the days of these tests.
const firstDay = "2026-03-01"

// backfillDays are the words that bring in the first days.
func backfillDays(t *testing.T, n int, more ...string) []string {
	t.Helper()
	first, err := schema.ParseDay(firstDay)
	require.NoError(t, err)
	return append([]string{"backfill", "--source", "bfi", "--from", firstDay, "--to", (first + schema.Day(n-1)).String()}, more...)
}

// requireDays holds what readers see to the source's truth, for so many days.
func requireDays(t *testing.T, w *world, n int) {
	t.Helper()
	first, err := schema.ParseDay(firstDay)
	require.NoError(t, err)
	requireTrueDays(t, w, first, first+schema.Day(n-1), true)
}

// TestFullDisks has no space left where the warehouse, the spool and the archive
// are, and an archive that cannot be written.
func TestFullDisks(t *testing.T) {
	t.Parallel()
	if !mounting(t) {
		return
	}
	t.Run("warehouse", testFullWarehouse)
	t.Run("spool", testFullSpool)
	for name, x := range map[string]struct {
		hurt, heal func(disk)
		says       string
	}{
		"full archive":      {disk.fill, disk.free, "no space left on device"},
		"read-only archive": {func(d disk) { d.readOnly(true) }, func(d disk) { d.readOnly(false) }, "read-only file system"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testHurtArchive(t, x.hurt, x.heal, x.says)
		})
	}
}

// testFullWarehouse fills the disk of the embedded warehouse while a daemon holds
// it: readers go on seeing what they saw, and once there is space again the same
// command completes.
func testFullWarehouse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{bigfix: bigfixtest.Options{Rows: 3000}, bigfixYAML: never, topYAML: "publish_delay: 10ms\n"})
	d := newDisk(t, filepath.Join(w.dir, "data"), "64m")
	w.must("sync", "--source", "portal")
	w.must(backfillDays(t, 2)...)
	w.daemon() // it has nothing to do
	before := w.readersView()

	d.fill()
	require.NoError(t, w.bigfix.Revise(firstDay, 1))
	code, _, stderr := w.run(backfillDays(t, 3, "--force")...)
	require.Equal(t, 3, code, stderr)
	require.Contains(t, stderr, "free space on the warehouse's disk")
	require.Contains(t, stderr, "; and the ledger does not know that: writing ")
	require.Contains(t, stderr, "readers see what they saw before")
	require.Contains(t, stderr, "0 slices published (0 rows), ")
	require.Equal(t, before, w.readersView())
	require.Contains(t, w.must("status"), "bfi default", "reading needs no space")
	code, stdout, _ := w.run("check")
	require.Equal(t, 1, code)
	require.Regexp(t, `(?m)^error +warehouse, disk: 0\.0 GiB free`, stdout)

	d.free()
	w.must(backfillDays(t, 3, "--force")...)
	requireDays(t, w, 3)
}

// testFullSpool has no space for what a source answers. A day that readers do not
// have yet needs none.
func testFullSpool(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{bigfix: bigfixtest.Options{Rows: 3000}, topYAML: "publish_delay: 10ms\n"})
	d := newDisk(t, filepath.Join(w.dir, "spool"), "1m")
	w.env = []string{"TMPDIR=" + d.dir}
	w.must(backfillDays(t, 1)...)
	d.fill()
	require.NoError(t, w.bigfix.Revise(firstDay, 1))
	before := w.readersView()
	code, _, stderr := w.run(backfillDays(t, 1, "--force", "--verbose")...)
	require.Equal(t, 3, code, stderr)
	require.Contains(t, stderr, "no space left on device; TMPDIR names the folder")
	require.Contains(t, stderr, `"error_class":"spool"`)
	require.Equal(t, before, w.readersView())
	w.must(backfillDays(t, 2)...)

	d.free()
	w.must(backfillDays(t, 2, "--force")...)
	requireDays(t, w, 2)
	left, err := os.ReadDir(d.dir)
	require.NoError(t, err)
	require.Empty(t, left)
}

// testHurtArchive has an archive that takes nothing any more. By its policy that is
// a failure, or published and said, and mended by the next pull.
func testHurtArchive(t *testing.T, hurt, heal func(disk), says string) {
	t.Helper()
	w := newWorld(t, worldOptions{bigfix: bigfixtest.Options{Rows: 300}, topYAML: inAFolder})
	d := newDisk(t, filepath.Join(w.dir, "archive"), "2m")
	w.must(backfillDays(t, 1)...)
	hurt(d)
	before := w.readersView()

	require.NoError(t, w.bigfix.Revise(firstDay, 1))
	code, _, stderr := w.run(backfillDays(t, 2, "--force")...)
	require.Equal(t, 3, code, stderr)
	require.Contains(t, stderr, says+"; without it the load is not published (archive.policy is required)")
	require.Equal(t, before, w.readersView())
	code, stdout, _ := w.run("check")
	require.Equal(t, 1, code)
	require.Regexp(t, `(?m)^error +archive, right to write: .*`+says, stdout)

	w.configure("file:./archive", "file:./archive, policy: best_effort")
	code, _, stderr = w.run(backfillDays(t, 2, "--force")...)
	require.Equal(t, 0, code, stderr)
	require.Contains(t, stderr, says)
	requireDays(t, w, 2)
	require.Equal(t, []string{"2"}, w.query("SELECT count() FROM loads WHERE status = 'published' AND reason LIKE '%; not archived: %'"))

	heal(d)
	require.Len(t, w.objects("manifest.json"), 1)
	w.must(backfillDays(t, 2, "--force")...)
	require.Len(t, w.objects("manifest.json"), 3)
	require.Empty(t, strings.TrimSpace(fmt.Sprint(w.must("archive", "verify"))))
}
