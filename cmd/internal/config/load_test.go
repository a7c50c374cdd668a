package config_test

import (
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/cmd/internal/config"
	"github.com/meterhouse/meterhouse/schema"
)

// complete has one source of each kind and no key that has a default, but for
// those whose absence draws a warning.
const complete = `warehouse:
  url: embedded:./data
sources:
  - name: bfi
    kind: bigfix
    url: https://bigfix.example.com:9081
    token_file: token
  - name: nx
    kind: nexthink
    url: https://portal.example.com
    user: meterhouse
    password_file: password
    targets:
      - name: visio
        metric: 52fa2b8b
        program: 8b37ddb4
        path: [Europe]
`

// setup writes a configuration with the secret files that complete names and
// gives its folder.
func setup(tb testing.TB, text string) (dir string) {
	tb.Helper()
	dir = tb.TempDir()
	put(tb, dir, "meterhouse.yaml", text)
	put(tb, dir, "token", "t0ken\n")
	put(tb, dir, "password", "passw0rd\r\n")
	return dir
}

func put(tb testing.TB, dir, name, text string) {
	tb.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	require.NoError(tb, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(tb, os.WriteFile(path, []byte(text), 0o600))
}

// environment is an environment with these variables.
func environment(namesAndValues ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(namesAndValues); i += 2 {
			if namesAndValues[i] == name {
				return namesAndValues[i+1]
			}
		}
		return ""
	}
}

func load(tb testing.TB, dir string, env ...string) *config.Config {
	tb.Helper()
	c, err := config.Load(filepath.Join(dir, "meterhouse.yaml"), environment(env...))
	require.NoError(tb, err)
	return c
}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	require.NoError(t, err)
	return loc
}

func address(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	require.NoError(t, err)
	return u
}

func TestEveryKeyReachesItsPlace(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/every_key.yaml")
	require.NoError(t, err)
	dir := setup(t, string(text))
	put(t, dir, "secrets/clickhouse", "click")
	put(t, dir, "secrets/access", "AKIA1\n")
	put(t, dir, "secrets/secret", "s3cret\n")
	put(t, dir, "secrets/teams", "teams://abc@1/2/3\n")
	put(t, dir, "ca.pem", certificate(t))

	start, err := schema.ParseDay("2025-01-01")
	require.NoError(t, err)
	got := load(t, dir, "BFI_TOKEN", "from-the-environment", "METERHOUSE_LIBCHDB", "/opt/libchdb.so",
		"AWS_SESSION_TOKEN", "session", "PAGER", "generic+https://example.com/s3cret")
	require.Len(t, got.Warnings, 4)
	got.Warnings = nil
	require.Equal(t, &config.Config{
		Warehouse: config.Warehouse{
			Kind: config.WarehouseNative, Libchdb: "/opt/libchdb.so",
			Hosts: []string{"ch1.example.com:9440", "ch2.example.com:9441"}, Secure: true, CAFile: filepath.Join(dir, "ca.pem"),
			Database: "licenses", User: "loader", Password: config.NewSecret("click"), Cluster: "main",
		},
		Sources: []config.Source{
			{
				Name: "bfi-emea", Kind: schema.KindBigFix, URL: address(t, "https://bigfix.example.com:9081"),
				Token: config.NewSecret("from-the-environment"), TokenIn: config.TokenInQuery,
				TLS:      config.TLS{CAFile: filepath.Join(dir, "ca.pem"), ServerName: "bfi", InsecureSkipVerify: true},
				Location: zone(t, "Europe/Berlin"), Schedule: "30 5 * * 1-5", Start: start, HasStart: true, RecheckDays: 7,
				Parallel: 3, MaxRetries: 0, RequestTimeout: 90 * time.Second, MaxBytes: 512 << 20,
				Guards:         config.Guards{MinRows: 10, MaxShrink: 0.25, MaxRejects: 0, AllowEmpty: false},
				Restatements:   config.Restatements{AlertAbove: 0},
				RecheckDeep:    config.RecheckDeep{Days: 90, Every: 168 * time.Hour},
				ComputerGroups: []int64{5, 7}, ServerColumns: []string{"name", "cores"}, PageSize: 5000,
				Criteria: `{"and":[["product_id",">",0]]}`, ProductTotals: true, WaitForImport: true,
			},
			{
				Name: "nexthink-hq", Kind: schema.KindNexthink, URL: address(t, "https://portal.example.com/base"),
				User: "meterhouse", Password: config.NewSecret("passw0rd"),
				Location: zone(t, "Europe/Zurich"), Schedule: "0 6 * * *", RecheckDays: 3,
				Parallel: 2, MaxRetries: 4, RequestTimeout: 10 * time.Minute, MaxBytes: 1_000_000,
				Guards:       config.Guards{MinRows: 1, MaxShrink: 0.25, MaxRejects: 0.02, AllowEmpty: true},
				Restatements: config.Restatements{AlertAbove: 0.1},
				Format:       "csv",
				Aliases:      map[string][]string{"device": {"Gerät", "Rechner"}, "last_activity": {"Letzte Aktivität"}},
				DateLayout:   "02.01.2006 15:04", DecimalComma: true,
				Targets: []config.Target{{
					Name: "visio-lausanne", Metric: "52fa2b8b", Program: "8b37ddb4", Hierarchy: "DefaultHierarchy",
					Path: []string{"Europe", "Switzerland", "Lausanne"}, Lists: []string{"installed", "underusage"}, WindowDays: 30,
				}},
			},
		},
		Guards:       config.Guards{MinRows: 1, MaxShrink: 0.25, MaxRejects: 0.02, AllowEmpty: true},
		Restatements: config.Restatements{AlertAbove: 0.1},
		PublishDelay: 2 * time.Second,
		Archive: config.Archive{
			URL: address(t, "s3://bucket/prefix"), Endpoint: address(t, "https://minio.example.com:9000"), Region: "eu-central-1",
			CAFile: filepath.Join(dir, "ca.pem"), AccessKey: config.NewSecret("AKIA1"), SecretKey: config.NewSecret("s3cret"),
			SessionToken: config.NewSecret("session"), KeepDays: 30, Policy: config.ArchiveBestEffort,
		},
		Serve: config.Serve{Listen: ":9090"},
		Notify: []config.Notify{
			{Key: "notify[0]", URL: config.NewSecret("teams://abc@1/2/3")},
			{Key: "notify[1]", URL: config.NewSecret("generic+https://example.com/s3cret")},
		},
		Log: config.Log{Level: "debug", Format: "console"},
	}, got)
}

// TestDocumentedExample pins the configuration that the documentation shows.
func TestDocumentedExample(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/documented.yaml")
	require.NoError(t, err)
	dir := setup(t, string(text))
	put(t, dir, "secrets/clickhouse", "c")
	put(t, dir, "secrets/bfi_token", "t")
	put(t, dir, "secrets/nexthink", "n")
	put(t, dir, "ca.pem", certificate(t))
	start, err := schema.ParseDay("2025-01-01")
	require.NoError(t, err)
	guards := config.Guards{MinRows: 0, MaxShrink: 0.5, MaxRejects: 0.01, AllowEmpty: false}
	restatements := config.Restatements{AlertAbove: 0.05}

	got := load(t, dir)
	require.Len(t, got.Warnings, 1)
	require.Equal(t, "warehouse.password_file", got.Warnings[0].Key) // embedded needs none
	got.Warnings = nil
	require.Equal(t, &config.Config{
		Warehouse: config.Warehouse{
			Kind: config.WarehouseEmbedded, Dir: filepath.Join(dir, "data"),
			Database: "meterhouse", Password: config.NewSecret("c"),
		},
		Sources: []config.Source{
			{
				Name: "bfi-emea", Kind: schema.KindBigFix, URL: address(t, "https://bigfix.example.com:9081"),
				Token: config.NewSecret("t"), TokenIn: config.TokenInHeader, TLS: config.TLS{CAFile: filepath.Join(dir, "ca.pem")},
				Location: zone(t, "Europe/Berlin"), Schedule: "0 6 * * *", Start: start, HasStart: true, RecheckDays: 3,
				Parallel: 2, MaxRetries: 4, RequestTimeout: 10 * time.Minute, MaxBytes: 8 << 30, Guards: guards, Restatements: restatements,
				RecheckDeep:    config.RecheckDeep{Every: 168 * time.Hour},
				ComputerGroups: []int64{}, ServerColumns: []string{"name"},
			},
			{
				Name: "nexthink-hq", Kind: schema.KindNexthink, URL: address(t, "https://portal.example.com"),
				User: "meterhouse", Password: config.NewSecret("n"),
				Location: zone(t, "Europe/Zurich"), Schedule: "0 6 * * *", RecheckDays: 3,
				Parallel: 2, MaxRetries: 4, RequestTimeout: 10 * time.Minute, MaxBytes: 8 << 30, Guards: guards, Restatements: restatements,
				Format: "json",
				Targets: []config.Target{{
					Name: "visio-lausanne", Metric: "52fa2b8b-b35e-4d7a-9db3-830617c5b6b2", Program: "8b37ddb4-29fe-469a-bdc0-ca3497d7c7f9",
					Hierarchy: "DefaultHierarchy", Path: []string{"Europe", "Switzerland", "Lausanne"},
					Lists: []string{"installed", "underusage"}, WindowDays: 30,
				}},
			},
		},
		Guards:       guards,
		Restatements: restatements,
		PublishDelay: time.Second,
		Archive:      config.Archive{URL: &url.URL{Scheme: "file", Path: filepath.Join(dir, "archive")}, KeepDays: 800, Policy: config.ArchiveRequired},
		Serve:        config.Serve{Listen: "127.0.0.1:8080"},
		Log:          config.Log{Level: "info", Format: "json"},
	}, got)
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	dir := setup(t, complete)
	got := load(t, dir)
	guards := config.Guards{MinRows: 0, MaxShrink: 0.5, MaxRejects: 0.01, AllowEmpty: false}
	restatements := config.Restatements{AlertAbove: 0.05}
	require.Equal(t, &config.Config{
		Warehouse: config.Warehouse{Kind: config.WarehouseEmbedded, Dir: filepath.Join(dir, "data"), Database: "meterhouse"},
		Sources: []config.Source{
			{
				Name: "bfi", Kind: schema.KindBigFix, URL: address(t, "https://bigfix.example.com:9081"),
				Token: config.NewSecret("t0ken"), TokenIn: config.TokenInHeader,
				Location: time.UTC, Schedule: "0 6 * * *", RecheckDays: 3,
				Parallel: 2, MaxRetries: 4, RequestTimeout: 10 * time.Minute, MaxBytes: 8 << 30, Guards: guards, Restatements: restatements,
				RecheckDeep:    config.RecheckDeep{Every: 168 * time.Hour},
				ComputerGroups: []int64{}, ServerColumns: []string{"name"},
			},
			{
				Name: "nx", Kind: schema.KindNexthink, URL: address(t, "https://portal.example.com"),
				User: "meterhouse", Password: config.NewSecret("passw0rd"),
				Location: time.UTC, Schedule: "0 6 * * *", RecheckDays: 3,
				Parallel: 2, MaxRetries: 4, RequestTimeout: 10 * time.Minute, MaxBytes: 8 << 30, Guards: guards, Restatements: restatements,
				Format: "json",
				Targets: []config.Target{{
					Name: "visio", Metric: "52fa2b8b", Program: "8b37ddb4", Path: []string{"Europe"}, Lists: []string{"installed"},
				}},
			},
		},
		Guards:       guards,
		Restatements: restatements,
		PublishDelay: time.Second,
		Log:          config.Log{Level: "info", Format: "json"},
	}, got)
}

func TestWarehouseURLs(t *testing.T) {
	t.Parallel()
	f := func(url string, want config.Warehouse) {
		t.Helper()
		dir := setup(t, strings.Replace(complete, "embedded:./data", "'"+url+"'", 1))
		if want.Kind == config.WarehouseEmbedded && !filepath.IsAbs(want.Dir) {
			want.Dir = filepath.Join(dir, want.Dir)
		}
		got := load(t, dir).Warehouse
		require.Equal(t, want, got, url)
	}
	embedded := config.Warehouse{Kind: config.WarehouseEmbedded, Database: "meterhouse"}
	embedded.Dir = "wh/data"
	f("embedded:wh/data", embedded)
	embedded.Listen = "127.0.0.1:8124"
	f("embedded:wh/data?listen=127.0.0.1:8124", embedded)
	embedded.Dir, embedded.Listen = "/var/lib/meterhouse", "[::1]:0"
	f("embedded:/var/lib/meterhouse?listen=[::1]:0", embedded)

	f("clickhouse://localhost", config.Warehouse{
		Kind: config.WarehouseNative, Hosts: []string{"localhost:9000"}, Database: "meterhouse", User: "default",
	})
	f("http://localhost?dial_timeout=3s&read_timeout=1m", config.Warehouse{
		Kind: config.WarehouseHTTP, Hosts: []string{"localhost:8123"}, Database: "meterhouse", User: "default",
		DialTimeout: 3 * time.Second, ReadTimeout: time.Minute,
	})
	f("clickhouse://me@a,b:9001/db-2?secure=true", config.Warehouse{
		Kind: config.WarehouseNative, Hosts: []string{"a:9440", "b:9001"}, Secure: true, Database: "db-2", User: "me",
	})
	f("http://[::1]", config.Warehouse{
		Kind: config.WarehouseHTTP, Hosts: []string{"[::1]:8123"}, Database: "meterhouse", User: "default",
	})
	f("https://me@ch.example.com/", config.Warehouse{
		Kind: config.WarehouseHTTP, Hosts: []string{"ch.example.com:8443"}, Secure: true, Database: "meterhouse", User: "me",
	})
}

func TestWhichFileIsRead(t *testing.T) {
	t.Parallel()
	dir := setup(t, complete)
	path := filepath.Join(dir, "meterhouse.yaml")
	require.Equal(t, "given.yaml", config.Path("given.yaml", environment(config.EnvConfig, path)))
	require.Equal(t, path, config.Path("", environment(config.EnvConfig, path)))
	require.Equal(t, "meterhouse.yaml", config.Path("", environment()))

	_, err := config.Load("", environment(config.EnvConfig, path))
	require.NoError(t, err)

	_, err = config.Load(filepath.Join(dir, "none.yaml"), environment())
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "`meterhouse init` writes a starter")
}

func TestLoadForWarehouseLeavesSecretsOfSourcesAlone(t *testing.T) {
	t.Parallel()
	text := strings.ReplaceAll(complete, "_file: ", "_file: no-such-folder/") +
		"  - {name: ca, kind: bigfix, url: 'https://h', user: u, password_env: NOT_SET, tls: {ca_file: no-such.pem}}\n"
	dir := setup(t, text)
	path := filepath.Join(dir, "meterhouse.yaml")
	_, err := config.Load(path, environment())
	require.ErrorContains(t, err, "no-such-folder/token")
	require.ErrorContains(t, err, "no-such-folder/password")
	require.ErrorContains(t, err, "NOT_SET")
	require.ErrorContains(t, err, "no-such.pem")

	c, err := config.LoadForWarehouse(path, environment())
	require.NoError(t, err)
	require.True(t, c.Sources[0].Token.IsZero())

	// The warehouse's own secret is needed all the same.
	put(t, dir, "meterhouse.yaml", strings.Replace(text, "sources:", "  password_env: NOT_SET_EITHER\nsources:", 1))
	_, err = config.LoadForWarehouse(path, environment())
	require.ErrorContains(t, err, "NOT_SET_EITHER")
}

func TestSourceMayFetchItsToken(t *testing.T) {
	t.Parallel()
	dir := setup(t, strings.Replace(complete, "token_file: token", "user: me@example.com\n    password_env: PW", 1))
	s := load(t, dir, "PW", "from env").Sources[0]
	require.True(t, s.Token.IsZero())
	require.Equal(t, "me@example.com", s.User)
	require.Equal(t, "from env", s.Password.Reveal())
}

func TestCriteriaComeOutOnOneLine(t *testing.T) {
	t.Parallel()
	f := func(yaml, want string) {
		t.Helper()
		dir := setup(t, strings.Replace(complete, "token_file: token", "token_file: token\n    criteria: "+yaml, 1))
		require.Equal(t, want, load(t, dir).Sources[0].Criteria)
	}
	f(`'{"and": [["a", "=", "b  c"]]}'`, `{"and": [["a", "=", "b  c"]]}`)
	f("|\n      {\"and\": [\n        [\"a\", \"=\", 1]\n      ]}", `{"and":[["a","=",1]]}`)
	f(`""`, "")
	f("", "")
}

func TestStarterLoadsOnceItsSecretsExist(t *testing.T) {
	t.Parallel()
	dir := setup(t, config.Starter())
	put(t, dir, "secrets/bfi-token", "t")
	put(t, dir, "secrets/nexthink", "p")
	starter := load(t, dir)
	require.Empty(t, starter.Warnings)
	require.Len(t, starter.Sources, 2)

	// What it shows behind # as a default is one.
	shown := regexp.MustCompile(`(?m)^( *)# ( *[a-z_]+:(?: .*)?)$`)
	instead := regexp.MustCompile(`^ *(user|password_file|password_env|serve|notify):`) // another way to give a secret, or no default
	all := shown.ReplaceAllStringFunc(config.Starter(), func(line string) string {
		m := shown.FindStringSubmatch(line)
		if instead.MatchString(m[2]) {
			return line
		}
		return m[1] + m[2]
	})
	require.NotEqual(t, config.Starter(), all)
	put(t, dir, "meterhouse.yaml", all)
	require.Equal(t, starter, load(t, dir))
	for _, key := range []string{"recheck_days", "insecure_skip_verify", "request_timeout", "format", "max_shrink", "publish_delay", "alert_above", "keep_days", "level"} {
		require.Regexp(t, `(?m)^ *`+key+`:`, all)
	}
}
