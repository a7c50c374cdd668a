package nexthink_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/extract/nexthink"
)

// pageOf puts rows below the documented header into a page.
func pageOf(rows string) string {
	return "<!DOCTYPE html><html><head><title>Details</title></head><body><h1>Visio</h1><table><tr><th>" +
		strings.ReplaceAll(csvHeader, ",", "</th><th>") + "</th></tr>" + rows + "</table></body></html>"
}

// However a table is marked up, the record is the same.
func TestTableDialects(t *testing.T) {
	t.Parallel()
	const want = "PC1 Lausanne 12.5 1.2 2026-03-02  visio.exe yes\nvviewer.exe no"
	const cells = `<td>PC1</td><td>Lausanne</td><td>12.5</td><td>1.2</td><td>2026-03-02</td><td></td>`
	for name, body := range map[string]string{
		"plain":              pageOf(`<tr>` + cells + `<td>visio.exe yes<br>vviewer.exe no</td></tr>`),
		"XHTML":              pageOf(`<tr>` + cells + `<td>visio.exe yes<br />vviewer.exe no</td></tr>`),
		"capital tags":       pageOf(`<TR>` + cells + `<TD>visio.exe yes<BR>vviewer.exe no</TD></TR>`),
		"byte order mark":    "\xEF\xBB\xBF" + pageOf(`<tr>`+cells+`<td>visio.exe yes<br>vviewer.exe no</td></tr>`),
		"a list in the cell": pageOf(`<tr>` + cells + `<td><ul><li>visio.exe yes</li><li>vviewer.exe no</li></ul></td></tr>`),
		"a table in the cell": pageOf(`<tr>` + cells +
			`<td><table><tr><th>visio.exe yes</th></tr><tr><td>vviewer.exe no</td></tr></table></td></tr>`),
		"attributes and links": pageOf(`<tr class="odd" data-x="<td>"><td id=1><a href="/device?x=1&y=2">PC1</a></td>` +
			strings.TrimPrefix(cells, "<td>PC1</td>") + `<td><b>visio.exe</b> yes<br>vviewer.exe no</td></tr>`),
		"white space": pageOf("\n  <tr>\n    <td>\n PC1\t</td>\n" + strings.TrimPrefix(cells, "<td>PC1</td>") +
			"<td>\n visio.exe\n  yes <br> \n vviewer.exe no\n </td>\n </tr>\n"),
		"a cell that is blank to the eye": pageOf(`<tr>` + strings.Replace(cells, "<td></td>", "<td> &nbsp; </td>", 1) +
			`<td>visio.exe yes<br>vviewer.exe no</td></tr>`),
		"comments": pageOf(`<!-- <tr><td>x</td></tr> --><tr>` + cells + `<td>visio.exe yes<br><!-- <br> -->vviewer.exe no</td></tr>`),
		"groups of rows": strings.NewReplacer("<table>", "<table><caption>Installed</caption><colgroup><col></colgroup><thead>").
			Replace(pageOf(`</thead><tbody><tr>` + cells + `<td>visio.exe yes<br>vviewer.exe no</td></tr></tbody><tfoot></tfoot>`)),
		"end tags left out": strings.NewReplacer("</th>", "", "</td>", "", "</tr>", "").
			Replace(pageOf(`<tr>` + cells + `<td>visio.exe yes<br>vviewer.exe no</td></tr>`)),
		"the first cell is the row's header": pageOf(`<tr><th scope="row">PC1</th>` + strings.TrimPrefix(cells, "<td>PC1</td>") +
			`<td>visio.exe yes<br>vviewer.exe no</td></tr>`),
		"a table alone": `<table><tr><th>Binaries<th>Device<th>Last activity<th>First date<th>Entity<th>Average executions<th>Average usage<br>(seconds)` +
			`<tr><td>visio.exe yes<br>vviewer.exe no<td>PC1<td><td>2026-03-02<td>Lausanne<td>1.2<td>12.5</table>`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			records, answer, err := pullBody(t, nexthink.FormatTable, body)
			require.NoError(t, err)
			require.Equal(t, []string{want}, records)
			require.Empty(t, answer.Notes)
		})
	}
}

func TestTableRows(t *testing.T) {
	t.Parallel()
	const device = "<table><tr><th>Device</th></tr>"
	const two = "<table><tr><th>Device</th><th>Entity</th></tr>"
	for name, tc := range map[string]struct {
		body string
		want []string
		note string
	}{
		"no device":  {device + "</table>", nil, ""},
		"empty rows": {device + "<tr></tr><tr>\n</tr><tr><td>PC1</td></tr></table>", []string{`PC1 - - - - - -`}, ""},
		"references": {two + "<tr><td>PC&amp;1 &lt;b&gt;</td><td>Z&uuml;rich &#26481;&#x4EAC;</td></tr></table>", []string{`PC&1 <b> Zürich 東京 - - - - -`}, ""},
		"duplicate names stay apart": {
			two + "<tr><td>PC1<td>A<tr><td>PC1<td>B<tr><td>PC1<td>B</table>",
			[]string{`PC1 A - - - - -`, `PC1 B - - - - -`, `PC1 B - - - - -`},
			"",
		},
		"unknown columns are kept": {
			"<table><tr><th>Device</th><th>OS</th></tr><tr><td>PC1</td><td>Windows</td></tr></table>",
			[]string{`PC1 - - - - - - | OS=Windows`},
			`the answer has keys that no column was made for, kept in extra: "OS"`,
		},
		"wrong number of cells": {
			two + `<tr><td>PC1</td><td>x</td></tr><tr><td colspan="2">No data</td></tr><tr><td>PC3</td><td>y</td></tr></table>`,
			[]string{`PC1 x - - - - -`, `odd row: <tr><td colspan="2">No data</td></tr>`, `PC3 y - - - - -`},
			"rows that do not have the form of a record: 1, the first is row 2",
		},
		"Windows-1252": {
			two + "<tr><td>PC1</td><td>Gen\xE8ve &uuml;</td></tr><tr><td>PC2</td><td>Zürich</td></tr></table>",
			[]string{`PC1 Genève ü - - - - -`, `PC2 Zürich - - - - -`},
			"rows that are not UTF-8 and were read as Windows-1252: 1, the first is row 1",
		},
		"further tables": {
			device + "<tr><td>PC1</td></tr></table><p><table><tr><th>Device</th></tr><tr><td>PC2</td></tr></table>",
			[]string{`PC1 - - - - - -`},
			`the answer holds further lists, which were not read: "tables behind the first"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			records, answer, err := pullBody(t, nexthink.FormatTable, tc.body)
			require.NoError(t, err)
			require.Equal(t, tc.want, records)
			require.Equal(t, uint64(len(tc.want)), answer.Records)
			require.Equal(t, int64(len(tc.body)+len(noEngines)), answer.Bytes)
			if tc.note == "" {
				require.Empty(t, answer.Notes)
			} else {
				require.Contains(t, answer.Notes, tc.note)
			}
		})
	}
}

// A login page is a page too, and may even hold a table: nothing but a table
// with a header that names the device is an answer.
func TestPageThatIsNotTheAnswer(t *testing.T) {
	t.Parallel()
	const login = `<!DOCTYPE html><html><head><title>Log in</title></head><body><form action="/login">`
	for name, tc := range map[string]struct {
		body  string
		class extract.Class
		says  string
	}{
		"nothing":                 {"", extract.BadAnswer, "the answer is empty"},
		"a login page":            {login + `<input name="user"></form></body></html>`, extract.BadAnswer, `the page has no table: it begins with "<!DOCTYPE html>`},
		"a login page of a table": {login + `<table><tr><td>User</td><td><input></td></tr></table></form>`, extract.BadAnswer, "does not begin with a header"},
		"with a header":           {login + `<table><tr><th>User</th><th>Password</th></tr><tr><td></td><td></td></tr></table>`, extract.BadAnswer, `stands for the device; its columns are "Password", "User"`},
		"an empty table":          {login + `<table></table>`, extract.BadAnswer, "the first table of the page is empty"},
		"json":                    {`[{"device":"PC1"}]`, extract.BadAnswer, "the page has no table"},
		"csv":                     {"Device\nPC1\n", extract.BadAnswer, "the page has no table"},
		"ends in the header":      {"<table><tr><th>Device</th><th>Ent", extract.Interrupted, "ends within its table"},
		"ends behind the header":  {"<table><tr><th>Device</th></tr>", extract.Interrupted, "in or after row 0"},
		"ends behind a row":       {"<table><tr><th>Device</th></tr><tr><td>PC1</td></tr>\n", extract.Interrupted, "in or after row 1"},
		"ends in a tag":           {"<table><tr><th>Device</th></tr><tr><td>PC1</td></tr></tab", extract.Interrupted, "ends within its table"},
		"a row without end":       {"<table><tr><th>Device</th></tr><tr>" + strings.Repeat("<td>PC1</td>", 1<<19), extract.BadAnswer, "a row is longer than"},
		"a cell without end":      {"<table><tr><th>Device</th></tr><tr><td>" + strings.Repeat("PC1 ", 2<<20), extract.BadAnswer, "is longer than the 4194304 bytes"},
		"a tag without end":       {"<html " + strings.Repeat("a=b ", 2<<20), extract.BadAnswer, "a part of the page is longer than"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			records, _, err := pullBody(t, nexthink.FormatTable, tc.body)
			require.Equal(t, tc.class, asError(t, err).Class, "%v", err)
			require.ErrorContains(t, err, tc.says)
			require.LessOrEqual(t, len(records), 1)
		})
	}
}

// In the other formats a page is never an answer, also not with the very table.
func TestPageIsNoAnswerInOtherFormats(t *testing.T) {
	t.Parallel()
	for _, format := range []string{nexthink.FormatJSON, nexthink.FormatCSV} {
		_, _, err := pullBody(t, format, "\n "+pageOf("<tr><td>PC1</td></tr>"))
		require.Equal(t, extract.BadAnswer, asError(t, err).Class)
		require.ErrorContains(t, err, "the answer is a page and not data")
	}
}
