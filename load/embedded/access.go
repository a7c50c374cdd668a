package embedded

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Files in the data folder, beside the engine's own folder.
const (
	accessFile   = "access.json"   // users and keys, mode 0600
	endpointFile = "endpoint.json" // where the owner listens
	lockFile     = "lock"          // locked by the owner
	guestsFile   = "guests"        // locked, shared, by every process that uses the owner's endpoint
	portFile     = "port"          // the port of the last owner
	engineFolder = "clickhouse"    // the engine's own
)

// access holds the users of a data folder: one that may do everything and one
// that may read. They are made with the folder and stay.
type access struct {
	User       string `json:"user"`
	Key        string `json:"key"`
	ReaderUser string `json:"reader_user"`
	ReaderKey  string `json:"reader_key"`
}

// ensureAccess reads the folder's users, or makes them.
func ensureAccess(dir string) (access, error) {
	a, err := readAccess(dir)
	if !errors.Is(err, fs.ErrNotExist) {
		return a, err
	}
	a = access{User: "meterhouse", Key: newKey(), ReaderUser: "reader", ReaderKey: newKey()}
	if err := writeJSON(filepath.Join(dir, accessFile), a); err != nil {
		return access{}, fmt.Errorf("writing the access file: %w", err)
	}
	return a, nil
}

func readAccess(dir string) (access, error) {
	var a access
	if err := readJSON(filepath.Join(dir, accessFile), &a); err != nil {
		return access{}, fmt.Errorf("reading the access file: %w", err)
	}
	return a, nil
}

func newKey() string {
	key := make([]byte, 24)
	_, _ = rand.Read(key) // never fails
	return hex.EncodeToString(key)
}

func readJSON(path string, v any) error {
	text, err := os.ReadFile(path) //nolint:gosec // a file of the data folder
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// writeJSON replaces a file in one step, readable by its owner only.
func writeJSON(path string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(file.Name()) }() // gone by then, unless something failed
	if _, err := file.Write(append(text, '\n')); err != nil {
		_ = file.Close()
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}
