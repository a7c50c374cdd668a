package archive

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// spoolPrefix is how the names of recordings' folders begin.
const spoolPrefix = "meterhouse-spool-"

// spool is the folder of one recording. Its lock is the kernel's: who is killed
// holds none, and that tells the folders nobody needs from those in use.
type spool struct {
	dir  string
	lock *os.File
}

// newSpool makes a folder in dir and locks it. A sweep may take it in between:
// then there is another one.
func newSpool(dir string) (*spool, error) {
	for {
		made, err := os.MkdirTemp(dir, spoolPrefix) // mode 0700
		if err != nil {
			return nil, err //nolint:wrapcheck // names the folder
		}
		lock, err := lockFolder(made)
		if err == nil {
			if held, herr := lock.Stat(); herr == nil && isStill(made, held) {
				return &spool{dir: made, lock: lock}, nil
			}
			_ = lock.Close()
			continue
		}
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.Join(fmt.Errorf("locking %s: %w", made, err), os.Remove(made))
		}
	}
}

// isStill tells whether the folder at a path is that one, and not gone.
func isStill(path string, held os.FileInfo) bool {
	there, err := os.Stat(path)
	return err == nil && os.SameFile(there, held)
}

// remove removes the folder, and lets go of it last.
func (s *spool) remove() {
	_ = os.RemoveAll(s.dir)
	_ = s.lock.Close()
}

// lockFolder locks a folder without waiting. Closing it gives the lock back.
func lockFolder(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0) //nolint:gosec // a folder of recordings
	if err != nil {
		return nil, err //nolint:wrapcheck // names the folder
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, err //nolint:wrapcheck // the caller compares it
	}
	return f, nil
}

// SweepRecordings removes from dir, "" for the system's temporary folder, the
// recordings of processes that were killed. It leaves those alone that are in use,
// and those of other users.
func SweepRecordings(dir string) error {
	if dir == "" {
		dir = os.TempDir()
	}
	found, err := filepath.Glob(filepath.Join(dir, spoolPrefix+"*"))
	if err != nil {
		return fmt.Errorf("looking for recordings that were left behind: %w", err)
	}
	var errs []error
	for _, path := range found {
		lock, err := lockFolder(path)
		if err != nil {
			continue // in use, gone by now, or not ours
		}
		errs = append(errs, os.RemoveAll(path), lock.Close())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("removing recordings that were left behind: %w", err)
	}
	return nil
}
