package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// ErrNoLibrary is returned by Open when libchdb is in none of the places where
// it is looked for. The error around it names them all and says what installs it.
var ErrNoLibrary = errors.New("libchdb, the engine of the embedded warehouse, is not installed")

// findLibrary returns the file to load: the given one if there is one, else the
// first that exists beside the executable or in a library folder of the system.
func findLibrary(given string) (string, error) {
	places := []string{given}
	if given == "" {
		places = libraryPlaces()
	}
	for _, place := range places {
		if info, err := os.Stat(place); err == nil && info.Mode().IsRegular() {
			return place, nil
		}
	}
	return "", fmt.Errorf("%w; looked for %s. In Meterhouse's source tree `make build` installs it; "+
		"elsewhere chDB's installer does (https://clickhouse.com/docs/chdb), "+
		"or set METERHOUSE_LIBCHDB to the path of the file", ErrNoLibrary, strings.Join(places, ", "))
}

// libraryPlaces lists the files that findLibrary tries. The library is called
// libchdb.so on every system, and has macOS's own ending in some packages.
func libraryPlaces() []string {
	names := []string{"libchdb.so"}
	if runtime.GOOS == "darwin" {
		names = append(names, "libchdb.dylib")
	}
	var places []string
	for _, folder := range libraryFolders() {
		for _, name := range names {
			places = append(places, filepath.Join(folder, name))
		}
	}
	return places
}

func libraryFolders() []string {
	var folders []string
	if executable, err := os.Executable(); err == nil {
		if behind, err := filepath.EvalSymlinks(executable); err == nil {
			executable = behind
		}
		folders = append(folders, filepath.Dir(executable))
	}
	folders = append(folders, "/usr/local/lib", "/usr/lib")
	if runtime.GOOS == "darwin" {
		return append(folders, "/opt/homebrew/lib")
	}
	folders = append(folders, "/usr/lib64")
	if triplet, ok := map[string]string{"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}[runtime.GOARCH]; ok {
		folders = append(folders, "/usr/lib/"+triplet) // Debian and its kin
	}
	return folders
}
