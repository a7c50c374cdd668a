package config_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWarnsOfSecretFilesThatEverybodyReads(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("its files have no such mode")
	}
	dir := setup(t, complete)
	require.NoError(t, os.Chmod(filepath.Join(dir, "token"), 0o644))
	warnings := load(t, dir).Warnings
	require.Len(t, warnings, 1)
	require.Equal(t, "sources[0].token_file", warnings[0].Key)
	require.Equal(t, "can be read by every user of this machine", warnings[0].Rule)
}

func TestWarnsOfAStartInTheFuture(t *testing.T) {
	t.Parallel()
	dir := setup(t, strings.Replace(complete, "token_file: token", "token_file: token\n    start: 2149-01-01", 1))
	warnings := load(t, dir).Warnings
	require.Len(t, warnings, 1)
	require.Contains(t, warnings[0].String(), `:8:12: sources[0].start: "2149-01-01" is in the future`)
}

func TestWarnsWhenThereIsNothingToPull(t *testing.T) {
	t.Parallel()
	for _, sources := range []string{"", "sources:\n", "sources: []\n"} {
		warnings := load(t, setup(t, "warehouse: {url: 'embedded:./data'}\n"+sources)).Warnings
		require.Len(t, warnings, 1)
		require.Contains(t, warnings[0].String(), "sources: is missing or empty")
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	runWarningCases(t, []faultCase{
		replaced("  url: embedded:./data", "  url: clickhouse://localhost\n  password: ${PASSWORD}",
			"3:13: warehouse.password: holds ${...}, which is not expanded and stays as it is; write the value itself; a secret is named with _file or _env",
			"3:13: warehouse.password: is a secret written into the file; use password_file or password_env"),
		replaced("embedded:./data", "http://me@ch.example.com",
			`2:8: warehouse.url: "http://***@ch.example.com" sends the password and all data unencrypted to ch.example.com; use https://`),
		replaced("embedded:./data", "clickhouse://ch.example.com",
			`2:8: warehouse.url: "clickhouse://ch.example.com" sends the password and all data unencrypted to ch.example.com; add ?secure=true`),
		replaced("https://bigfix.example.com:9081", "http://bigfix.example.com",
			`6:10: sources[0].url: "http://bigfix.example.com" sends credentials and data unencrypted; use https://`),
		replaced("https://bigfix.example.com:9081", "http://127.0.0.1:1"),
		replaced("https://bigfix.example.com:9081", "http://localhost\n    tls: {server_name: x}",
			"7:5: sources[0].tls: has no effect on an http:// URL; use https:// or remove it"),
		replaced("token_file: token", "token: hunter2",
			"7:12: sources[0].token: is a secret written into the file; use token_file or token_env"),
		replaced("        program: 8b37ddb4\n        path: [Europe]\n", "",
			"14:9: sources[1].targets[0].program: is missing: rows of all programs of the metric come mixed and cannot be told apart; name one program per target",
			"14:9: sources[1].targets[0].path: is missing: the answer covers whatever the user may see; name the node, so that a change of the user's rights is no change of the numbers"),
		added("url: embedded:./data", "password: hunter2",
			"3:13: warehouse.password: is a secret written into the file; use password_file or password_env",
			"3:13: warehouse.password: is not used: the embedded warehouse makes its own key; remove it"),
		added("token_file: token", "tls: {insecure_skip_verify: true}",
			"8:33: sources[0].tls.insecure_skip_verify: lets anybody on the way read the credentials; name the server's authority in ca_file instead"),
		added("token_file: token", "server_columns: [hardware_mode]",
			`8:22: sources[0].server_columns[0]: "hardware_mode" is a column that the warehouse has no place for; did you mean "hardware_model"?`),
		added("token_file: token", "product_totals: true\n    criteria: '{\"and\":[[\"product_id\",\">\",0]]}'",
			"9:15: sources[0].criteria: filters the rows per server, and not the totals of product_totals; expect the view reconciliation to show the difference"),
		added("token_file: token", `criteria: '{"and":[["product_id",">",0]]}'`),
		added("token_file: token", "recheck_deep: {every: 24h}",
			"8:27: sources[0].recheck_deep.every: has no effect without days; write {days: 90, every: 168h}, or remove it"),
		added("token_file: token", "recheck_deep: {days: 90}"),
		added("token_file: token", `schedule: "0 3 * * *"`),
		added("token_file: token", `tls: {server_name: "${NAME}"}`,
			"8:24: sources[0].tls.server_name: holds ${...}, which is not expanded and stays as it is; write the value itself; a secret is named with _file or _env"),
		added("password_file: password", `schedule: "59 4 * * *"`,
			`13:15: sources[1].schedule: "59 4 * * *" runs between 00:00 and 05:00, while the portal computes the day; "0 6 * * *" is after it`),
		added("password_file: password", `schedule: "0 5 * * *"`),
		added("password_file: password", `schedule: "0 * * * *"`,
			`13:15: sources[1].schedule: "0 * * * *" runs between 00:00 and 05:00, while the portal computes the day; "0 6 * * *" is after it`),
		added("password_file: password", `schedule: "@every 6h"`,
			`13:15: sources[1].schedule: "@every 6h" runs between 00:00 and 05:00, while the portal computes the day; "0 6 * * *" is after it`),
		added("password_file: password", "recheck_days: 0"),
		added("", "publish_delay: 10ms",
			`18:16: publish_delay: "10ms" is shorter than 1s; a query that runs while a day is published may then see part of it`),
		added("", `archive: {url: ""}`),
		added("", `serve: {listen: "127.0.0.1:0"}`),
		added("", "serve: {}"),
		added("", `serve: {listen: "0.0.0.0:8080"}`,
			`18:17: serve.listen: "0.0.0.0:8080" answers other machines, without TLS or a password; listen on 127.0.0.1, or let only those who may know reach the port`),
		added("", `notify: [{url: "teams://hunter2"}]`,
			"18:16: notify[0].url: is a secret written into the file; use url_file or url_env"),
		added("", `archive: {url: "s3://b?endpoint=http://minio.example.com", access_key: a, secret_key: hunter2}`,
			"18:16: archive.url: sends the archived data unencrypted to minio.example.com; write endpoint=https://minio.example.com:9000",
			"18:72: archive.access_key: is a secret written into the file; use access_key_file or access_key_env",
			"18:87: archive.secret_key: is a secret written into the file; use secret_key_file or secret_key_env"),
	})
}
