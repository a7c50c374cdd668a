package config_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/cmd/internal/config"
)

var update = flag.Bool("update", false, "write the golden files anew")

// faultCase is the configuration `complete` with one thing changed, and what
// that draws, without the name of the file.
type faultCase struct {
	old, new string
	want     []string
}

// replaced puts new where complete has old.
func replaced(old, instead string, want ...string) faultCase {
	return faultCase{old: old, new: instead, want: want}
}

// added puts a line behind another one and indents it alike, "" for the end of the file.
func added(after, line string, want ...string) faultCase {
	if after == "" {
		return replaced(complete, complete+line, want...)
	}
	before, _, _ := strings.Cut(complete, after)
	indent := before[strings.LastIndex(before, "\n")+1:]
	return replaced(after, after+"\n"+indent+line, want...)
}

// setupFaults makes a folder with everything that the cases name.
func setupFaults(t *testing.T) (dir string) {
	t.Helper()
	dir = setup(t, complete)
	put(t, dir, "empty", "\n")
	put(t, dir, "two", "a\nb\n")
	put(t, dir, "large", strings.Repeat("x", 64<<10+1))
	put(t, dir, "noca", "x")
	require.NoError(t, os.Mkdir(filepath.Join(dir, "folder"), 0o700))
	return dir
}

func change(t *testing.T, c faultCase) string {
	t.Helper()
	require.Equal(t, 1, strings.Count(complete, c.old), "%q must be there once", c.old)
	return strings.Replace(complete, c.old, c.new, 1)
}

func runFaultCases(t *testing.T, cases []faultCase) {
	t.Helper()
	dir := setupFaults(t)
	for _, c := range cases {
		require.Equal(t, c.want, faults(t, dir, change(t, c)), "%q -> %q", c.old, c.new)
	}
}

func runWarningCases(t *testing.T, cases []faultCase) {
	t.Helper()
	dir := setupFaults(t)
	for _, c := range cases {
		put(t, dir, "meterhouse.yaml", change(t, c))
		var got []string
		for _, w := range load(t, dir).Warnings {
			got = append(got, strings.TrimPrefix(w.String(), filepath.Join(dir, "meterhouse.yaml:")))
		}
		require.Equal(t, c.want, got, "%q -> %q", c.old, c.new)
	}
}

// faults loads text, which must be refused, and gives the lines of the error.
func faults(t *testing.T, dir, text string) []string {
	t.Helper()
	path := filepath.Join(dir, "meterhouse.yaml")
	put(t, dir, "meterhouse.yaml", text)
	c, err := config.Load(path, environment("EMPTY", "", "EXTRA", "x"))
	require.Nil(t, c)
	var all *config.Error
	require.ErrorAs(t, err, &all, "%s", text)
	lines := strings.Split(err.Error(), "\n")
	require.Len(t, lines, len(all.Faults), "one line per fault")
	for i := range lines {
		require.True(t, strings.HasPrefix(lines[i], path+":"), lines[i])
		lines[i] = strings.TrimPrefix(lines[i], path+":")
	}
	return lines
}

func TestAllFaultsAtOnce(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/faulty.yaml")
	require.NoError(t, err)
	got := strings.Join(faults(t, setupFaults(t), string(text)), "\n") + "\n"
	const golden = "testdata/faulty.golden"
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(got), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

func TestFaultAsJSON(t *testing.T) {
	t.Parallel()
	dir := setup(t, strings.Replace(complete, "token_file: token", "token_file: token\n    recheck_days: -1", 1))
	_, err := config.Load(filepath.Join(dir, "meterhouse.yaml"), environment())
	var all *config.Error
	require.ErrorAs(t, err, &all)
	require.Len(t, all.Faults, 1)
	all.Faults[0].File = "meterhouse.yaml"
	got, err := json.Marshal(all.Faults[0])
	require.NoError(t, err)
	require.JSONEq(t, `{"file": "meterhouse.yaml", "line": 8, "column": 19,
		"key": "sources[0].recheck_days", "value": "-1", "rule": "must be at least 0"}`, string(got))
}

func TestFaultsOfTheWholeFile(t *testing.T) {
	t.Parallel()
	const empty = "1:1: the file is empty; `meterhouse init` writes a starter"
	runFaultCases(t, []faultCase{
		replaced(complete, "", empty),
		replaced(complete, "# nothing\n", empty),
		replaced(complete, "- a", "1:1: is a list, must be a block of keys; write its keys below it, indented by two spaces"),
		replaced(complete, "w\xe4rehouse: 1", "1:1: the file is not UTF-8 text; save it as UTF-8"),
	})

	dir := setup(t, strings.Repeat("#", 1<<20+1))
	_, err := config.Load(filepath.Join(dir, "meterhouse.yaml"), environment())
	require.ErrorContains(t, err, "larger than 1048576 bytes")

	bom := setup(t, "\ufeff"+strings.ReplaceAll(complete, "\n", "\r\n")) // as Windows writes it
	require.Len(t, load(t, bom).Sources, 2)
}

func TestFaultsOfYAML(t *testing.T) {
	t.Parallel()
	runFaultCases(t, []faultCase{
		replaced("warehouse:\n  url: embedded:./data", "warehouse: embedded:./data",
			"1:12: warehouse: is text, must be a block of keys; write its keys below it, indented by two spaces"),
		replaced("warehouse:\n  url: embedded:./data", "warehouse:",
			"1:1: warehouse.url: is missing; write embedded:./data, clickhouse://user@host:9000/meterhouse or https://user@host:8443/meterhouse"),
		replaced("sources:", "sourcse:",
			`3:1: sourcse: unknown key; did you mean "sources"?`),
		replaced("  url: embedded:./data", "  url: embedded:./data\n   x: y",
			"2:8: not valid YAML: mapping value is not allowed in this context; check indentation, quotes and brackets here and on the lines around"),
		replaced("  url: embedded:./data", `  url: "embedded:./data`,
			"2:8: not valid YAML: could not find end character of double-quoted text; check indentation, quotes and brackets here and on the lines around"),
		replaced("  url: embedded:./data", "  url: embedded:./data\n---\na: 1",
			"3:1: begins a second YAML document; keep one, without ---"),
		replaced("  url: embedded:./data", "  url: &a embedded:./data",
			"2:3: warehouse.url: is a YAML anchor, alias or tag, must be text"),
		replaced("path: [Europe]", "path: [Europe]\n<<: {a: 1}",
			"18:1: <<: unknown key; the keys here are warehouse, guards, restatements, sources, publish_delay, archive, serve, notify, log"),
		replaced("path: [Europe]", "path: [Europe",
			"17:15: not valid YAML: sequence end token ']' not found; check indentation, quotes and brackets here and on the lines around"),
		added("url: embedded:./data", "cluser: x",
			`3:3: warehouse.cluser: unknown key; did you mean "cluster"?`),
		added("url: embedded:./data", "colour: x",
			"3:3: warehouse.colour: unknown key; the keys here are url, password, password_file, password_env, cluster"),
		added("url: embedded:./data", "user: me",
			"3:3: warehouse.user: is a part of the url here: clickhouse://user@host:9000/database; remove it"),
		added("url: embedded:./data", "url: embedded:./b",
			"3:3: warehouse.url: stands twice, first on line 2; keep one of the two"),
	})
}

func TestFaultsOfSettings(t *testing.T) {
	t.Parallel()
	runFaultCases(t, []faultCase{
		added("", "archive: {url: ftp://x}",
			`18:16: archive.url: "ftp://x" must begin with file: or s3://; write file:./archive or s3://bucket/prefix`),
		added("", `archive: {url: "s3:", access_key: a, secret_key: b}`,
			`18:16: archive.url: "s3:" names no bucket; write file:./archive or s3://bucket/prefix`),
		added("", `archive: {url: "file:"}`,
			`18:16: archive.url: "file:" names no folder of this machine; write file:./archive or s3://bucket/prefix`),
		added("", `archive: {url: "file://host/x"}`,
			`18:16: archive.url: "file://host/x" names no folder of this machine; write file:./archive or s3://bucket/prefix`),
		added("", `archive: {url: "s3://key:hunter2@bucket/x", access_key: a, secret_key: b, keep_days: -1}`,
			`18:16: archive.url: "s3://***@bucket/x" holds credentials, and URLs are shown; use access_key_file and secret_key_file, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`,
			`18:86: archive.keep_days: "-1" must be at least 0`),
		added("", "archive: {url: s3://bucket}",
			"18:11: archive.access_key_file: is missing, and AWS_ACCESS_KEY_ID is not set; name a file that holds the bucket's access_key alone, or set that variable",
			"18:11: archive.secret_key_file: is missing, and AWS_SECRET_ACCESS_KEY is not set; name a file that holds the bucket's secret_key alone, or set that variable"),
		added("", `archive: {url: "s3://bucket#x", access_key: a, secret_key: b}`,
			`18:16: archive.url: "s3://bucket#x" has a part after #; remove it`),
		added("", `archive: {url: "s3://bucket?regoin=x", access_key: a, secret_key: b}`,
			`18:16: archive.url: has the unknown parameter "regoin"; did you mean "region"?`),
		added("", `archive: {url: "s3://bucket?endpoint=minio:9000", access_key: a, secret_key: b}`,
			"18:16: archive.url: has an endpoint that is not https://host:port; write endpoint=https://minio.example.com:9000"),
		added("", `archive: {url: "s3://bucket?endpoint=http://127.0.0.1:9000&ca_file=token", access_key: a, secret_key: b}`,
			"18:16: archive.url: names a ca_file for an endpoint without TLS; begin the endpoint with https://",
			`18:16: archive.url: "token" holds no certificate in PEM form; it must hold a line -----BEGIN CERTIFICATE-----`),
		added("", "archive: {policy: optional, secret_key_file: token}",
			`18:19: archive.policy: "optional" is not a value of this key; possible are required, best_effort`,
			"18:29: archive.secret_key_file: is a key of archives in s3 buckets; remove it"),
		added("", "archive: {urls: x}",
			`18:11: archive.urls: unknown key; did you mean "url"?`),
		added("", "serve: {listen: localhost}",
			`18:17: serve.listen: "localhost" is not host:port; write 127.0.0.1:8080`),
		added("", `serve: {listen: ""}`,
			"18:17: serve.listen: is not host:port; write 127.0.0.1:8080"),
		added("", "restatements: {alert_above: 5 %}",
			`18:29: restatements.alert_above: "5 %" is text, must be a share from 0 to 1; write it plainly, such as 0.5`),
		added("", "restatements: {alert: 1}",
			`18:16: restatements.alert: unknown key; the keys here are alert_above`),
		added("", "notify: teams://hunter2",
			"18:9: notify: is text, must be a list; begin each place with a dash"),
		added("", "notify: [{}]",
			"18:10: notify[0].url_file: is missing; name a file that holds the place's URL alone, such as teams://... or generic+https://..."),
		added("", "notify: [{url_file: token}, {url_env: EXTRA}, {uri: x}]",
			"18:11: notify[0].url: is not the URL of a place to tell; begin it with the service, such as teams://, slack://, smtp:// or generic+https://",
			"18:30: notify[1].url: is not the URL of a place to tell; begin it with the service, such as teams://, slack://, smtp:// or generic+https://",
			`18:48: notify[2].uri: unknown key; did you mean "url"?`,
			"18:48: notify[2].url_file: is missing; name a file that holds the place's URL alone, such as teams://... or generic+https://..."),
		added("", "log: {level: inf, format: text}",
			`18:14: log.level: "inf" is not a value of this key; did you mean "info"?`,
			`18:27: log.format: "text" is not a value of this key; possible are json, console`),
		added("", "publish_delay: -1s",
			`18:16: publish_delay: "-1s" must be at least 0s`),
		added("", "guards: {max_shrink: 1.5, max_rejects: -0.1, min_rows: -1, allow_empty: 1}",
			`18:22: guards.max_shrink: "1.5" must be a share from 0 to 1; 0.5 is 50 %`,
			`18:40: guards.max_rejects: "-0.1" must be a share from 0 to 1; 0.5 is 50 %`,
			`18:56: guards.min_rows: "-1" must be at least 0`,
			`18:73: guards.allow_empty: "1" is a number, must be true or false`),
		added("", "guards: {max_shrink: half, min_row: 1}",
			`18:22: guards.max_shrink: "half" is text, must be a share from 0 to 1; write it plainly, such as 0.5`,
			`18:28: guards.min_row: unknown key; did you mean "min_rows"?`),
	})
}
