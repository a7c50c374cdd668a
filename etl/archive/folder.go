package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
)

// folder is a store in a directory. What it makes is for the user who runs
// Meterhouse alone.
type folder struct{ dir string }

const (
	folderMode = 0o700
	// temporary begins the names of files that are being written.
	temporary = ".tmp-"
)

func (f *folder) path(key string) string { return filepath.Join(f.dir, filepath.FromSlash(key)) }

func (f *folder) put(_ context.Context, key string, body io.ReadSeeker, size int64) error {
	path := f.path(key)
	err := f.write(path, body, size)
	if errors.Is(err, fs.ErrNotExist) { // the folder was removed as empty in this moment
		if _, err := body.Seek(0, io.SeekStart); err != nil {
			return fmt.Errorf("reading from the start again: %w", err)
		}
		err = f.write(path, body, size)
	}
	return err
}

// write brings the file to the disk before its name, and its name before it
// returns.
func (f *folder) write(path string, body io.Reader, size int64) (err error) {
	dir := filepath.Dir(path)
	above := existing(dir)
	if err := os.MkdirAll(dir, folderMode); err != nil {
		return err //nolint:wrapcheck // names the folder
	}
	t, err := os.CreateTemp(dir, temporary+"*") // mode 0600
	if err != nil {
		return err //nolint:wrapcheck // names the file
	}
	defer func() {
		if err != nil {
			_ = t.Close()
			_ = os.Remove(t.Name())
		}
	}()
	n, err := io.Copy(t, body)
	if err == nil && n != size {
		err = fmt.Errorf("%d of %d bytes were there to be written", n, size)
	}
	if err == nil {
		err = t.Sync()
	}
	if err == nil {
		err = t.Close()
	}
	if err == nil {
		err = os.Rename(t.Name(), path)
	}
	if err != nil {
		return err
	}
	return syncFolders(dir, above)
}

// existing is the lowest folder of the path that is there.
func existing(dir string) string {
	for {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

// syncFolders brings what is new in dir, and in the folders from there up to
// above, to the disk.
func syncFolders(dir, above string) error {
	for ; ; dir = filepath.Dir(dir) {
		d, err := os.Open(dir) //nolint:gosec // the archive's, or above it
		if err != nil {
			return err //nolint:wrapcheck // names the folder
		}
		err = d.Sync()
		_ = d.Close()
		if err != nil || dir == above || dir == filepath.Dir(dir) {
			return err //nolint:wrapcheck // names the folder
		}
	}
}

func (f *folder) get(_ context.Context, key string) (io.ReadCloser, error) {
	file, err := os.Open(f.path(key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errAbsent
	}
	return file, err //nolint:wrapcheck // names the file
}

func (f *folder) list(ctx context.Context, prefix string) iter.Seq2[object, error] {
	return func(yield func(object, error) bool) {
		err := filepath.WalkDir(f.path(prefix), func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // nothing archived yet, or removed while we look
			}
			if err == nil {
				err = ctx.Err()
			}
			if err != nil || d.IsDir() {
				return err
			}
			info, err := d.Info()
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil {
				return err
			}
			key, err := filepath.Rel(f.dir, path)
			if err == nil && !yield(object{filepath.ToSlash(key), info.Size()}, nil) {
				return fs.SkipAll
			}
			return err
		})
		if err != nil {
			yield(object{}, err)
		}
	}
}

func (f *folder) remove(_ context.Context, key string) error {
	path := f.path(key)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err //nolint:wrapcheck // names the file
	}
	// The folders of the load and of the day, when this was the last in them.
	for dir := filepath.Dir(path); dir != f.dir && os.Remove(dir) == nil; {
		dir = filepath.Dir(dir)
	}
	return nil
}
