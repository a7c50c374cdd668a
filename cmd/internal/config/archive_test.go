package config_test

import (
	"net/url"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/cmd/internal/config"
)

func TestArchives(t *testing.T) {
	t.Parallel()
	f := func(block string, want config.Archive, env ...string) {
		t.Helper()
		dir := setup(t, complete+block)
		if want.URL != nil && want.URL.Scheme == "file" && !filepath.IsAbs(want.URL.Path) {
			want.URL.Path = filepath.Join(dir, want.URL.Path)
		}
		require.Equal(t, want, load(t, dir, env...).Archive, block)
	}
	folder := func(path string) config.Archive {
		return config.Archive{URL: &url.URL{Scheme: "file", Path: path}, KeepDays: 800, Policy: config.ArchiveRequired}
	}
	f("", config.Archive{})
	f("archive:\n", config.Archive{})
	f(`archive: {url: ""}`, config.Archive{})
	f("archive: {}", folder("archive"))
	f("archive: {url: 'file:raw/answers'}", folder("raw/answers"))
	f("archive: {url: 'file:/var/archive'}", folder("/var/archive"))
	f("archive: {url: 'file:///var/archive'}", folder("/var/archive"))

	bucket := config.Archive{
		URL: address(t, "s3://licenses/raw"), Region: "us-east-1", KeepDays: 0, Policy: config.ArchiveRequired,
		AccessKey: config.NewSecret("AKIA1"), SecretKey: config.NewSecret("s3cret"),
	}
	keys := []string{"AWS_ACCESS_KEY_ID", "AKIA1", "AWS_SECRET_ACCESS_KEY", "s3cret"}
	f("archive: {url: s3://licenses/raw/, keep_days: 0}", bucket, keys...)
	bucket.Region = "eu-west-1"
	f("archive: {url: s3://licenses/raw, keep_days: 0}", bucket, append(keys, "AWS_DEFAULT_REGION", "eu-west-1")...)
	f("archive: {url: s3://licenses/raw, keep_days: 0}", bucket, append(keys, "AWS_REGION", "eu-west-1", "AWS_DEFAULT_REGION", "x")...)
	bucket.Endpoint = address(t, "http://127.0.0.1:9000")
	f("archive: {url: 's3://licenses/raw?region=eu-west-1&endpoint=http://127.0.0.1:9000', keep_days: 0}", bucket, keys...)
	bucket.SecretKey = config.NewSecret("passw0rd")
	f("archive: {url: 's3://licenses/raw?region=eu-west-1&endpoint=http://127.0.0.1:9000', keep_days: 0, secret_key_file: password}", bucket, keys...)
}

// Commands that use neither archive nor sources do not need their secrets, and
// a replay does not need the sources'.
func TestSecretsAreReadWhereTheyAreNeeded(t *testing.T) {
	t.Parallel()
	dir := setup(t, complete+"archive: {url: s3://licenses, access_key_file: gone, secret_key_env: UNSET}")
	path := filepath.Join(dir, "meterhouse.yaml")
	c, err := config.LoadForWarehouse(path, environment())
	require.NoError(t, err)
	require.True(t, c.Archive.AccessKey.IsZero())
	for _, read := range []func(string, func(string) string) (*config.Config, error){config.Load, config.LoadForArchive} {
		_, err = read(path, environment())
		require.ErrorContains(t, err, `archive.access_key_file: "gone" does not exist`)
		require.ErrorContains(t, err, "archive.secret_key_env")
	}

	dir = setup(t, complete)
	put(t, dir, "meterhouse.yaml", "sources: [{name: a, kind: bigfix, url: 'https://b.example.com', token_file: gone}]\n"+
		"warehouse: {url: 'embedded:./data'}\narchive: {}\n")
	path = filepath.Join(dir, "meterhouse.yaml")
	c, err = config.LoadForArchive(path, environment())
	require.NoError(t, err)
	require.NotNil(t, c.Archive.URL)
	_, err = config.Load(path, environment())
	require.ErrorContains(t, err, "token_file")
}
