package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Names of the environment variables that Meterhouse itself knows. Others are
// read only where the file names them (token_env, password_env).
const (
	EnvConfig  = "METERHOUSE_CONFIG"  // the configuration file
	EnvLibchdb = "METERHOUSE_LIBCHDB" // the library of the embedded warehouse

	// Those of Amazon's own tools, for an archive in a bucket.
	EnvAccessKey     = "AWS_ACCESS_KEY_ID"
	EnvSecretKey     = "AWS_SECRET_ACCESS_KEY" //nolint:gosec // a name, not a key
	EnvSessionToken  = "AWS_SESSION_TOKEN"     //nolint:gosec // a name, not a token
	EnvRegion        = "AWS_REGION"
	EnvDefaultRegion = "AWS_DEFAULT_REGION"
)

// DefaultFile is read when neither the command line nor EnvConfig names one.
const DefaultFile = "meterhouse.yaml"

const maxFileBytes = 1 << 20

// Env reads one variable of this process's environment, "" when it is not set.
func Env(name string) string { return os.Getenv(name) }

// Path is the file that Load reads when it is given path.
func Path(path string, env func(string) string) string {
	if path == "" {
		path = env(EnvConfig)
	}
	if path == "" {
		path = DefaultFile
	}
	return path
}

// Load reads the configuration file, "" for the one that EnvConfig names or
// else meterhouse.yaml in the working folder. What is wrong inside the file is
// an *Error with all faults; a file that is not there is fs.ErrNotExist.
// Relative paths in the file start at the file's own folder.
func Load(path string, env func(string) string) (*Config, error) {
	return load(path, env, opened{sources: true, archive: true})
}

// LoadForWarehouse is Load for commands that talk to the warehouse only: it
// leaves the secrets and CA files of the sources alone, so a command like
// status runs where they are not readable.
func LoadForWarehouse(path string, env func(string) string) (*Config, error) {
	return load(path, env, opened{})
}

// LoadForArchive is Load for commands that use the warehouse and the archive:
// like LoadForWarehouse it leaves the sources' secrets alone, so that a replay
// works where they are lost.
func LoadForArchive(path string, env func(string) string) (*Config, error) {
	return load(path, env, opened{archive: true})
}

// opened says whose secrets and CA files are read. The warehouse's always are.
type opened struct{ sources, archive bool }

func load(path string, env func(string) string, open opened) (*Config, error) {
	path = Path(path, env)
	text, err := readLimited(path, maxFileBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the configuration: there is no %q (%w); `meterhouse init` writes a starter, --config or %s names another file",
			path, fs.ErrNotExist, EnvConfig)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the configuration %q: %w", path, err)
	}
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("finding the folder of the configuration: %w", err)
	}
	r := &reader{file: path, dir: dir, env: env, now: time.Now(), openSources: open.sources, openArchive: open.archive}
	cfg := &Config{}
	if top := r.parse(text); top != nil {
		cfg = top.config()
	}
	if len(r.faults) > 0 {
		sortFaults(r.faults)
		return nil, &Error{Faults: r.faults}
	}
	sortFaults(r.warnings)
	cfg.Warnings = r.warnings
	return cfg, nil
}

// readLimited reads a whole file of at most limit bytes.
func readLimited(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read from
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(text)) > limit {
		return nil, fmt.Errorf("larger than %d bytes", limit)
	}
	return text, nil
}
