package bigfix_test

import (
	"net/url"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/extract/bigfix"
	"github.com/meterhouse/meterhouse/extract/bigfix/bigfixtest"
)

func TestPullIsExactInEveryForm(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]struct {
		server bigfixtest.Options
		change func(*bigfix.Options)
	}{
		"one streamed object": {},
		"one streamed array":  {server: bigfixtest.Options{Shape: bigfixtest.ShapeArray}},
		"pages with totals":   {change: func(o *bigfix.Options) { o.PageSize = 100 }},
		"pages without totals": {
			server: bigfixtest.Options{Shape: bigfixtest.ShapeArray},
			change: func(o *bigfix.Options) { o.PageSize = 100 },
		},
		"one page holds all": {change: func(o *bigfix.Options) { o.PageSize = 100_000 }},
		"pages of one row":   {server: bigfixtest.Options{Rows: 60}, change: func(o *bigfix.Options) { o.PageSize = 1 }},
		"token in the URL":   {change: func(o *bigfix.Options) { o.TokenIn = bigfix.TokenInQuery }},
		"plain HTTP":         {server: bigfixtest.Options{PlainHTTP: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, f.server, f.change)
			for feed, group := range map[string]int64{"default": 0, "group-5": bigfixtest.GroupEurope, "group-6": bigfixtest.GroupAmericas} {
				got, answer, err := b.pull(t, feed)
				require.NoError(t, err)
				want := b.truth(t, group)
				require.NotZero(t, want.rows)
				require.Equal(t, want, got)
				require.Equal(t, want.rows, answer.Records)
				require.Empty(t, answer.Notes)
			}
		})
	}
}

func TestPullAsksForPagesInATotalOrderUntilTheyEnd(t *testing.T) {
	t.Parallel()
	b := setup(t, bigfixtest.Options{}, func(o *bigfix.Options) { o.PageSize = 200 })
	_, answer, err := b.pull(t, "default")
	require.NoError(t, err)
	want := int(b.truth(t, 0).rows+199) / 200
	require.Equal(t, want, answer.Requests)
	for i, seen := range b.server.Seen() {
		require.Equal(t, []string{"200"}, seen.Query["limit"])
		require.Equal(t, []string{[]string{"0", "200", "400", "600"}[i]}, seen.Query["offset"])
		require.Equal(t, []string{"product_id", "metric_id", "bundle_id", "server_id"}, seen.Query["order[]"])
	}
}

func TestPullJudgesPages(t *testing.T) {
	t.Parallel()
	a, b, c, d := `{"product_id":1}`, `{"product_id":2}`, `{"product_id":3}`, `{"product_id":4}`
	for name, f := range map[string]struct {
		bodies []string // with two rows a page
		rows   uint64
		class  extract.Class // empty: the pull is complete
	}{
		"a short page is the last":            {[]string{`[` + a + `,` + b + `]`, `[` + c + `]`}, 3, ""},
		"an empty page is the last":           {[]string{`[` + a + `,` + b + `]`, `[]`}, 2, ""},
		"the total is reached":                {[]string{`{"total":4,"rows":[` + a + `,` + b + `]}`, `{"total":4,"rows":[` + c + `,` + d + `]}`}, 4, ""},
		"the total is the page's":             {[]string{`{"total":2,"rows":[` + a + `,` + b + `]}`, `{"total":1,"rows":[` + c + `]}`}, 3, ""},
		"the total is the first page":         {[]string{`{"total":2,"rows":[` + a + `,` + b + `]}`, `{"total":2,"rows":[]}`}, 2, ""},
		"the total ends with a page":          {[]string{`{"total":3,"rows":[` + a + `,` + b + `]}`, `{"total":3,"rows":[` + c + `]}`}, 3, ""},
		"rows are missing at the end":         {[]string{`{"total":4,"rows":[` + a + `,` + b + `]}`, `{"total":4,"rows":[` + c + `]}`}, 3, extract.BadAnswer},
		"rows are missing in the first page":  {[]string{`{"total":4,"rows":[` + a + `]}`}, 1, extract.BadAnswer},
		"more rows than the total":            {[]string{`{"total":3,"rows":[` + a + `,` + b + `]}`, `{"total":3,"rows":[` + c + `,` + d + `]}`}, 4, extract.BadAnswer},
		"the page's total is below its rows":  {[]string{`{"total":1,"rows":[` + a + `,` + b + `]}`}, 2, extract.BadAnswer},
		"the total changes between the pages": {[]string{`{"total":4,"rows":[` + a + `,` + b + `]}`, `{"total":5,"rows":[` + c + `,` + d + `]}`}, 4, extract.Interrupted},
		"limit is ignored":                    {[]string{`[` + a + `,` + b + `,` + c + `]`}, 3, extract.BadAnswer},
		"offset is ignored":                   {[]string{`[` + a + `,` + b + `]`, `[` + a + `,` + b + `]`}, 2, extract.BadAnswer},
		"a row comes on two pages":            {[]string{`[` + a + `,` + b + `]`, `[` + b + `,` + c + `]`}, 2, extract.Interrupted},
		"and says something else there":       {[]string{`[` + a + `,` + b + `]`, `[` + `{"product_id":2,"hwm_cores":7}` + `]`}, 2, extract.Interrupted},
		"an earlier row comes again":          {[]string{`[` + a + `,` + b + `]`, `[` + c + `,` + a + `]`}, 3, extract.Interrupted},
		"rows twice on one page are rejected": {[]string{`[` + a + `,` + a + `]`, `[` + b + `]`}, 3, ""},
		"rows without a key are rejected":     {[]string{`[{},{}]`, `[{}]`}, 3, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source := offline(t, func(o *bigfix.Options) { o.PageSize = 2 })
			via := &answers{bodies: f.bodies}
			answer, err := source.Pull(t.Context(), via, extract.Request{Feed: "default", Day: someDay}, func(*extract.Record) error { return nil })
			if f.class == "" {
				require.NoError(t, err)
			} else {
				requireClass(t, f.class, err)
			}
			require.Equal(t, f.rows, answer.Records)
			require.Len(t, via.queries, len(f.bodies), "every page was asked for, and no more")
			require.Equal(t, len(f.bodies), answer.Requests)
		})
	}
}

func TestPullAsksForColumnsByName(t *testing.T) {
	t.Parallel()
	source := offline(t, func(o *bigfix.Options) {
		o.ServerColumns = []string{"name", "pvu_per_core"}
		o.Criteria = `{"and":[["product_name","contains","Db2"]]}`
	})
	via := &answers{bodies: []string{`[]`}}
	_, err := source.Pull(t.Context(), via, extract.Request{Feed: "group-5", Day: someDay}, func(*extract.Record) error { return nil })
	require.NoError(t, err)
	require.Equal(t, extract.Query{
		Path: "api/sam/v2/license_usage_per_server",
		Values: url.Values{
			"date":            {someDay},
			"computerGroupId": {"5"},
			"columns[]": {
				"product_id", "product_name", "product_family_guid", "metric_id", "metric_code_name", "bundle_id", "bundle_name",
				"bundle_guid", "server_id", "hwm_quantity", "hwm_cores", "server.name", "server.pvu_per_core",
			},
			"order[]":  {"product_id", "metric_id", "bundle_id", "server_id"},
			"criteria": {`{"and":[["product_name","contains","Db2"]]}`},
		},
		Accept: "application/json",
		Doing:  `asking "bfi" for license usage of 2025-03-12 in computer group 5`,
	}, via.queries[0])
}

func TestPullAsksForEnglish(t *testing.T) {
	t.Parallel()
	b := setup(t, bigfixtest.Options{}, nil)
	_, _, err := b.pull(t, "default")
	require.NoError(t, err)
	require.Equal(t, "en-US", b.server.Seen()[0].Header.Get("Accept-Language"))
	require.Equal(t, "application/json", b.server.Seen()[0].Header.Get("Accept"))
}

func TestPullFallsBackToTheServersNameAndSaysSoOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, bigfixtest.Options{ServerColumns: []string{"name"}}, func(o *bigfix.Options) {
		o.ServerColumns = []string{"name", "pvu_per_core"}
	})
	got, answer, err := b.pull(t, "default")
	require.NoError(t, err)
	require.Equal(t, b.truth(t, 0), got)
	require.Equal(t, 2, answer.Requests, "the refused one counts")
	require.Len(t, answer.Notes, 1)
	require.Contains(t, answer.Notes[0], "unknown column: server.pvu_per_core")

	_, answer, err = b.pull(t, "group-5")
	require.NoError(t, err)
	require.Equal(t, 1, answer.Requests, "the fallback is remembered")
	require.Empty(t, answer.Notes)
}

func TestPullKeepsTheColumnsWhenSomethingElseWasRefused(t *testing.T) {
	t.Parallel()
	b := setup(t, bigfixtest.Options{}, func(o *bigfix.Options) {
		o.ServerColumns = []string{"name", "pvu_per_core"}
		o.Criteria = `{"and":[["colour","=","red"]]}`
	})
	_, answer, err := b.pull(t, "default")
	requireClass(t, extract.BadRequest, err)
	e := errorOf(t, err)
	require.Contains(t, e.Says, "unknown column: colour")
	require.Contains(t, e.Hint, "criteria")
	require.Empty(t, answer.Notes)
	require.Equal(t, 2, answer.Requests)
}

func TestPullRefusesAFeedThatIsNone(t *testing.T) {
	t.Parallel()
	b := setup(t, bigfixtest.Options{}, nil)
	_, _, err := b.pull(t, "visio/installed")
	requireClass(t, extract.BadRequest, err)
	require.Zero(t, b.server.Requests(""))
}

func TestFeedsNameGroups(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"default"}, bigfix.Feeds(nil))
	require.Equal(t, []string{"group-5", "group-12"}, bigfix.Feeds([]int64{5, 12}))
	require.Equal(t, int64(0), bigfix.GroupOf("default"))
	require.Equal(t, int64(12), bigfix.GroupOf("group-12"))
	require.Equal(t, int64(0), bigfix.GroupOf("group-"))
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]struct {
		change func(*bigfix.Options)
		says   string
	}{
		"no credentials":         {func(o *bigfix.Options) { o.Token = nil }, "neither a token nor a user"},
		"a place that is none":   {func(o *bigfix.Options) { o.TokenIn = "cookie" }, "token_in"},
		"credentials in the URL": {func(o *bigfix.Options) { o.URL.User = url.UserPassword("u", "hidden") }, "must not hold credentials"},
		"no address":             {func(o *bigfix.Options) { o.URL = &url.URL{Path: "/x"} }, "http or https"},
		"no such CA file":        {func(o *bigfix.Options) { o.TLS.CAFile = "/nowhere/ca.pem" }, "tls.ca_file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := bigfix.Options{Name: "bfi", URL: parseURL(t, "https://bigfix.example.com"), Token: func() string { return "secret" }}
			f.change(&o)
			_, err := bigfix.New(o)
			require.ErrorContains(t, err, f.says)
			require.NotContains(t, err.Error(), "hidden")
		})
	}
}

func TestPullsNeverHaveMoreRequestsInFlightThanAllowed(t *testing.T) {
	t.Parallel()
	b := setup(t, bigfixtest.Options{Latency: time.Millisecond}, func(o *bigfix.Options) {
		o.Parallel = 3
		o.PageSize = 100
		o.Token = nil
		o.User, o.Password = "meterhouse", func() string { return "correct horse battery staple" }
	})
	want := b.truth(t, 0)
	var sums sync.Map
	var group errgroup.Group
	for i := range 12 {
		group.Go(func() error {
			var c collected
			_, err := b.source.Pull(t.Context(), b.source.Live(), extract.Request{Feed: "default", Day: someDay}, func(r *extract.Record) error {
				c.rows++
				c.sum += number(t, r.Values[extract.LicenseHWMQuantity])
				return nil
			})
			sums.Store(i, c)
			return err
		})
	}
	require.NoError(t, group.Wait())
	for i := range 12 {
		got, _ := sums.Load(i)
		require.Equal(t, want, got)
	}
	require.LessOrEqual(t, b.server.MaxInFlight(), 3)
	require.Greater(t, b.server.MaxInFlight(), 1, "and they do run in parallel")
	require.Equal(t, 1, b.server.Requests("get_token"), "the token is fetched once for all")
}

func TestPullStreams(t *testing.T) {
	// Not in parallel: it looks at the heap of the whole process.
	b := setup(t, bigfixtest.Options{Rows: 200_000, Shape: bigfixtest.ShapeArray, PlainHTTP: true}, nil)
	var before, during runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	rows, most := 0, uint64(0)
	answer, err := b.source.Pull(t.Context(), b.source.Live(), extract.Request{Feed: "default", Day: someDay}, func(*extract.Record) error {
		if rows++; rows%50_000 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&during)
			most = max(most, during.HeapAlloc)
		}
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, b.truth(t, 0).rows, answer.Records)
	require.Greater(t, answer.Bytes, int64(40<<20))
	require.Less(t, most, before.HeapAlloc+uint64(answer.Bytes)/4, "the heap holds a fraction of the answer, not the answer")
}
