package archive_test

import (
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/meterhouse/meterhouse/etl/archive"
	"github.com/meterhouse/meterhouse/schema"
)

func TestEscape(t *testing.T) {
	t.Parallel()
	f := func(text, want string) {
		t.Helper()
		require.Equal(t, want, archive.Escape(text))
	}
	f("default", "default")
	f("group-5", "group-5")
	f("visio-lausanne/installed", "visio-lausanne=2Finstalled")
	f("a.b_c", "a.b_c")
	f("a=2Fb", "a=3D2Fb")
	f(".", "=2E")
	f("..", "=2E.")
	f("Zürich", "Z=C3=BCrich")
	f(`a\b:c%d`, "a=5Cb=3Ac=25d")
}

// Whatever a feed is called, its key leads to no other folder and back to it.
func TestKeysLeadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.OneOf(rapid.String(), rapid.StringMatching(`[./=%a\\]{1,8}`)).Filter(func(s string) bool { return s != "" })
		s := schema.Slice{Source: name.Draw(t, "source"), Feed: name.Draw(t, "feed"), Day: schema.Day(rapid.IntRange(0, 60_000).Draw(t, "day"))}
		id := rapid.Uint64().Draw(t, "load")
		key := archive.FolderOf(s, id) + "001.zst"
		require.Equal(t, key, path.Clean(key))
		require.Equal(t, 4, strings.Count(key, "/"))
		require.False(t, strings.HasPrefix(key, "."))
		got, gotID, file, ok := archive.ParseKey(key)
		require.True(t, ok)
		require.Equal(t, s, got)
		require.Equal(t, id, gotID)
		require.Equal(t, "001.zst", file)
	})
}
