package bigfix_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/extract/bigfix"
	"github.com/meterhouse/meterhouse/extract/bigfix/bigfixtest"
	"github.com/meterhouse/meterhouse/extract/extracttest/simfault"
)

// What the conformance suite cannot know: the meaning of statuses at this source,
// and bodies that only this API has. Every fault of a day fails the whole day.
func TestPullFails(t *testing.T) {
	t.Parallel()
	status := func(code int, says string) []simfault.Fault {
		return []simfault.Fault{simfault.Status(code, says), simfault.Status(code, says), simfault.Status(code, says)}
	}
	const paged = 150
	for name, f := range map[string]struct {
		faults   []simfault.Fault // of the first requests
		pageSize int
		class    extract.Class
		requests int
		says     string
	}{
		"400": {status(400, "unknown column"), 0, extract.BadRequest, 1, "unknown column"},
		"403": {status(403, ""), 0, extract.Forbidden, 1, "View License Metrics"},
		"404": {status(404, ""), 0, extract.BadRequest, 1, "11.0.7.0"},
		"408": {status(408, ""), 0, extract.Transient, 3, "3 attempts"},
		"412": {status(412, ""), 0, extract.Forbidden, 1, "not enabled"},
		"418": {status(418, ""), 0, extract.BadRequest, 1, "418"},
		"wrong total": {
			[]simfault.Fault{simfault.Rewrite(func(body string) string { return strings.Replace(body, `{"total":`, `{"total":1`, 1) })},
			0, extract.BadAnswer, 1, "counts",
		},
		"text behind":            {[]simfault.Fault{simfault.Rewrite(func(body string) string { return body + "oops" })}, 0, extract.BadAnswer, 1, "behind the end"},
		"no body":                {[]simfault.Fault{simfault.EndAfter(0)}, 0, extract.BadAnswer, 1, "the body is empty"},
		"cut on the second page": {[]simfault.Fault{nil, simfault.CutAfter(5000)}, paged, extract.Interrupted, 2, "broke off"},
		"403 on the second page": {append([]simfault.Fault{nil}, status(403, "")...), paged, extract.Forbidden, 2, "HTTP status 403"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, bigfixtest.Options{}, func(o *bigfix.Options) { o.PageSize = f.pageSize })
			b.server.Faults.Next(bigfixtest.UsagePath, f.faults...)
			_, answer, err := b.pull(t, "default")
			requireClass(t, f.class, err)
			require.ErrorContains(t, err, f.says)
			require.ErrorContains(t, err, "license usage of "+someDay)
			require.Equal(t, f.requests, b.server.Requests(""))
			require.Equal(t, f.requests, answer.Requests)
		})
	}
}

func TestPullOfGroupsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	b := setup(t, bigfixtest.Options{}, nil)
	_, _, err := b.pull(t, "group-7")
	requireClass(t, extract.Forbidden, err)
	require.Equal(t, http.StatusPreconditionFailed, errorOf(t, err).Status)
	_, _, err = b.pull(t, "group-99")
	requireClass(t, extract.Forbidden, err)
	require.Equal(t, http.StatusForbidden, errorOf(t, err).Status)
	require.ErrorContains(t, err, "in computer group 99")
}
