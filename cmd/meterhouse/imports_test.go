package main_test

import (
	"fmt"
	"go/ast"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/meterhouse/meterhouse"

// rooms says for each folder which folders of this module its packages may
// import. "x" is that one package, "x/..." the package and everything below.
// The longest matching room decides.
var rooms = map[string][]string{
	"cmd": {"cmd/...", "etl/...", "extract/...", "load/...", "schema/..."},

	"extract":             {},
	"extract/internal":    {"extract", "extract/internal/..."},
	"extract/bigfix":      {"extract", "extract/internal/...", "extract/extracttest/...", "extract/bigfix/..."},
	"extract/nexthink":    {"extract", "extract/internal/...", "extract/extracttest/...", "extract/nexthink/..."},
	"extract/extracttest": {"extract", "extract/internal/...", "extract/extracttest/..."},

	"schema": {"schema/..."},

	"etl/archive":   {"etl/archive/...", "schema/...", "extract"},
	"etl/notify":    {"etl/...", "schema/...", "extract"},
	"etl/normalise": {"etl/normalise/...", "schema/...", "extract"},
	"etl/plan":      {"etl/plan/...", "schema/...", "extract"},
	"etl/run":       {"etl/...", "schema/...", "extract"},
	"etl/schedule":  {"etl/...", "schema/...", "extract"},
	"etl/serve":     {"etl/...", "schema/...", "extract"},

	"load": {"load/...", "schema/..."},
}

// owners says which folders alone may import a package of somebody else.
var owners = map[string][]string{
	"github.com/ClickHouse/clickhouse-go": {"load/..."},
	"github.com/ClickHouse/ch-go":         {"load/..."},
	"github.com/ebitengine/purego":        {"load/embedded/..."},
	"github.com/robfig/cron":              {"etl/schedule", "cmd/internal/config"},
	"github.com/minio/minio-go":           {"etl/archive"},
	"github.com/prometheus/client_golang": {"etl/serve"},
	"github.com/nicholas-fedor/shoutrrr":  {"etl/notify"},
}

// simulatorUsers are the only folders whose production code may import a test
// room: the demo and `simulate` run the simulators.
var simulatorUsers = []string{"cmd/internal/cli", "cmd/internal/wire"}

func TestNoArrowThatTheTableDoesNotAllow(t *testing.T) {
	t.Parallel()
	for _, f := range goFiles(t) {
		for _, fault := range append(arrowFaults(f), environmentFaults(f)...) {
			t.Error(fault)
		}
	}
}

// arrowFaults names every import of the file that the tables forbid.
func arrowFaults(f goFile) []string {
	room, may := roomOf(f.folder())
	if room == "" {
		return []string{f.path + ": this folder is in no room; give it a line in the table of rooms"}
	}
	var faults []string
	for _, spec := range f.ast.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			panic("BUG: the parser accepted the import " + spec.Path.Value)
		}
		if rule := brokenRule(f, may, imported); rule != "" {
			faults = append(faults, fmt.Sprintf("%s: %s -> %s: %s", f.path, f.folder(), imported, rule))
		}
	}
	return faults
}

// brokenRule says which rule the import breaks, "" for none.
func brokenRule(f goFile, may []string, imported string) string {
	for name, folders := range owners {
		// A test of the whole program may look at it through any library.
		ofTheProgram := f.isTest() && within(f.folder(), "cmd/...")
		if within(imported, name+"/...") && !matches(f.folder(), folders) && !ofTheProgram {
			return "only " + strings.Join(folders, ", ") + " may import it"
		}
	}
	to, ours := strings.CutPrefix(imported, module+"/")
	switch {
	case !ours || to == f.folder():
		return ""
	case isTestRoom(to) && f.isTest():
		return ""
	case isTestRoom(to) && !isTestRoom(f.folder()) && !matches(f.folder(), simulatorUsers):
		return "only tests, " + strings.Join(simulatorUsers, ", ") + " may import a test room"
	case !matches(to, may):
		return "it may import of this module only [" + strings.Join(may, " ") + "]"
	}
	return ""
}

// roomOf is the longest room that holds the folder, and what it may import.
func roomOf(folder string) (room string, may []string) {
	for name, list := range rooms {
		if within(folder, name+"/...") && len(name) > len(room) {
			room, may = name, list
		}
	}
	return room, may
}

// isTestRoom tells the rooms that only serve tests and the demo by their
// names: bigfixtest, loadtest, ... and all below them.
func isTestRoom(folder string) bool {
	return slices.ContainsFunc(strings.Split(folder, "/"), func(name string) bool {
		return strings.HasSuffix(name, "test") && name != "test"
	})
}

func matches(folder string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return within(folder, p) })
}

// within reports whether folder is the pattern or, for "x/...", x or below it.
func within(folder, pattern string) bool {
	base, deep := strings.CutSuffix(pattern, "/...")
	return folder == base || deep && strings.HasPrefix(folder, base+"/")
}

// environmentFaults names every place that reads the environment where it must
// not. main may hand os.LookupEnv over to the reader.
func environmentFaults(f goFile) []string {
	if f.isTest() || isTestRoom(f.folder()) || f.folder() == "cmd/internal/config" || f.path == "cmd/meterhouse/main.go" {
		return nil
	}
	var faults []string
	ast.Inspect(f.ast, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		pkg, ok := sel.X.(*ast.Ident)
		if ok && pkg.Name == "os" && slices.Contains([]string{"Getenv", "LookupEnv", "Environ"}, sel.Sel.Name) {
			faults = append(faults, fmt.Sprintf("%s: os.%s: only cmd/internal/config reads the environment",
				f.fset.Position(n.Pos()), sel.Sel.Name))
		}
		return true
	})
	return faults
}

// The rules have to be able to fail: files invented for it break each of them.
func TestArrowRules(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		path, imports string
		fault         string // "" for allowed
	}{
		{"cmd/internal/wire/wire.go", module + "/load", ""},
		{"cmd/internal/cli/demo.go", module + "/extract/bigfix/bigfixtest", ""},
		{"extract/bigfix/pull.go", module + "/extract", ""},
		{"extract/bigfix/pull.go", module + "/extract/internal/httpx", ""},
		{"extract/bigfix/pull.go", module + "/schema", "extract/bigfix -> " + module + "/schema: it may import"},
		{"extract/bigfix/pull.go", module + "/extract/nexthink", "it may import"},
		{"extract/source.go", module + "/extract/internal/httpx", "it may import"},
		{"extract/bigfix/pull_test.go", module + "/extract/bigfix/bigfixtest", ""},
		{"extract/bigfix/pull.go", module + "/extract/bigfix/bigfixtest", "only tests, cmd/internal/cli"},
		{"extract/bigfix/pull.go", module + "/extract/extracttest/simfault", "only tests, cmd/internal/cli"},
		{"extract/bigfix/bigfixtest/server.go", module + "/extract/extracttest/simfault", ""},
		{"cmd/internal/wire/ladder_test.go", module + "/extract/extracttest/simfault", ""},
		{"cmd/internal/config/config.go", module + "/extract/bigfix/bigfixtest", "only tests, cmd/internal/cli"},
		{"schema/day.go", module + "/load", "it may import"},
		{"schema/day.go", module + "/extract", "it may import"},
		{"etl/normalise/license.go", module + "/extract", ""},
		{"etl/normalise/license.go", module + "/extract/bigfix", "it may import"},
		{"etl/normalise/license.go", module + "/load", "it may import"},
		{"etl/plan/plan.go", module + "/etl/run", "it may import"},
		{"etl/run/run.go", module + "/etl/archive", ""},
		{"etl/archive/archive.go", module + "/etl/run", "it may import"},
		{"etl/run/run.go", "github.com/minio/minio-go/v7", "only etl/archive may import it"},
		{"etl/run/run.go", module + "/etl/normalise", ""},
		{"etl/run/run.go", module + "/load", "it may import"},
		{"etl/run/run_test.go", module + "/load/loadtest", ""},
		{"load/embedded/open.go", module + "/load", ""},
		{"load/embedded/open.go", module + "/extract", "it may import"},
		{"load/embedded/open.go", "github.com/ClickHouse/ch-go/compress", ""},
		{"load/insert.go", "github.com/ClickHouse/clickhouse-go/v2", ""},
		{"schema/rows.go", "github.com/ClickHouse/clickhouse-go/v2/lib/column", "only load/... may import it"},
		{"cmd/internal/cli/query.go", "github.com/ClickHouse/clickhouse-go/v2", "only load/... may import it"},
		{"cmd/meterhouse/reader_test.go", "github.com/ClickHouse/clickhouse-go/v2", ""},
		{"etl/schedule/schedule.go", "github.com/robfig/cron/v3", ""},
		{"etl/run/run.go", "github.com/robfig/cron/v3", "only etl/schedule, cmd/internal/config may import it"},
		{"load/load.go", "github.com/ebitengine/purego", "only load/embedded/... may import it"},
		{"tools/gen.go", "fmt", "in no room"},
	} {
		t.Run(tc.path+" "+tc.imports, func(t *testing.T) {
			t.Parallel()
			f := parseFile(t, tc.path, []byte("package p\n\nimport _ "+strconv.Quote(tc.imports)+"\n"))
			requireFault(t, arrowFaults(f), tc.fault)
		})
	}
}

func TestEnvironmentRule(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ path, body, fault string }{
		{"load/open.go", `os.Getenv("X")`, "load/open.go:5:9: os.Getenv: only cmd/internal/config"},
		{"cmd/internal/cli/root.go", `os.LookupEnv("X")`, "os.LookupEnv: only"},
		{"cmd/internal/cli/root.go", `os.Environ`, "os.Environ: only"},
		{"cmd/internal/config/secret.go", `os.Getenv("X")`, ""},
		{"cmd/meterhouse/main.go", `os.LookupEnv`, ""},
		{"load/open_test.go", `os.Getenv("X")`, ""},
		{"load/loadtest/server.go", `os.Getenv("X")`, ""},
		{"load/open.go", `os.Hostname`, ""},
	} {
		t.Run(tc.path+" "+tc.body, func(t *testing.T) {
			t.Parallel()
			f := parseFile(t, tc.path, []byte("package p\n\nimport \"os\"\n\nvar _ = "+tc.body+"\n"))
			requireFault(t, environmentFaults(f), tc.fault)
		})
	}
}

// requireFault expects one fault that says want, or none when want is "".
func requireFault(t *testing.T, faults []string, want string) {
	t.Helper()
	if want == "" {
		require.Empty(t, faults)
		return
	}
	require.Len(t, faults, 1)
	require.Contains(t, faults[0], want)
}
