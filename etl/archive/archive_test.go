package archive_test

import (
	"bytes"
	"crypto/sha256"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/etl/archive"
	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/schema"
)

func TestArchivedAnswersComeBackByteForByte(t *testing.T) {
	t.Parallel()
	big := strings.Repeat(`{"device":"PC1","usage":1.5}`+"\n", 200_000) // 5.6 MB
	inBothPlaces(t, 0, func(t *testing.T, p *place) {
		t.Helper()
		bodies := []string{"[]", big, "", "\x00\xff not text"}
		load := loadOf(visio(t), noon())
		load.Partial = "an engine is away"
		stored := p.keep(t, load, bodies...)

		m, err := p.archive.Manifest(t.Context(), visio(t), load.LoadID)
		require.NoError(t, err)
		require.Equal(t, stored, m)
		require.Equal(t, load, m.Load)
		require.Equal(t, schema.LoadHeader{
			LoadID: 42, Slice: visio(t), Kind: schema.KindNexthink, RetrievedAt: noon(),
			Target: schema.Target{Metric: "m", Path: []string{"Europe", "Zürich"}, List: "installed"},
		}, m.Header(42))

		replay := p.archive.Replay(m)
		require.Equal(t, bodies, ask(t, replay, "api/0", "api/1", "api/2", "api/3"))
		require.NoError(t, replay.Done())
		loads, faults, err := p.archive.Loads(t.Context(), visio(t))
		require.NoError(t, err)
		require.Empty(t, faults)
		require.Equal(t, []*archive.Manifest{m}, loads)
		require.NoError(t, p.archive.Probe(t.Context()))
		require.Len(t, p.keys(t), 5)
	})
}

// An object that is larger than what is uploaded in one piece.
func TestALargeObjectInABucket(t *testing.T) {
	t.Parallel()
	random := make([]byte, 17<<20)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(random) // it never fails
	p := inBucket(t, 0)
	m := p.keep(t, loadOf(visio(t), noon()), string(random))
	require.Greater(t, m.Exchanges[0].ObjectBytes, int64(16<<20))
	require.Empty(t, p.faults(t, noon()))
	replay := p.archive.Replay(m)
	require.Equal(t, sha256.Sum256(random), sha256.Sum256([]byte(ask(t, replay, "api/0")[0])))
	require.NoError(t, replay.Done())
}

func TestTheManifestHoldsTheRequestAndNothingSecret(t *testing.T) {
	t.Parallel()
	p := inFolder(t, 0)
	m := p.keep(t, loadOf(visio(t), noon()), `{"rows":[]}`)
	require.Len(t, m.Exchanges, 1)
	x := m.Exchanges[0]
	require.Equal(t, "api/0", x.Path)
	require.Equal(t, "asking for api/0", x.Doing)
	require.Equal(t, []string{"b", "a"}, x.Query["columns[]"])
	require.Equal(t, http.StatusOK, x.Status)
	require.Equal(t, 2, x.Attempts)
	require.Equal(t, http.Header{"Content-Type": {"application/json"}, "Date": {"Fri, 20 Nov 2026 12:00:00 GMT"}}, x.Header)
	require.EqualValues(t, len(`{"rows":[]}`), x.Bytes)

	var all bytes.Buffer
	require.NoError(t, filepath.WalkDir(p.dir, func(path string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := d.Info()
		require.NoError(t, err)
		if d.IsDir() {
			require.Equal(t, fs.FileMode(0o700), info.Mode().Perm(), path)
			return nil
		}
		require.Equal(t, fs.FileMode(0o600), info.Mode().Perm(), path)
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		all.Write(text)
		if strings.HasSuffix(path, ".zst") {
			z, err := zstd.NewReader(bytes.NewReader(text))
			require.NoError(t, err)
			defer z.Close()
			_, err = io.Copy(&all, z)
			require.NoError(t, err)
		}
		return nil
	}))
	require.Contains(t, all.String(), `{"rows":[]}`, "the test looks in the wrong place")
	for _, secret := range []string{"t0ps3cret", "c00kie", "auth0rization", "ap1key"} {
		require.NotContains(t, all.String(), secret)
	}
}

func TestPathsAreNamedAfterTheSlice(t *testing.T) {
	t.Parallel()
	p := inFolder(t, 0)
	load := loadOf(visio(t), noon())
	m := p.keep(t, load, "x")
	key := "portal/visio=2Finstalled/2026-11-20/" + strings.Split(m.Key(""), "/")[3] + "/001.zst"
	require.Equal(t, key, m.Key("001.zst"))
	require.FileExists(t, filepath.Join(p.dir, filepath.FromSlash(key)))
}

// A load whose objects could not all be written counts for nothing: whatever
// was refused, there is no manifest.
func TestAnInterruptedStoreLeavesNothingThatCounts(t *testing.T) {
	t.Parallel()
	for _, refused := range []string{"/001.zst", "/002.zst", "/manifest.json"} {
		t.Run(refused, func(t *testing.T) {
			t.Parallel()
			p := inBucket(t, 0)
			// Removing is refused as well: as good as a crash.
			p.server.refuse = func(r *http.Request) bool {
				return r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, refused) || r.Method == http.MethodDelete
			}
			load := loadOf(visio(t), noon())
			_, err := p.tryToKeep(t, load, "one", "two")
			require.ErrorContains(t, err, "archiving load")
			require.ErrorContains(t, err, refused)
			require.NotContains(t, err.Error(), secretKey)

			_, err = p.archive.Manifest(t.Context(), visio(t), load.LoadID)
			require.ErrorIs(t, err, archive.ErrNotArchived)
			loads, faults, err := p.archive.Loads(t.Context(), visio(t))
			require.NoError(t, err)
			require.Empty(t, loads)
			require.Empty(t, faults)
		})
	}
}

func TestAFailedStoreCleansUp(t *testing.T) {
	t.Parallel()
	p := inBucket(t, 0)
	p.server.refuse = func(r *http.Request) bool {
		return r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, "/manifest.json")
	}
	_, err := p.tryToKeep(t, loadOf(visio(t), noon()), "one", "two")
	require.Error(t, err)
	require.Empty(t, p.keys(t))
}

func TestAFolderThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	blocked := filepath.Join(dir, "file", "archive")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o600))
	a, err := archive.Open(archive.Options{Dir: blocked})
	require.NoError(t, err)
	p := &place{archive: a, dir: blocked}
	_, err = p.tryToKeep(t, loadOf(visio(t), noon()), "one")
	require.ErrorContains(t, err, "not a directory")
	require.ErrorContains(t, a.Probe(t.Context()), "writing to the archive")
}

func TestABucketThatDoesNotLetUsIn(t *testing.T) {
	t.Parallel()
	p := inBucket(t, 0)
	p.server.refuse = func(*http.Request) bool { return true }
	require.ErrorContains(t, p.archive.Probe(t.Context()), "writing to the archive")
	_, err := p.tryToKeep(t, loadOf(visio(t), noon()), "one")
	require.ErrorContains(t, err, "archiving load")
	_, err = p.archive.Manifest(t.Context(), visio(t), 1)
	require.Error(t, err)
	require.NotErrorIs(t, err, archive.ErrNotArchived, "not knowing is not the same as not being there")
	_, err = p.archive.Holds(t.Context(), visio(t), "x")
	require.ErrorContains(t, err, "listing the archive")
}

func TestABucketThatIsNotWhoItShouldBe(t *testing.T) {
	t.Parallel()
	s := startS3(t)
	none := func() string { return "" }
	a, err := archive.Open(archive.Options{Bucket: archive.Bucket{Endpoint: s.host, Name: "licenses", AccessKey: none, SecretKey: none, SessionToken: none}})
	require.NoError(t, err)
	require.ErrorContains(t, a.Probe(t.Context()), "certificate signed by unknown authority")
	for _, file := range []string{"not there", "main_test.go"} {
		_, err = archive.Open(archive.Options{Bucket: archive.Bucket{Endpoint: s.host, CAFile: file}})
		require.ErrorContains(t, err, "reading the authorities of the archive")
	}
}

func TestHolds(t *testing.T) {
	t.Parallel()
	inBothPlaces(t, 0, func(t *testing.T, p *place) {
		t.Helper()
		held := func(s schema.Slice, hash string) bool {
			got, err := p.archive.Holds(t.Context(), s, hash)
			require.NoError(t, err)
			return got
		}
		require.False(t, held(visio(t), "aa"))
		load := loadOf(visio(t), noon())
		load.ContentHash = "aa"
		p.keep(t, load, "x")
		require.True(t, held(visio(t), "aa"))
		require.False(t, held(visio(t), "bb"))
		other := visio(t)
		other.Day++
		require.False(t, held(other, "aa"))

		// A manifest that cannot be read holds nothing, and hides no other.
		damaged := loadOf(visio(t), noon().Add(time.Hour))
		m := p.keep(t, damaged, "x")
		p.change(t, m.Key("manifest.json"), shorten)
		p.change(t, m.Key("manifest.json"), shorten)
		require.True(t, held(visio(t), "aa"))
		loads, faults, err := p.archive.Loads(t.Context(), visio(t))
		require.NoError(t, err)
		require.Len(t, loads, 1)
		require.Len(t, faults, 1)
	})
}

func TestEntriesOfSourceAndFeed(t *testing.T) {
	t.Parallel()
	inBothPlaces(t, 0, func(t *testing.T, p *place) {
		t.Helper()
		slices := []schema.Slice{
			visio(t),
			{Source: "portal", Feed: "visio/installed2", Day: day(t, "2026-11-20")},
			{Source: "portal2", Feed: "visio/installed", Day: day(t, "2026-11-19")},
		}
		for _, s := range slices {
			p.keep(t, loadOf(s, noon()), "x", "y")
		}
		f := func(source, feed string, want ...schema.Slice) {
			t.Helper()
			var got []schema.Slice
			for e, err := range p.archive.Entries(t.Context(), source, feed) {
				require.NoError(t, err)
				require.Len(t, e.Bytes, 3)
				got = append(got, e.Slice)
			}
			require.ElementsMatch(t, want, got)
		}
		f("", "", slices...)
		f("portal", "", slices[:2]...)
		f("portal", "visio/installed", slices[0])
		f("portal2", "visio/installed", slices[2])
		f("nobody", "")
	})
}

func TestPrune(t *testing.T) {
	t.Parallel()
	inBothPlaces(t, 30, func(t *testing.T, p *place) {
		t.Helper()
		now := noon()
		ago := func(d time.Duration) schema.Load { return loadOf(visio(t), now.Add(-d)) }
		const hour, days = time.Hour, 24 * time.Hour
		p.keep(t, ago(31*days), "old")
		p.keep(t, ago(29*days), "young")
		backfilled := schema.Slice{Source: "portal", Feed: "visio/installed", Day: day(t, "2020-01-01")}
		p.keep(t, loadOf(backfilled, now.Add(-hour)), "an old day that was pulled just now")
		leftovers := []schema.Load{ago(2 * days), ago(hour)}
		for _, l := range leftovers {
			p.loseManifest(t, p.keep(t, l, "given up"))
		}

		prune := func(dryRun bool) (pruned archive.Pruned, named []uint64) {
			pruned, err := p.archive.Prune(t.Context(), now, dryRun, func(e archive.Entry) { named = append(named, e.LoadID) })
			require.NoError(t, err)
			return pruned, named
		}
		before := p.keys(t)
		would, named := prune(true)
		require.Len(t, named, 2)
		require.Equal(t, 2, would.Loads)
		require.Positive(t, would.Bytes)
		require.ElementsMatch(t, before, p.keys(t), "a dry run removes nothing")

		did, again := prune(false)
		require.Equal(t, would, did)
		require.Equal(t, named, again)
		require.Contains(t, named, leftovers[0].LoadID)
		require.Len(t, p.keys(t), len(before)-3)
		did, _ = prune(false)
		require.Zero(t, did.Loads)
	})
}

func TestPruneKeepsForEver(t *testing.T) {
	t.Parallel()
	p := inFolder(t, 0)
	p.keep(t, loadOf(visio(t), noon().AddDate(-10, 0, 0)), "old")
	pruned, err := p.archive.Prune(t.Context(), noon(), false, func(archive.Entry) {})
	require.NoError(t, err)
	require.Zero(t, pruned.Loads)
}

func TestPruneLeavesNoEmptyFolders(t *testing.T) {
	t.Parallel()
	p := inFolder(t, 1)
	p.keep(t, loadOf(visio(t), noon().AddDate(0, 0, -2)), "old")
	_, err := p.archive.Prune(t.Context(), noon(), false, func(archive.Entry) {})
	require.NoError(t, err)
	left, err := os.ReadDir(p.dir)
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestAManifestOfALaterFormatIsRefused(t *testing.T) {
	t.Parallel()
	p := inFolder(t, 0)
	m := p.keep(t, loadOf(visio(t), noon()), "x")
	p.change(t, m.Key("manifest.json"), func(b []byte) []byte {
		return bytes.Replace(b, []byte(`"format": 1`), []byte(`"format": 2`), 1)
	})
	_, err := p.archive.Manifest(t.Context(), visio(t), m.LoadID())
	require.ErrorContains(t, err, "a newer one wrote it")
}

func TestLoadsOfTheWrongPlaceAreNoErrors(t *testing.T) {
	t.Parallel()
	p := inFolder(t, 0)
	p.keep(t, loadOf(visio(t), noon()), "x")
	for _, name := range []string{"README", "portal/x/y/z/w", "portal/a/2026-11-20/abc/001.zst", "a/b/2026-11-20/1/c/d"} {
		path := filepath.Join(p.dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte("somebody's"), 0o600))
	}
	require.Len(t, p.keys(t), 2)
}

var _ extract.Getter = (*source)(nil)
