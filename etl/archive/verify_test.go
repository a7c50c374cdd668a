package archive_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/etl/archive"
	"github.com/meterhouse/meterhouse/extract"
)

// change rewrites a stored object behind the archive's back.
func (p *place) change(t *testing.T, key string, how func([]byte) []byte) {
	t.Helper()
	if p.server == nil {
		path := filepath.Join(p.dir, filepath.FromSlash(key))
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, how(text), 0o600))
		return
	}
	key = "raw/prod/" + key
	o, err := p.server.backend.GetObject("licenses", key, nil)
	require.NoError(t, err)
	text, err := io.ReadAll(o.Contents)
	require.NoError(t, err)
	text = how(text)
	_, err = p.server.backend.PutObject("licenses", key, o.Metadata, bytes.NewReader(text), int64(len(text)), nil)
	require.NoError(t, err)
}

// lose removes a stored object behind the archive's back.
func (p *place) lose(t *testing.T, key string) {
	t.Helper()
	if p.server == nil {
		require.NoError(t, os.Remove(filepath.Join(p.dir, filepath.FromSlash(key))))
		return
	}
	_, err := p.server.backend.DeleteObject("licenses", "raw/prod/"+key)
	require.NoError(t, err)
}

func (p *place) loseManifest(t *testing.T, m *archive.Manifest) {
	t.Helper()
	p.lose(t, m.Key("manifest.json"))
}

func flip(text []byte) []byte {
	changed := bytes.Clone(text)
	changed[len(changed)/2] ^= 1
	return changed
}

func shorten(text []byte) []byte { return text[:len(text)-1] }

// Whatever is done to a stored object, verify names it and a replay refuses it.
func TestDamageIsFoundAndNotReplayed(t *testing.T) {
	t.Parallel()
	body := strings.Repeat("a line of an answer\n", 1000)
	for _, tc := range []struct {
		name   string
		damage func(t *testing.T, p *place, m *archive.Manifest)
		fault  string
		replay string // what a replay says, "" when it does not get so far
	}{
		{"one bit", func(t *testing.T, p *place, m *archive.Manifest) {
			t.Helper()
			p.change(t, m.Key("002.zst"), flip)
		}, "002.zst: it is corrupt", "it is corrupt"},
		{"cut off", func(t *testing.T, p *place, m *archive.Manifest) {
			t.Helper()
			p.change(t, m.Key("002.zst"), shorten)
		}, "002.zst: it is corrupt", "it is corrupt"},
		{"emptied", func(t *testing.T, p *place, m *archive.Manifest) {
			t.Helper()
			p.change(t, m.Key("002.zst"), func([]byte) []byte { return nil })
		}, "002.zst: it is corrupt", "it is corrupt"},
		{"swapped for another valid object", func(t *testing.T, p *place, m *archive.Manifest) {
			t.Helper()
			var first []byte
			p.change(t, m.Key("001.zst"), func(b []byte) []byte { first = b; return b })
			p.change(t, m.Key("002.zst"), func([]byte) []byte { return first })
		}, "002.zst: it is corrupt: its sha256 is not the one in the manifest", "it is corrupt"},
		{"lost", func(t *testing.T, p *place, m *archive.Manifest) {
			t.Helper()
			p.lose(t, m.Key("002.zst"))
		}, "002.zst: it is missing", "it is not there"},
		{"manifest lost", func(t *testing.T, p *place, m *archive.Manifest) {
			t.Helper()
			p.loseManifest(t, m)
		}, "it is incomplete", ""},
		{"manifest cut off", func(t *testing.T, p *place, m *archive.Manifest) {
			t.Helper()
			p.change(t, m.Key("manifest.json"), func(b []byte) []byte { return b[:len(b)/2] })
		}, "manifest.json: it cannot be read", ""},
		{"manifest of another day", func(t *testing.T, p *place, m *archive.Manifest) {
			t.Helper()
			p.change(t, m.Key("manifest.json"), func(b []byte) []byte {
				return bytes.ReplaceAll(b, []byte(`"2026-11-20"`), []byte(`"2026-11-21"`))
			})
		}, "manifest.json: it is of load", ""},
		{"manifest that names a file elsewhere", func(t *testing.T, p *place, m *archive.Manifest) {
			t.Helper()
			p.change(t, m.Key("manifest.json"), func(b []byte) []byte {
				return bytes.ReplaceAll(b, []byte(`"002.zst"`), []byte(`"../../002.zst"`))
			})
		}, "manifest.json: it names the object", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			inBothPlaces(t, 0, func(t *testing.T, p *place) {
				t.Helper()
				m := p.keep(t, loadOf(visio(t), noon()), "first "+body, body)
				require.Empty(t, p.faults(t, noon()), "nothing is wrong yet")
				tc.damage(t, p, m)
				faults := p.faults(t, noon().Add(2*time.Hour))
				require.Len(t, faults, 1)
				require.Contains(t, faults[0].Error(), tc.fault)
				if tc.replay != "" {
					requireRefused(t, p.archive.Replay(m), tc.replay)
				}
			})
		})
	}
}

func (p *place) faults(t *testing.T, now time.Time) []archive.Fault {
	t.Helper()
	var all []archive.Fault
	for e, err := range p.archive.Entries(t.Context(), "", "") {
		require.NoError(t, err)
		faults, err := p.archive.Verify(t.Context(), e, now)
		require.NoError(t, err)
		all = append(all, faults...)
	}
	return all
}

// requireRefused reads the second answer as a careless source would, a little
// of it only, and expects that Done says what is wrong.
func requireRefused(t *testing.T, replay *archive.Replayer, want string) {
	t.Helper()
	resp, err := replay.Get(t.Context(), extract.Query{Path: "api/1"})
	if err == nil {
		_, _ = resp.Body.Read(make([]byte, 10))
		require.NoError(t, resp.Body.Close())
	}
	err = replay.Done()
	require.ErrorContains(t, err, want)
	var class *extract.Error
	require.ErrorAs(t, err, &class)
	require.Equal(t, extract.BadAnswer, class.Class)
}

func TestALoadThatIsBeingStoredIsNotIncompleteYet(t *testing.T) {
	t.Parallel()
	p := inFolder(t, 0)
	p.loseManifest(t, p.keep(t, loadOf(visio(t), noon()), "x"))
	require.Empty(t, p.faults(t, noon().Add(59*time.Minute)))
	require.Len(t, p.faults(t, noon().Add(61*time.Minute)), 1)
}
