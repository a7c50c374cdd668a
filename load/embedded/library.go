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

func libraryPlaces() []string {
	name := libraryName(runtime.GOOS)
	var places []string
	if executable, err := os.Executable(); err == nil {
		if real, err := filepath.EvalSymlinks(executable); err == nil {
			executable = real
		}
		places = append(places, filepath.Join(filepath.Dir(executable), name))
	}
	folders := []string{"/usr/local/lib", "/usr/lib", "/opt/homebrew/lib"}
	if runtime.GOOS == "linux" {
		folders = []string{"/usr/local/lib", "/usr/lib", "/usr/lib64", "/usr/lib/" + multiarch(runtime.GOARCH)}
	}
	for _, folder := range folders {
		places = append(places, filepath.Join(folder, name))
		if runtime.GOOS == "darwin" { // the vendor's installer keeps Linux's name there
			places = append(places, filepath.Join(folder, "libchdb.so"))
		}
	}
	return places
}

func libraryName(goos string) string {
	if goos == "darwin" {
		return "libchdb.dylib"
	}
	return "libchdb.so"
}

// multiarch is Debian's name of the architecture in library paths.
func multiarch(goarch string) string {
	if goarch == "arm64" {
		return "aarch64-linux-gnu"
	}
	return "x86_64-linux-gnu"
}
