package nexthink_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/extract/nexthink"
	"github.com/meterhouse/meterhouse/extract/nexthink/nexthinktest"
)

func TestFeeds(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"a/installed", "a/underusage", "b/underusage"}, nexthink.Feeds([]nexthink.Target{
		{Name: "a", Lists: []string{nexthink.ListInstalled, nexthink.ListUnderusage}},
		{Name: "b", Lists: []string{nexthink.ListUnderusage}},
	}))
}

// What the Portal is asked: names exactly as configured, the path in its order,
// nothing that was not configured, spaces as %20.
func TestRequest(t *testing.T) {
	t.Parallel()
	const metric = "52fa2b8b-b35e-4d7a-9db3-830617c5b6b2"
	for name, tc := range map[string]struct {
		change func(*nexthink.Options)
		feed   string
		want   string
		accept string
	}{
		"everything": {
			feed: "visio/underusage",
			want: "format=json&hierarchy=DefaultHierarchy&list=underusage&metric=" + metric +
				"&path=Europe&path=Switzerland&program=8b37ddb4-29fe-469a-bdc0-ca3497d7c7f9",
			accept: "application/json",
		},
		"only what is needed": {
			change: func(o *nexthink.Options) {
				o.Targets[0].Program, o.Targets[0].Hierarchy, o.Targets[0].Path = "", "", nil
				o.Targets[0].WindowDays = 30
			},
			feed:   "visio/installed",
			want:   "format=json&list=installed&metric=" + metric,
			accept: "application/json",
		},
		"the table": {
			change: func(o *nexthink.Options) {
				o.Format = nexthink.FormatTable
				o.Targets[0].Program, o.Targets[0].Hierarchy, o.Targets[0].Path = "", "", nil
			},
			feed:   "visio/installed",
			want:   "format=table&list=installed&metric=" + metric,
			accept: "text/html",
		},
		"names as they are": {
			change: func(o *nexthink.Options) {
				o.Format = nexthink.FormatCSV
				o.Targets[0].Program = ""
				o.Targets[0].Hierarchy = " A & B=C? "
				o.Targets[0].Path = []string{"Z", "R&D / Lab 3", "A", "東京", "Zu\u0308rich", "1+1", "%20"}
			},
			feed: "visio/installed",
			want: "format=csv&hierarchy=%20A%20%26%20B%3DC%3F%20&list=installed&metric=" + metric +
				"&path=Z&path=R%26D%20%2F%20Lab%203&path=A&path=%E6%9D%B1%E4%BA%AC&path=Zu%CC%88rich&path=1%2B1&path=%2520",
			accept: "text/csv",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, nexthinktest.Options{})
			if tc.change != nil {
				tc.change(&b.options)
			}
			requests := make(chan *http.Request, 1)
			b.portal.Faults.Always(nexthinktest.DetailsPath, func(http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					requests <- r
					_, _ = w.Write([]byte("Device\n"))
				})
			})
			_, _, _ = b.pull(t, tc.feed) // the answer fits one of the formats only
			seen := <-requests
			require.Equal(t, "GET", seen.Method)
			require.Equal(t, "/api/softwaremetering/v1/details", seen.URL.Path)
			require.Equal(t, tc.want, seen.URL.RawQuery)
			gotUser, gotPassword, ok := seen.BasicAuth()
			require.True(t, ok)
			require.Equal(t, user, gotUser)
			require.Equal(t, password, gotPassword)
			require.Contains(t, seen.Header.Get("Accept"), tc.accept)
			require.Contains(t, seen.Header.Get("Accept"), "*/*", "the content type is not documented")
		})
	}
}

// A Portal may stand below a path of its own.
func TestURLWithPath(t *testing.T) {
	t.Parallel()
	b := setup(t, nexthinktest.Options{})
	b.options.URL = b.options.URL.JoinPath("portal/")
	b.portal.Faults.Always("/portal"+nexthinktest.DetailsPath, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("[]")) })
	})
	_, _, err := b.pull(t, "visio/installed")
	require.NoError(t, err)
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(*nexthink.Options)
		says   string
	}{
		"format":         {func(o *nexthink.Options) { o.Format = "xml" }, `source "hq": format "xml" is none of json, csv, table`},
		"no user":        {func(o *nexthink.Options) { o.User = "" }, "wants a user and a password"},
		"no password":    {func(o *nexthink.Options) { o.Password = nil }, "wants a user and a password"},
		"no target":      {func(o *nexthink.Options) { o.Targets = nil }, "there is no target"},
		"no list":        {func(o *nexthink.Options) { o.Targets[0].Lists = nil }, `target "visio" has no list`},
		"list":           {func(o *nexthink.Options) { o.Targets[0].Lists = []string{"Installed"} }, `list "Installed" is neither`},
		"list twice":     {func(o *nexthink.Options) { o.Targets[0].Lists = []string{"installed", "installed"} }, `two feeds called "visio/installed"`},
		"target twice":   {func(o *nexthink.Options) { o.Targets = append(o.Targets, o.Targets[0]) }, `two feeds called "visio/installed"`},
		"no metric":      {func(o *nexthink.Options) { o.Targets[0].Metric = "" }, `target "visio" needs a name and the UID of a metric`},
		"no target name": {func(o *nexthink.Options) { o.Targets[0].Name = "" }, `needs a name`},
		"url":            {func(o *nexthink.Options) { o.URL = &url.URL{Scheme: "ftp", Host: "x"} }, "http or https"},
		"no url":         {func(o *nexthink.Options) { o.URL = nil }, "http or https"},
		"authority":      {func(o *nexthink.Options) { o.TLS.CAPEM = []byte("x") }, "no PEM certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := setupOptions(t)
			tc.change(&o)
			_, err := nexthink.New(o)
			require.ErrorContains(t, err, tc.says)
		})
	}
}

func TestUnknownFeed(t *testing.T) {
	t.Parallel()
	b := setup(t, nexthinktest.Options{})
	_, answer, err := b.pull(t, "visio/everything")
	require.Equal(t, extract.BadRequest, asError(t, err).Class)
	require.ErrorContains(t, err, `no target has the feed "visio/everything"`)
	require.Zero(t, answer.Requests)
	require.Zero(t, b.portal.Faults.Requests(nexthinktest.DetailsPath))
}

// Pulling again through a recording gives the same, whatever day it is for: the
// day of a request is a stamp.
func TestPullThroughAnotherGetter(t *testing.T) {
	t.Parallel()
	b := setup(t, nexthinktest.Options{})
	s := b.source(t)
	for _, day := range []string{"2026-11-20", "2019-01-01"} {
		var devices []string
		answer, err := s.Pull(t.Context(), recording(`[{"device":"PC1"}]`), extract.Request{Feed: "visio/installed", Day: day},
			func(r *extract.Record) error {
				devices = append(devices, string(r.Values[extract.MeteringDevice].Bytes))
				return nil
			})
		require.NoError(t, err)
		require.Equal(t, []string{"PC1"}, devices)
		require.True(t, answer.AsOf.IsZero())
	}
	require.Zero(t, b.portal.Faults.Requests(nexthinktest.DetailsPath))
}

// recording answers every query with the same body.
type recording string

func (r recording) Get(context.Context, extract.Query) (*extract.Response, error) {
	return &extract.Response{Status: http.StatusOK, Attempts: 1, Body: body{strings.NewReader(string(r)), nil}}, nil
}

// broken answers with the beginning of a body and then an error that is not of
// the client.
type broken struct{}

var errDisk = errors.New("disk on fire")

func (broken) Get(context.Context, extract.Query) (*extract.Response, error) {
	return &extract.Response{
		Status: http.StatusOK, Attempts: 1, Body: body{strings.NewReader(`[{"device":"PC1"},{"dev`), errDisk},
	}, nil
}

type body struct {
	*strings.Reader
	end error
}

func (b body) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err != nil && b.end != nil {
		err = b.end
	}
	return n, err
}

func (body) Close() error { return nil }

func TestBrokenRecording(t *testing.T) {
	t.Parallel()
	for _, format := range []string{nexthink.FormatJSON, nexthink.FormatCSV} {
		b := setup(t, nexthinktest.Options{})
		b.options.Format = format
		s := b.source(t)
		_, err := s.Pull(t.Context(), broken{}, extract.Request{Feed: "visio/installed"}, func(*extract.Record) error { return nil })
		require.Equal(t, extract.Interrupted, asError(t, err).Class)
		require.ErrorIs(t, err, errDisk)
	}
}

// An error of the receiver is not one of the source: it comes back as it is.
func TestEmitStopsThePull(t *testing.T) {
	t.Parallel()
	stop := errors.New("stop")
	for format, text := range map[string]string{
		nexthink.FormatJSON:  `[{"device":"PC1"},{"device":"PC2"},{"device":"PC3"}]`,
		nexthink.FormatCSV:   "Device\nPC1\nPC2\nPC3\n",
		nexthink.FormatTable: "<table><tr><th>Device<tr><td>PC1<tr><td>PC2<tr><td>PC3</table>",
	} {
		b := setup(t, nexthinktest.Options{})
		b.options.Format = format
		s := b.source(t)
		seen := 0
		_, err := s.Pull(t.Context(), recording(text), extract.Request{Feed: "visio/installed"}, func(*extract.Record) error {
			if seen++; seen == 2 {
				return stop
			}
			return nil
		})
		require.True(t, err == stop, "%v", err) //nolint:errorlint,testifylint // the very error, not one around it
		require.Equal(t, 2, seen)
	}
}
