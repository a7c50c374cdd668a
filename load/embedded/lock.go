package embedded

import (
	"errors"
	"os"
	"syscall"
)

// Locks are the kernel's: a killed process holds none, so nothing it leaves
// behind stops the next one.
const (
	exclusive = syscall.LOCK_EX
	shared    = syscall.LOCK_SH
)

// errLocked is returned by tryLock when another process holds the lock.
var errLocked = errors.New("locked by another process")

// tryLock locks a file without waiting. Closing the file gives the lock back.
func tryLock(path string, how int) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // a file of the data folder
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), how|syscall.LOCK_NB); err != nil {
		_ = file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errLocked
		}
		return nil, err
	}
	return file, nil
}
