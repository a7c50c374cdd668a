package main

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/etl/archive"
	"github.com/meterhouse/meterhouse/extract/bigfix/bigfixtest"
	"github.com/meterhouse/meterhouse/extract/nexthink/nexthinktest"
	"github.com/meterhouse/meterhouse/schema"
)

// inAFolder archives beside the configuration, and publishes without much rest.
const inAFolder = "archive: {url: file:./archive}\npublish_delay: 10ms\n"

// loseSources takes the sources away: their addresses, their secrets and their
// certificates.
func (w *world) loseSources() {
	w.t.Helper()
	w.write("meterhouse.yaml", regexp.MustCompile(`url: https://127\.0\.0\.1:\d+`).
		ReplaceAllString(w.config(), "url: https://127.0.0.1:1"))
	for _, name := range []string{"token", "password", "bigfix.pem", "portal.pem"} {
		require.NoError(w.t, os.Remove(filepath.Join(w.dir, name)))
	}
}

// configure replaces text of the configuration.
func (w *world) configure(old, text string) {
	w.t.Helper()
	config := w.config()
	require.Contains(w.t, config, old)
	w.write("meterhouse.yaml", strings.Replace(config, old, text, 1))
}

// readersView is all that readers see, whichever loads brought it.
func (w *world) readersView() string {
	w.t.Helper()
	var all []string
	for _, view := range []string{"license_usage", "license_totals", "metering_details"} {
		all = append(all, view)
		all = append(all, w.query("SELECT * EXCEPT load_id FROM "+view+" ORDER BY ALL")...)
	}
	return strings.Join(all, "\n")
}

// objects lists the files of the archive that end so.
func (w *world) objects(suffix string) []string {
	w.t.Helper()
	var found []string
	err := filepath.WalkDir(filepath.Join(w.dir, "archive"), func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, suffix) {
			found = append(found, path)
		}
		return err
	})
	if !os.IsNotExist(err) {
		require.NoError(w.t, err)
	}
	return found
}

// bucket starts an S3 server on loopback and gives the block of the configuration.
func (w *world) bucket() string {
	w.t.Helper()
	backend := s3mem.New()
	require.NoError(w.t, backend.CreateBucket("licenses"))
	server := httptest.NewTLSServer(gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server())
	w.t.Cleanup(server.Close)
	w.write("s3.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	w.write("access", "AKIAMETERHOUSE\n")
	w.write("secret", "b0cket\n")
	return fmt.Sprintf("archive:\n  url: s3://licenses/raw?endpoint=%s&ca_file=s3.pem\n"+
		"  access_key_file: access\n  secret_key_file: secret\npublish_delay: 10ms\n", server.URL)
}

// The warehouse is gone, the sources are gone, their secrets are gone, and the
// configuration pages and selects differently: the archive makes it all again.
func TestReplayRebuildsTheWarehouse(t *testing.T) {
	t.Parallel()
	t.Run("from a folder", func(t *testing.T) {
		t.Parallel()
		testRebuild(t, func(*world) string { return inAFolder })
	})
	t.Run("from a bucket", func(t *testing.T) {
		t.Parallel()
		testRebuild(t, (*world).bucket)
	})
}

func testRebuild(t *testing.T, block func(*world) string) {
	t.Helper()
	const settings = "    product_totals: true\n    page_size: 50\n    server_columns: [name, cores]\n    token_in: query\n"
	w := newWorld(t, worldOptions{bigfix: bigfixtest.Options{Rows: 180}, bigfixYAML: settings})
	w.write("meterhouse.yaml", w.config()+block(w))
	first, err := schema.ParseDay("2026-03-01")
	require.NoError(t, err)
	last := first + 4
	backfill := []string{"backfill", "--source", "bfi", "--from", first.String(), "--to", last.String()}
	w.must(backfill...)
	require.NoError(t, w.bigfix.Revise(last.String(), 1))
	w.must(append(backfill, "--force")...)
	w.must("sync", "--source", "portal")
	want := w.readersView()
	requireTrueDays(t, w, first, last, true)
	w.must("trace", "--source", "portal", "--feed", "visio/installed", "--day", schema.DayOf(time.Now(), time.UTC).String())
	asked := len(w.bigfix.Seen())

	w.loseSources()
	w.configure(settings, "")
	require.NoError(t, os.RemoveAll(filepath.Join(w.dir, "data")))
	replay := []string{"replay", "--from", first.String(), "--to", (schema.DayOf(time.Now(), time.UTC) + 1).String()}
	w.must(replay...)
	require.Equal(t, want, w.readersView())
	requireTrueDays(t, w, first, last, true)
	require.Equal(t, []string{"7"}, w.query("SELECT count() FROM loads WHERE status = 'published' AND reason LIKE 'replay of load %' AND requests = 0"))

	// A decoder that says the same changes nothing, unless it is told to.
	w.must(replay...)
	require.Equal(t, []string{"published\t7", "unchanged\t7"}, w.query("SELECT status, count() FROM loads GROUP BY status ORDER BY status"))
	code, _, stderr := w.run(append(replay, "--force")...)
	require.Equal(t, 0, code, stderr)
	require.Contains(t, stderr, "7 slices published")
	require.Equal(t, want, w.readersView())
	require.Len(t, w.bigfix.Seen(), asked, "a replay asked the source")

	trace := w.must("trace", "--source", "bfi", "--day", last.String())
	require.Contains(t, trace, ", which replayed load ")
	require.Contains(t, trace, "verified: the archived bytes have this hash")
	w.must("archive", "verify")
}

// What a policy of required promises: no load that readers see is missing from
// the archive. best_effort publishes, says so, and mends it when it can.
func TestArchivePolicies(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{bigfix: bigfixtest.Options{Rows: 30}, topYAML: inAFolder})
	w.write("archive", "a file where the folder should be")
	backfill := []string{"backfill", "--source", "bfi", "--from", "2026-03-01", "--to", "2026-03-02"}
	code, stdout, _ := w.run("check")
	require.Equal(t, 1, code)
	require.Contains(t, stdout, "error    archive, right to write: writing to the archive: ")

	code, _, stderr := w.run(backfill...)
	require.Equal(t, 3, code)
	require.Contains(t, stderr, "not a directory; without it the load is not published (archive.policy is required)")
	require.Equal(t, []string{"failed\t2"}, w.query("SELECT status, count() FROM loads GROUP BY status"))
	require.Equal(t, []string{"0"}, w.query("SELECT count() FROM license_usage"))

	w.configure("file:./archive", "file:./archive, policy: best_effort")
	code, _, stderr = w.run(backfill...)
	require.Equal(t, 0, code, stderr)
	require.Contains(t, stderr, "archiving load ")
	require.Equal(t, []string{"2"}, w.query("SELECT count() FROM loads WHERE status = 'published' AND reason LIKE '%; not archived: archiving load %'"))

	// The next pull of the same answers stands for the ones that were lost. The
	// one after that has nothing to add.
	require.NoError(t, os.Remove(filepath.Join(w.dir, "archive")))
	require.Contains(t, w.must("trace", "--source", "bfi", "--day", "2026-03-01"), "holds nothing of this day: the chain ends at the ledger")
	w.must(append(backfill, "--force")...)
	require.Len(t, w.objects("manifest.json"), 2)
	w.must(append(backfill, "--force")...)
	require.Len(t, w.objects("manifest.json"), 2)
	require.Equal(t, []string{"4"}, w.query("SELECT count() FROM loads WHERE status = 'unchanged'"))
	code, _, stderr = w.run("replay", "--source", "bfi", "--day", "2026-03-01")
	require.Equal(t, 0, code, stderr)
	require.Contains(t, stderr, "1 unchanged")
	require.Contains(t, w.must("check"), "ok       archive, right to write: file:")
}

func TestWithoutAnArchive(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{bigfix: bigfixtest.Options{Rows: 30}, topYAML: "publish_delay: 10ms\n"})
	w.must("backfill", "--source", "bfi", "--from", "2026-03-01", "--to", "2026-03-01")
	require.Empty(t, w.objects("manifest.json"))
	require.Contains(t, w.must("trace", "--source", "bfi", "--day", "2026-03-01"), "No archive is configured: the chain ends at the ledger.")
	require.Contains(t, w.must("trace", "--source", "bfi", "--day", "2026-03-02"), "Readers see nothing: no load of this day is published.")
	for _, args := range [][]string{{"replay", "--day", "2026-03-01"}, {"archive", "verify"}, {"archive", "prune"}} {
		code, _, stderr := w.run(args...)
		require.Equal(t, 2, code, args)
		require.Contains(t, stderr, "no archive is configured")
	}
}

// Killed between archive and ledger, a load leaves an archive that nobody has
// published. It is in nobody's way, and it can be published without the source.
func TestKilledBetweenArchiveAndPublication(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{
		bigfix:  bigfixtest.Options{Rows: 50},
		topYAML: strings.Replace(inAFolder, "10ms", "1h", 1),
	})
	first, err := schema.ParseDay("2026-03-01")
	require.NoError(t, err)
	args := []string{"backfill", "--source", "bfi", "--from", first.String(), "--to", (first + 1).String()}
	p := w.start(args...)
	require.Eventually(t, func() bool { return len(w.objects("manifest.json")) == 2 }, time.Minute, 5*time.Millisecond)
	p.signal(syscall.SIGKILL)
	p.wait()
	w.configure("1h", "10ms")
	require.Equal(t, []string{"0"}, w.query("SELECT count() FROM loads"))
	require.Equal(t, []string{"0"}, w.query("SELECT count() FROM license_usage"))
	w.must("archive", "verify")

	// One day from the source again, the other from the orphan.
	w.must("sync", "--source", "bfi", "--day", first.String())
	w.loseSources()
	w.must("replay", "--source", "bfi", "--day", (first + 1).String())
	requireTrueDays(t, w, first, first+1, true)
	trace := w.must("trace", "--source", "bfi", "--day", first.String())
	require.Equal(t, 1, strings.Count(trace, "\n* load "), trace)
	require.Equal(t, 1, strings.Count(trace, "\n  load "), "the orphan is shown, and is not what readers see")
}

func TestCorruptObjectsAreFoundAndRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{bigfix: bigfixtest.Options{Rows: 50}, topYAML: inAFolder})
	w.must("backfill", "--source", "bfi", "--from", "2026-03-01", "--to", "2026-03-02")
	before := w.readersView()
	objects := w.objects("2026-03-02") // the day's folder
	require.Len(t, objects, 1)
	victim, err := filepath.Glob(filepath.Join(objects[0], "*", "001.zst"))
	require.NoError(t, err)
	require.Len(t, victim, 1)
	text, err := os.ReadFile(victim[0])
	require.NoError(t, err)
	text[len(text)/2] ^= 4
	require.NoError(t, os.WriteFile(victim[0], text, 0o600))

	code, stdout, stderr := w.run("archive", "verify")
	require.Equal(t, 3, code)
	require.Contains(t, stdout, "bfi/default/2026-03-02/")
	require.Contains(t, stdout, "it is corrupt")
	require.Contains(t, stderr, "1 thing wrong")

	code, _, stderr = w.run("replay", "--from", "2026-03-01", "--to", "2026-03-02", "--force")
	require.Equal(t, 3, code)
	require.Contains(t, stderr, "1 slice published")
	require.Contains(t, stderr, "it is corrupt")
	require.Equal(t, before, w.readersView())

	code, stdout, _ = w.run("trace", "--source", "bfi", "--day", "2026-03-02")
	require.Equal(t, 3, code)
	require.Contains(t, stdout, "NOT VERIFIED: it is corrupt")
	require.Contains(t, stdout, "The chain does not hold:")
	code, stdout, _ = w.run("trace", "--source", "bfi", "--day", "2026-03-01", "--json")
	require.Equal(t, 0, code)
	var chain struct {
		Readers struct {
			Rows       uint64
			LoadID     string `json:"load_id"`
			AnsweredBy string `json:"answered_by"`
		}
		Ledger []schema.Load
		Loads  []struct{ Manifest archive.Manifest } `json:"archived_loads"`
		Faults []string
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &chain))
	require.Len(t, chain.Ledger, 2)
	require.Len(t, chain.Loads, 1)
	require.NotEqual(t, chain.Readers.LoadID, chain.Readers.AnsweredBy)
	require.Equal(t, chain.Readers.AnsweredBy, fmt.Sprint(chain.Loads[0].Manifest.LoadID()))
	require.Equal(t, chain.Readers.Rows, chain.Loads[0].Manifest.Load.Rows)
	require.Empty(t, chain.Faults)
}

// A portal says only once what it shows today. What a guard refused, and what
// could not be read at all, is archived too.
func TestWhatAPortalSaidIsKeptAlsoWhenItIsNotPublished(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{topYAML: inAFolder + "guards: {min_rows: 1000000}\n"})
	w.portal.Faults.Next(nexthinktest.DetailsPath, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(out, `{"of another": "release of the portal"}`)
		})
	})
	code, _, _ := w.run("sync", "--source", "portal")
	require.Equal(t, 3, code)
	require.Equal(t, []string{"failed\t1", "refused\t1"}, w.query("SELECT status, count() FROM loads GROUP BY status ORDER BY status"))
	require.Len(t, w.objects("manifest.json"), 2)

	// Tomorrow the guard is mended and the portal shows another day.
	w.loseSources()
	w.configure("min_rows: 1000000", "min_rows: 1")
	today := schema.DayOf(time.Now(), time.UTC)
	code, stdout, stderr := w.run("replay", "--from", (today - 1).String(), "--to", today.String(), "--dry-run")
	require.Equal(t, 0, code, stderr)
	require.Equal(t, 1, strings.Count(stdout, "\trefused\n"))
	require.Equal(t, 1, strings.Count(stdout, "\tfailed\n"))
	code, _, stderr = w.run("replay", "--from", (today - 1).String(), "--to", today.String())
	require.Equal(t, 3, code)
	require.Contains(t, stderr, "1 slice published")
	require.Contains(t, stderr, "1 failed")
	require.NotEqual(t, []string{"0"}, w.query("SELECT count() FROM metering_details"))
}

func TestReplayOfAGivenLoad(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{bigfix: bigfixtest.Options{Rows: 50}, topYAML: inAFolder})
	const day = "2026-03-01"
	backfill := []string{"backfill", "--source", "bfi", "--from", day, "--to", day, "--force"}
	w.must(backfill...)
	before := w.readersView()
	require.NoError(t, w.bigfix.Revise(day, 1))
	w.must(backfill...)
	after := w.readersView()
	require.NotEqual(t, before, after)

	loads := w.query("SELECT load_id FROM loads ORDER BY load_id")
	w.must("replay", "--load", loads[0])
	require.Equal(t, before, w.readersView())
	w.must("replay", "--day", day) // what readers see, not the newest
	require.Equal(t, before, w.readersView())
	w.must("replay", "--day", day, "--load", loads[1])
	require.Equal(t, after, w.readersView())

	// What readers see is not archived any more: nothing older takes its place unasked.
	manifests := w.objects(loads[1])
	require.Len(t, manifests, 1)
	require.NoError(t, os.RemoveAll(manifests[0]))
	code, _, stderr := w.run("replay", "--day", day)
	require.Equal(t, 3, code)
	require.Contains(t, stderr, "is not in the archive; the newest that is there is load "+loads[0])
	require.Equal(t, after, w.readersView())
	code, _, stderr = w.run("replay", "--day", "2025-01-01")
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "holds nothing of what was asked for")
}

func TestPruneRemovesWhatIsTooOld(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{bigfix: bigfixtest.Options{Rows: 20}, topYAML: strings.Replace(inAFolder, "archive}", "archive, keep_days: 1}", 1)})
	w.must("backfill", "--source", "bfi", "--from", "2026-03-01", "--to", "2026-03-02")
	folders, err := filepath.Glob(filepath.Join(w.dir, "archive", "bfi", "default", "2026-03-01", "*"))
	require.NoError(t, err)
	require.Len(t, folders, 1)
	old := schema.NewLoadID(time.Now().AddDate(0, 0, -2))
	require.NoError(t, os.Rename(folders[0], filepath.Join(filepath.Dir(folders[0]), fmt.Sprint(old))))

	require.Contains(t, w.must("archive", "prune", "--dry-run"), fmt.Sprintf("bfi\tdefault\t2026-03-01\t%d\t", old))
	require.Len(t, w.objects("manifest.json"), 2)
	w.must("archive", "prune")
	require.Len(t, w.objects("manifest.json"), 1)
	require.Empty(t, w.must("archive", "prune"))
	require.Equal(t, []string{"2"}, w.query("SELECT uniqExact(usage_date) FROM license_usage"))
}

func TestTheArchiveHoldsNoSecrets(t *testing.T) {
	t.Parallel()
	for _, place := range []string{"header", "query"} {
		t.Run(place, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, worldOptions{
				bigfix: bigfixtest.Options{Rows: 20}, start: "2026-11-01",
				bigfixYAML: "    token_in: " + place + "\n", topYAML: inAFolder,
			})
			w.must("backfill", "--source", "bfi", "--from", "2026-03-01", "--to", "2026-03-01")
			w.must("sync", "--source", "portal")
			var all bytes.Buffer
			for _, file := range append(w.objects(".json"), w.objects(".zst")...) {
				text, err := os.ReadFile(file)
				require.NoError(t, err)
				all.Write(text)
				if strings.HasSuffix(file, ".zst") {
					z, err := zstd.NewReader(bytes.NewReader(text))
					require.NoError(t, err)
					_, err = io.Copy(&all, z)
					require.NoError(t, err)
					z.Close()
				}
			}
			require.Contains(t, all.String(), "product_name")
			require.Contains(t, all.String(), "api/softwaremetering/v1/details")
			for name, secret := range map[string]string{
				"token": worldToken, "password": worldPassword, "password in a URL": url.QueryEscape(worldPassword),
				"basic auth": basic("meterhouse", worldPassword),
			} {
				require.NotContains(t, all.String(), secret, name)
			}
		})
	}
}
