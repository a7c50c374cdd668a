package nexthink_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/extract/nexthink"
	"github.com/meterhouse/meterhouse/extract/nexthink/nexthinktest"
)

const csvHeader = "Device,Entity,Average usage per day (seconds),Average executions per day,First date with package,Last activity,Binaries"

// Every dialect that the documented output can have gives the same record.
func TestCSVDialects(t *testing.T) {
	t.Parallel()
	const want = `PC1 Lausanne 12.5 1.2 2026-03-02  visio.exe yes, vviewer.exe no`
	const row = `PC1,Lausanne,12.5,1.2,2026-03-02,,"visio.exe yes, vviewer.exe no"`
	other := func(comma string) string {
		return strings.ReplaceAll(csvHeader, ",", comma) + "\n" +
			strings.Join([]string{"PC1", "Lausanne", "12.5", "1.2", "2026-03-02", "", "visio.exe yes, vviewer.exe no"}, comma) + "\n"
	}
	for name, body := range map[string]string{
		"comma":                 csvHeader + "\n" + row + "\n",
		"semicolon":             other(";"),
		"tab":                   other("\t"),
		"carriage returns":      csvHeader + "\r\n" + row + "\r\n",
		"byte order mark":       "\xEF\xBB\xBF" + csvHeader + "\n" + row + "\n",
		"mark before a quote":   "\xEF\xBB\xBF" + `"Device"` + strings.TrimPrefix(csvHeader, "Device") + "\n" + row + "\n",
		"everything quoted":     `"` + strings.ReplaceAll(csvHeader, ",", `","`) + "\"\n" + `"PC1","Lausanne","12.5","1.2","2026-03-02","","visio.exe yes, vviewer.exe no"` + "\n",
		"blank lines":           csvHeader + "\n\n" + row + "\n\n",
		"any column order":      "Binaries;Device;Last activity;First date;Entity;Average executions;Average usage [sec]\nvisio.exe yes, vviewer.exe no;PC1;;2026-03-02;Lausanne;1.2;12.5\n",
		"keys in another style": "device,entity,averageUsagePerDay,averageExecutionsPerDay,firstDateWithPackage,lastActivity,binaries\n" + row + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			records, answer, err := pullBody(t, nexthink.FormatCSV, body)
			require.NoError(t, err)
			require.Equal(t, []string{want}, records)
			require.Empty(t, answer.Notes)
			require.Equal(t, int64(len(body)+len(noEngines)), answer.Bytes)
		})
	}
}

func TestCSVRows(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		body string
		want []string
		note string
	}{
		"no device": {csvHeader + "\n", nil, ""},
		"only the documented columns that matter": {"Device\nPC1\nPC2\n", []string{`PC1 - - - - - -`, `PC2 - - - - - -`}, ""},
		"quotes and line ends in a field": {
			"Device,Binaries\n\"PC \"\"1\"\"\",\"a.exe yes\nb.exe no\"\nPC2,\n",
			[]string{"PC \"1\" - - - - - a.exe yes\nb.exe no", "PC2 - - - - - "},
			"",
		},
		"unknown columns are kept": {
			"Device,OS\nPC1,Windows\n",
			[]string{`PC1 - - - - - - | OS=Windows`},
			`the answer has keys that no column was made for, kept in extra: "OS"`,
		},
		"the better column wins": {
			"Name,Device\nVisio,PC1\n",
			[]string{`PC1 - - - - - - | Name=Visio`},
			`the answer has keys that no column was made for, kept in extra: "Name"`,
		},
		"separators within a label do not count": {
			"Device,\"a;b;c;d\"\nPC1,x\n",
			[]string{`PC1 - - - - - - | a;b;c;d=x`},
			`the answer has keys that no column was made for, kept in extra: "a;b;c;d"`,
		},
		"wrong number of fields": {
			"Device,Entity\nPC1,x\nPC2\nPC3,x,y\nPC4,x\n",
			[]string{`PC1 x - - - - -`, `odd row: PC2`, `odd row: PC3,x,y`, `PC4 x - - - - -`},
			"rows that do not have the form of a record: 2, the first is row 2",
		},
		"a quote where none may be": {
			"Device,Entity\nPC1,5\" x\n\"PC2\"x,y\nPC3,x\n",
			[]string{`odd row: PC1,5" x`, `odd row: "PC2"x,y`, `PC3 x - - - - -`},
			"rows that do not have the form of a record: 2, the first is row 1",
		},
		"Windows-1252": {
			"Device,Entit\xE9,Entity\nPC1,,Gen\xE8ve\nPC2,,Zürich\nPC3,,\x80\n",
			[]string{`PC1 Genève - - - - - | Entité=`, `PC2 Zürich - - - - - | Entité=`, `PC3 € - - - - - | Entité=`},
			"rows that are not UTF-8 and were read as Windows-1252: 2, the first is row 1",
		},
		"no line end at the end": {
			"Device,Entity\nPC1,x\nPC2,y",
			[]string{`PC1 x - - - - -`, `PC2 y - - - - -`},
			"the last row has no line end: if other answers of this server have one, this answer was cut off",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			records, answer, err := pullBody(t, nexthink.FormatCSV, tc.body)
			require.NoError(t, err)
			require.Equal(t, tc.want, records)
			require.Equal(t, uint64(len(tc.want)), answer.Records)
			if tc.note != "" {
				require.Contains(t, answer.Notes, tc.note)
			}
		})
	}
}

func TestCSVThatIsNotTheAnswer(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		body  string
		class extract.Class
		says  string
	}{
		"nothing":                   {"", extract.BadAnswer, "the answer is empty"},
		"a page":                    {"<html><table>", extract.BadAnswer, `begins with "<html><table>"`},
		"json":                      {`[{"device":"PC1"}]`, extract.BadAnswer, "the first line is not a header"},
		"no header":                 {"PC1,Lausanne,12.5\nPC2,Lausanne,1\n", extract.BadAnswer, `its columns are "12.5", "Lausanne", "PC1"`},
		"header without a device":   {"Entity,Binaries\nLausanne,\n", extract.BadAnswer, `its columns are "Binaries", "Entity"`},
		"a word":                    {"OK", extract.BadAnswer, "stands for the device"},
		"a line without end":        {strings.Repeat("Device,", 20_000), extract.BadAnswer, "the first line is longer than a header"},
		"UTF-16":                    {"\xFF\xFED\x00e\x00v\x00i\x00c\x00e\x00\n\x00", extract.BadAnswer, "stands for the device"},
		"ends in the header":        {"Device,Entity,Aver", extract.Interrupted, "ends within its header line"},
		"ends in a row":             {"Device,Entity\nPC1,x\nPC2", extract.Interrupted, "ends within row 2"},
		"ends in a quoted field":    {"Device,Entity\nPC1,x\nPC2,\"Lau", extract.Interrupted, "ends within row 2"},
		"ends behind a quoted line": {"Device,Entity\nPC1,\"x\n", extract.Interrupted, "ends within row 1"},
		"a row without end":         {"Device,Entity\nPC1,\"" + strings.Repeat("x\n", 3<<20), extract.BadAnswer, "a row is longer than"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := pullBody(t, nexthink.FormatCSV, tc.body)
			require.Equal(t, tc.class, asError(t, err).Class, "%v", err)
			require.ErrorContains(t, err, tc.says)
		})
	}
}

// The full header without rows is an empty list even where it has no line end.
func TestCSVHeaderOnly(t *testing.T) {
	t.Parallel()
	records, _, err := pullBody(t, nexthink.FormatCSV, csvHeader)
	require.NoError(t, err)
	require.Empty(t, records)
}

// Raw is the text of the record, for whoever has to look at it.
func TestRawText(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		format, body string
		want         []string
	}{
		{nexthink.FormatJSON, "[ {\"device\":\"PC1\"} ,\n{\"device\": \"PC2\"}]", []string{`{"device":"PC1"}`, `{"device": "PC2"}`}},
		{nexthink.FormatCSV, "Device,Entity\r\nPC1,\"a\nb\"\r\n\r\nPC2,x", []string{"PC1,\"a\nb\"", "PC2,x"}},
	} {
		b := setup(t, nexthinktest.Options{})
		b.options.Format = tc.format
		b.answer(tc.body)
		s := b.source(t)
		var raw []string
		_, err := s.Pull(t.Context(), s.Live(), extract.Request{Feed: "visio/installed"}, func(r *extract.Record) error {
			require.Equal(t, uint64(len(raw)+1), r.Ordinal)
			raw = append(raw, string(r.Raw))
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, tc.want, raw)
	}
}
