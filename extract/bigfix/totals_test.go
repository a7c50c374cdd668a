package bigfix_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/extract/bigfix"
	"github.com/meterhouse/meterhouse/extract/bigfix/bigfixtest"
	"github.com/meterhouse/meterhouse/extract/extracttest/simfault"
)

func withTotals(o *bigfix.Options) { o.ProductTotals = true }

// pullBoth pulls a feed of someDay and adds up each of its two streams.
func (b testBundle) pullBoth(t *testing.T, feed string) (usage, totals collected, answer extract.Answer, err error) {
	t.Helper()
	answer, err = b.source.Pull(t.Context(), b.source.Live(), extract.Request{Feed: feed, Day: someDay}, func(r *extract.Record) error {
		if r.Stream == extract.Facts {
			require.Zero(t, totals.rows, "the totals come behind all facts")
			usage.rows++
			usage.sum += number(t, r.Values[extract.LicenseHWMQuantity])
			return nil
		}
		totals.rows++
		require.Equal(t, totals.rows, r.Ordinal)
		require.Len(t, r.Values, extract.LicenseTotalColumns)
		require.Empty(t, r.Extra)
		if v := r.Values[extract.LicenseTotalHWMQuantity]; string(v.Bytes) != "-1" {
			totals.sum += number(t, v)
		}
		return nil
	})
	return usage, totals, answer, err
}

func TestPullBringsTheTotalsBehindTheRows(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]struct {
		server   bigfixtest.Options
		pageSize int
	}{
		"one streamed object": {},
		"one streamed array":  {server: bigfixtest.Options{Shape: bigfixtest.ShapeArray}},
		"pages":               {pageSize: 7},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, f.server, func(o *bigfix.Options) { o.ProductTotals, o.PageSize = true, f.pageSize })
			for feed, group := range map[string]int64{"default": 0, "group-5": bigfixtest.GroupEurope} {
				usage, totals, answer, err := b.pullBoth(t, feed)
				require.NoError(t, err)
				require.Equal(t, b.truth(t, group), usage)
				rows, sum, err := b.server.TruthTotals(someDay, group)
				require.NoError(t, err)
				require.NotZero(t, rows)
				require.Equal(t, collected{rows, sum}, totals)
				require.Less(t, sum, usage.sum, "servers do not peak together")
				require.Equal(t, usage.rows+rows, answer.Records)
			}
		})
	}
}

func TestPullAsksForTheTotalsOfTheDay(t *testing.T) {
	t.Parallel()
	source := offline(t, func(o *bigfix.Options) {
		o.ProductTotals, o.Criteria, o.PageSize = true, `{"and":[["server_id","=",1]]}`, 50
	})
	via := &answers{bodies: []string{`[]`, `[]`}}
	_, err := source.Pull(t.Context(), via, extract.Request{Feed: "group-5", Day: someDay}, func(*extract.Record) error { return nil })
	require.NoError(t, err)
	require.Len(t, via.queries, 2)
	require.Equal(t, extract.Query{
		Path: "api/sam/v2/license_usage",
		Values: url.Values{
			"startdate":       {someDay},
			"enddate":         {someDay},
			"computerGroupId": {"5"},
			"columns[]": {
				"product_publisher_name", "product_id", "product_name", "product_family_guid",
				"metric_id", "metric_name", "metric_code_name", "bundle_id", "bundle_name", "bundle_guid", "bundle_type",
				"flex_id", "product_bundle_ratio_factor", "product_bundle_ratio_divider", "hwm_quantity", "hwm_peak_time",
			},
			"order[]": {"product_id", "metric_id", "bundle_id", "flex_id"},
			"limit":   {"50"},
			"offset":  {"0"},
		},
		Accept: "application/json",
		Doing:  `asking "bfi" for product totals of 2025-03-12 in computer group 5`,
	}, via.queries[1], "the filter is one of the rows per server and is not sent")
}

func TestPullDoesNotAskForTotalsUnlessItIsToldTo(t *testing.T) {
	t.Parallel()
	b := setup(t, bigfixtest.Options{}, nil)
	_, answer, err := b.pull(t, "default")
	require.NoError(t, err)
	require.Equal(t, 1, answer.Requests)
	require.Zero(t, b.server.Requests("/license_usage"))
}

func TestPullReadsATotalAsItIsWritten(t *testing.T) {
	t.Parallel()
	row := `{"product_publisher_name":"IBM","product_id":24,"metric_id":"-18783","bundle_id":null,"flex_id":7,"hwm_quantity":-1,` +
		`"hwm_peak_time":"2025-03-12T14:00:00Z","custom_field_1":"cost centre 5","server":{"name":"S"}}`
	source := offline(t, withTotals)
	var totals []string
	_, err := source.Pull(t.Context(), &answers{bodies: []string{`[]`, `[` + row + `]`}}, extract.Request{Feed: "default", Day: someDay},
		func(r *extract.Record) error {
			require.Equal(t, extract.LicenseTotals, r.Stream)
			for i, v := range r.Values {
				if v.Kind != extract.Absent {
					totals = append(totals, strings.TrimSpace(string(rune('a'+i))+" "+string(v.Bytes)))
				}
			}
			for _, f := range r.Extra {
				totals = append(totals, f.Name)
			}
			return nil
		})
	require.NoError(t, err)
	require.Equal(t, []string{"a IBM", "b 24", "e -18783", "h", "l 7", "o -1", "p 2025-03-12T14:00:00Z", "custom_field_1", "server"}, totals)
}

func TestPullHoldsTheAnswerAgainstItsHeaders(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]struct {
		header http.Header
		says   string // empty: the pull is complete
	}{
		"none":                 {nil, ""},
		"the day":              {http.Header{"Startdate": {someDay}, "Enddate": {someDay}, "Computergroupid": {"5"}}, ""},
		"the day with a time":  {http.Header{"Startdate": {someDay + "T00:00:00Z"}, "Enddate": {someDay + " 23:59:59"}}, ""},
		"something else":       {http.Header{"Startdate": {"March 12"}, "Computergroupid": {"all"}}, ""},
		"an earlier beginning": {http.Header{"Startdate": {"2024-12-12"}, "Enddate": {someDay}}, `startdate is "2024-12-12"`},
		"another end":          {http.Header{"Startdate": {someDay}, "Enddate": {"2025-03-13"}}, `enddate is "2025-03-13"`},
		"another group":        {http.Header{"Computergroupid": {"6"}}, "computer group 6"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			via := &answers{bodies: []string{`[]`, `[{"product_id":1}]`}, header: f.header}
			rows := 0
			_, err := offline(t, withTotals).Pull(t.Context(), via, extract.Request{Feed: "group-5", Day: someDay},
				func(*extract.Record) error { rows++; return nil })
			if f.says == "" {
				require.NoError(t, err)
				require.Equal(t, 1, rows)
				return
			}
			requireClass(t, extract.BadAnswer, err)
			require.ErrorContains(t, err, f.says)
			require.Zero(t, rows)
		})
	}
}

func TestPullFailsWhereTheTotalsFail(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]struct {
		server bigfixtest.Options
		fault  simfault.Fault
		class  extract.Class
		says   string
	}{
		"a server before 9.2.10":   {fault: simfault.Status(404, ""), class: extract.BadRequest, says: "product_totals: false"},
		"a column it has not":      {server: bigfixtest.Options{Unknown: []string{"flex_id"}}, class: extract.BadRequest, says: "unknown column: flex_id"},
		"a right that is missing":  {fault: simfault.Status(403, ""), class: extract.Forbidden, says: "View License Metrics"},
		"an answer that breaks":    {fault: simfault.CutAfter(300), class: extract.Interrupted, says: "broke off"},
		"an answer that is a page": {fault: simfault.LoginPage(), class: extract.BadAnswer, says: "Sign in"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, f.server, withTotals)
			b.server.Faults.Always(bigfixtest.TotalsPath, f.fault)
			usage, _, _, err := b.pullBoth(t, "default")
			requireClass(t, f.class, err)
			require.Equal(t, b.truth(t, 0), usage)
			require.ErrorContains(t, err, "product totals of "+someDay)
			require.ErrorContains(t, err, f.says)
		})
	}
}

func TestCheckLooksAtTheTotalsToo(t *testing.T) {
	t.Parallel()
	b := setup(t, bigfixtest.Options{}, withTotals)
	_, err := b.source.Check(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, b.server.Requests("/license_usage"))

	b.server.Faults.Always(bigfixtest.TotalsPath, simfault.Status(404, ""))
	_, err = b.source.Check(t.Context())
	requireClass(t, extract.BadRequest, err)
	require.ErrorContains(t, err, "product_totals: false")
}
