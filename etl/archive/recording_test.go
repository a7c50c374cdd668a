package archive_test

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/etl/archive"
	"github.com/meterhouse/meterhouse/extract"
)

func TestReplayGivesEachPathItsAnswersInOrder(t *testing.T) {
	t.Parallel()
	s := &source{bodies: map[string][]string{"rows": {"page 1", "page 2"}, "engines": {"two"}}}
	r := newRecording(t, archive.RecordingOptions{})
	require.Equal(t, []string{"page 1", "two", "page 2"}, ask(t, r.Record(s), "rows", "engines", "rows"))
	require.NoError(t, r.Whole())

	for range 2 { // as often as it is asked for
		replay := r.Replay()
		require.Equal(t, []string{"page 1", "page 2", "two"}, ask(t, replay, "rows", "rows", "engines"))
		require.NoError(t, replay.Done())
		_, err := replay.Get(t.Context(), extract.Query{Path: "rows"})
		require.ErrorContains(t, err, "there is no further answer of rows")
	}
	require.Equal(t, 3, s.asked, "a replay does not ask")
}

// Pages that nobody asked for would be rows that silently are not there. Paths
// that were not asked for at all are another matter: a recheck does not ask a
// second time for what the first one learned.
func TestDoneMissesPagesThatWereNotAskedFor(t *testing.T) {
	t.Parallel()
	s := &source{bodies: map[string][]string{"rows": {"page 1", "page 2"}, "engines": {"two"}}}
	r := newRecording(t, archive.RecordingOptions{})
	ask(t, r.Record(s), "rows", "rows", "engines")
	replay := r.Replay()
	ask(t, replay, "rows")
	require.ErrorContains(t, replay.Done(), "the recorded answer 002.zst of rows was not asked for")
	ask(t, replay, "rows")
	require.NoError(t, replay.Done())
}

func TestReplayedResponsesSayThatTheSourceWasNotAsked(t *testing.T) {
	t.Parallel()
	r := newRecording(t, archive.RecordingOptions{})
	ask(t, r.Record(&source{bodies: map[string][]string{"rows": {"x"}}}), "rows")
	resp, err := r.Replay().Get(t.Context(), extract.Query{Path: "rows"})
	require.NoError(t, err)
	require.Zero(t, resp.Attempts)
	require.NoError(t, resp.Body.Close())
}

func TestAnErrorOfTheSourceIsNotRecorded(t *testing.T) {
	t.Parallel()
	r := newRecording(t, archive.RecordingOptions{})
	_, err := r.Record(&source{}).Get(t.Context(), extract.Query{Path: "rows"})
	require.Error(t, err)
	require.ErrorContains(t, r.Whole(), "nothing was answered")
	p := inFolder(t, 0)
	require.ErrorContains(t, p.archive.Store(t.Context(), &archive.Manifest{}, r), "nothing was answered")
}

// An answer that breaks off is not part of the recording. A pull may do without
// one, and then the rest can be archived.
func TestAnAnswerThatBreaksOffIsLeftOut(t *testing.T) {
	t.Parallel()
	s := &source{bodies: map[string][]string{"rows": {"all rows"}, "engines": {"two engines"}}, cut: map[string]bool{"engines": true}}
	r := newRecording(t, archive.RecordingOptions{ReadOn: true})
	via := r.Record(s)
	ask(t, via, "rows")
	resp, err := via.Get(t.Context(), extract.Query{Path: "engines"})
	require.NoError(t, err)
	_, err = io.ReadAll(resp.Body)
	require.Error(t, err)
	require.NoError(t, resp.Body.Close())

	require.ErrorContains(t, r.Whole(), "answer 002.zst broke off")
	p := inFolder(t, 0)
	m := &archive.Manifest{Load: loadOf(visio(t), noon())}
	require.NoError(t, p.archive.Store(t.Context(), m, r))
	require.Len(t, m.Exchanges, 1)
	_, err = p.archive.Replay(m).Get(t.Context(), extract.Query{Path: "engines"})
	require.Error(t, err)
}

func TestReadOnKeepsWhatThePullGaveUp(t *testing.T) {
	t.Parallel()
	for _, readOn := range []bool{true, false} {
		r := newRecording(t, archive.RecordingOptions{ReadOn: readOn})
		resp, err := r.Record(&source{bodies: map[string][]string{"rows": {"all of it"}}}).Get(t.Context(), extract.Query{Path: "rows"})
		require.NoError(t, err)
		_, err = resp.Body.Read(make([]byte, 3))
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		if readOn {
			require.NoError(t, r.Whole())
			require.Equal(t, []string{"all of it"}, ask(t, r.Replay(), "rows"))
		} else {
			require.ErrorContains(t, r.Whole(), "was not read to its end")
		}
	}
}

// Where the recording cannot be written, a lenient one lets the pull go on and a
// strict one does not.
func TestAFullSpool(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	gone := func(r *archive.Recording) *archive.Recording {
		folders, err := os.ReadDir(parent)
		require.NoError(t, err)
		for _, f := range folders {
			require.NoError(t, os.RemoveAll(filepath.Join(parent, f.Name())))
		}
		return r
	}
	answers := func() *source { return &source{bodies: map[string][]string{"rows": {"1", "2"}}} }

	strict := gone(newRecording(t, archive.RecordingOptions{Dir: parent}))
	_, err := strict.Record(answers()).Get(t.Context(), extract.Query{Path: "rows"})
	require.ErrorContains(t, err, "keeping an answer")

	lenient := gone(newRecording(t, archive.RecordingOptions{Dir: parent, Lenient: true}))
	require.Equal(t, []string{"1", "2"}, ask(t, lenient.Record(answers()), "rows", "rows"))
	require.ErrorContains(t, lenient.Whole(), "keeping an answer")

	_, err = archive.NewRecording(archive.RecordingOptions{Dir: filepath.Join(parent, "not there")})
	require.ErrorContains(t, err, "making a folder for the answers")
	without, err := archive.NewRecording(archive.RecordingOptions{Dir: filepath.Join(parent, "not there"), Lenient: true})
	require.NoError(t, err)
	require.Equal(t, []string{"1"}, ask(t, without.Record(answers()), "rows"))
	require.Error(t, without.Whole())
	without.Remove()
}

func TestRemoveLeavesNothing(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	r := newRecording(t, archive.RecordingOptions{Dir: parent})
	ask(t, r.Record(&source{bodies: map[string][]string{"rows": {"x"}}}), "rows")
	r.Remove()
	left, err := os.ReadDir(parent)
	require.NoError(t, err)
	require.Empty(t, left)
}
