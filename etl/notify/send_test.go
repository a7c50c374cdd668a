package notify_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/meterhouse/meterhouse/etl/notify"
)

func TestMain(m *testing.M) {
	code := m.Run()
	http.DefaultClient.CloseIdleConnections() // the library's client
	if err := goleak.Find(); err != nil && code == 0 {
		_, _ = os.Stderr.WriteString(err.Error())
		code = 1
	}
	os.Exit(code)
}

// webhook is a server that hands on what it is sent.
func webhook(t *testing.T, answer http.HandlerFunc) (url string, got <-chan string) {
	t.Helper()
	bodies := make(chan string, 10)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			bodies <- string(body)
		}
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return "generic+" + s.URL + "/hook/s3cr3t-t0ken", bodies
}

func fine(http.ResponseWriter, *http.Request) {}

func TestSendTellsEveryPlace(t *testing.T) {
	t.Parallel()
	one, gotOne := webhook(t, fine)
	two, gotTwo := webhook(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "s3cr3t is wrong", http.StatusForbidden) })
	n, err := notify.New([]notify.Place{{"notify[0]", one}, {"notify[1]", two}, {"notify[2]", "generic+http://127.0.0.1:1/s3cr3t?token=t0ken"}})
	require.NoError(t, err)
	results := n.Send(t.Context(), "two\nlines")
	require.Equal(t, "two\nlines", <-gotOne)
	require.Equal(t, "two\nlines", <-gotTwo)
	require.Len(t, results, 3)
	require.Equal(t, notify.Result{Place: "notify[0]"}, results[0])
	require.ErrorContains(t, results[1].Err, "403")
	require.ErrorContains(t, results[2].Err, "connection refused")
	for _, r := range results[1:] {
		require.NotContains(t, r.Err.Error(), "s3cr3t")
		require.NotContains(t, r.Err.Error(), "t0ken")
	}
	require.Empty(t, (&notify.Notifier{}).Send(t.Context(), "nobody"))
}

func TestSendIsBounded(t *testing.T) {
	t.Parallel()
	hanging, release := context.WithCancel(context.Background())
	enough := errors.New("enough")
	url, got := webhook(t, func(http.ResponseWriter, *http.Request) { <-hanging.Done() })
	t.Cleanup(release) // before the server is closed
	n, err := notify.New([]notify.Place{{"notify[0]", url}})
	require.NoError(t, err)

	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		<-got
		cancel(enough)
	}()
	require.ErrorIs(t, n.Send(ctx, "hangs")[0].Err, enough)
	require.ErrorContains(t, n.Send(t.Context(), "next")[0].Err, "still on its way", "hanging messages do not pile up")
	release()
	require.Eventually(t, func() bool { return n.Send(t.Context(), "again")[0].Err == nil }, time.Minute, time.Millisecond)
}

// The library repeats URLs in its errors, whole and in pieces.
func TestErrorsHideTheURL(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"hunter2", "://hunter2", "nothing://hunter2", "generic+ftp://hunter2@:x/hunter2",
		"slack://hunter2@channel", "telegram://hunter2@telegram", "discord://hunter2@", "teams://hunter2@a/b/c", "pushover://shoutrrr:hunter2@",
		"gotify://host:hunter2/x", "https+hunter2://x", "smtp://u:hunter2@host:port/?x=y",
	} {
		_, err := notify.New([]notify.Place{{"notify[0]", url}})
		require.ErrorContains(t, err, "notify[0]: ", url)
		require.NotContains(t, err.Error(), "hunter2", url)
	}
}
