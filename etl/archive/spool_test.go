package archive_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/etl/archive"
)

// spoolDir tells the test binary to record there until it is killed.
const spoolDir = "METERHOUSE_TEST_SPOOL"

// A process that is killed leaves its recording behind. The next one removes it,
// and nothing that is in use.
func TestRecordingsOfKilledProcessesAreSwept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=TestRecordUntilKilled$")
	child.Env = append(os.Environ(), spoolDir+"="+dir)
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	_, err = bufio.NewReader(out).ReadString('\n') // it has begun
	require.NoError(t, err)
	own, err := archive.NewRecording(archive.RecordingOptions{Dir: dir})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "meterhouse-spool-not-a-folder.txt"), nil, 0o600))

	require.NoError(t, archive.SweepRecordings(dir))
	require.Len(t, folders(t, dir), 2, "both are in use")

	require.NoError(t, child.Process.Kill())
	_ = child.Wait()
	require.NoError(t, archive.SweepRecordings(dir))
	require.Len(t, folders(t, dir), 1)
	own.Remove()
	require.Empty(t, folders(t, dir))
	require.FileExists(t, filepath.Join(dir, "meterhouse-spool-not-a-folder.txt"))
	require.NoError(t, archive.SweepRecordings(filepath.Join(dir, "not there")))
}

// TestRecordUntilKilled is the process that TestRecordingsOfKilledProcessesAreSwept
// kills; on its own it does nothing.
func TestRecordUntilKilled(t *testing.T) {
	t.Parallel()
	dir := os.Getenv(spoolDir)
	if dir == "" {
		return
	}
	_, err := archive.NewRecording(archive.RecordingOptions{Dir: dir})
	require.NoError(t, err)
	_, _ = os.Stdout.WriteString("recording\n")
	<-t.Context().Done()
}

// Recordings that begin while others sweep are never taken from under them.
func TestSweepingBesideRecordings(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 200 {
				r, err := archive.NewRecording(archive.RecordingOptions{Dir: dir})
				if !assert.NoError(t, err) {
					return
				}
				assert.NoError(t, archive.SweepRecordings(dir))
				assert.DirExists(t, r.Folder())
				r.Remove()
			}
		})
	}
	all.Wait()
}

func folders(t *testing.T, dir string) []os.DirEntry {
	t.Helper()
	var out []os.DirEntry
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		if e.IsDir() {
			out = append(out, e)
		}
	}
	return out
}
