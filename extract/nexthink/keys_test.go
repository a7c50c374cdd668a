package nexthink_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/extract/nexthink"
	"github.com/meterhouse/meterhouse/extract/nexthink/nexthinktest"
)

// Each line is one spelling of a key, and the column it is read into. "extra"
// means that it is kept but understood by nobody.
func TestKeys(t *testing.T) {
	t.Parallel()
	columns := []string{"entity", "usage", "executions", "first seen", "last activity", "binaries"}
	for _, tc := range []struct{ key, column string }{
		{"Entity", "entity"},
		{"ENTITY", "entity"},
		{" entity_name ", "entity"},
		{"entityName", "entity"},
		{"Average usage per day (seconds)", "usage"},
		{"Average usage per day [s]", "usage"},
		{"Average usage per day", "usage"},
		{"averageUsagePerDaySeconds", "usage"},
		{"avg-usage-per-day-sec", "usage"},
		{"averageUsage", "usage"},
		{"usagePerDay", "usage"},
		{"Average usage per day (minutes)", "extra"}, // would be taken for seconds
		{"averageUsageHours", "extra"},
		{"Average executions per day", "executions"},
		{"AverageExecutionsPerDay", "executions"},
		{"Average executions per day (count)", "executions"},
		{"avgExecutionsPerDay", "executions"},
		{"First date with package", "first seen"},
		{"First date with package (UTC)", "first seen"},
		{"first_package_date", "first seen"},
		{"firstSeen", "first seen"},
		{"Last activity", "last activity"},
		{"lastActivityDate", "last activity"},
		{"last.used", "last activity"},
		{"Binaries", "binaries"},
		{"Significant binaries", "binaries"},
		{"usedBinaries", "binaries"},
		{"Total usage", "extra"},
		{"First", "extra"},
		{"(seconds)", "extra"},
		{"", "extra"},
	} {
		records, _, err := pullBody(t, nexthink.FormatJSON, `[{"device":"PC1","`+tc.key+`":"x"}]`)
		require.NoError(t, err, tc.key)
		want := "PC1"
		for _, column := range columns {
			if column == tc.column {
				want += " x"
			} else {
				want += " -"
			}
		}
		if tc.column == "extra" {
			want += " | " + tc.key + "=x"
		}
		require.Equal(t, []string{want}, records, tc.key)
	}
}

func TestDeviceKeys(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"Device", "device", "deviceName", "Device name", "NAME"} {
		records, _, err := pullBody(t, nexthink.FormatJSON, `[{"`+key+`":"PC1"}]`)
		require.NoError(t, err, key)
		require.Equal(t, []string{"PC1 - - - - - -"}, records, key)
	}
}

// A Portal in another language: the operator names its keys. They are compared
// as the known ones are, and go before them.
func TestAliases(t *testing.T) {
	t.Parallel()
	own := map[string][]string{
		"device":            {"Gerät"},
		"last_activity":     {"Letzte Aktivität", "Zuletzt"},
		"avg_usage_seconds": {"Nutzung pro Tag (Sekunden)"},
		"entity":            {"name", "Entity"}, // name stands for the device otherwise
	}
	for name, tc := range map[string]struct{ format, body, want string }{
		"json":                {nexthink.FormatJSON, `[{"GERÄT":"PC1","letzteAktivität":"2026-11-19","nutzung-pro-tag sekunden":12.5}]`, `PC1 - 12.5:number - - 2026-11-19 -`},
		"csv":                 {nexthink.FormatCSV, "Gerät;Letzte Aktivität;Nutzung pro Tag (Sekunden)\nPC1;2026-11-19;12.5\n", `PC1 - 12.5 - - 2026-11-19 -`},
		"csv, Windows-1252":   {nexthink.FormatCSV, "Ger\xE4t;Letzte Aktivit\xE4t\nPC1;2026-11-19\n", `PC1 - - - - 2026-11-19 -`},
		"table":               {nexthink.FormatTable, "<table><tr><th>Ger&auml;t<th>Letzte<br>Aktivität<tr><td>PC1<td>2026-11-19</table>", `PC1 - - - - 2026-11-19 -`},
		"the known ones stay": {nexthink.FormatJSON, `[{"device":"PC1","lastUsed":"2026-11-19"}]`, `PC1 - - - - 2026-11-19 -`},
		"the first one wins":  {nexthink.FormatJSON, `[{"device":"PC1","lastActivity":"a","zuletzt":"b","letzte aktivität":"c"}]`, `PC1 - - - - c - | lastActivity=a | zuletzt=b`},
		"taken from another":  {nexthink.FormatJSON, `[{"device":"PC1","name":"Lausanne"}]`, `PC1 Lausanne - - - - -`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, nexthinktest.Options{})
			b.options.Format, b.options.Aliases = tc.format, own
			b.answer(tc.body)
			records, _, err := b.pull(t, "visio/installed")
			require.NoError(t, err)
			require.Equal(t, []string{tc.want}, records)
		})
	}
}

func TestAliasesThatCannotBe(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		aliases map[string][]string
		says    string
	}{
		"column":      {map[string][]string{"Device": {"x"}}, `aliases of "Device": there is no such column; there are device, entity,`},
		"nothing":     {map[string][]string{"device": {"--"}}, `alias "--" of device has neither letter nor digit`},
		"two columns": {map[string][]string{"device": {"Gerät Name"}, "entity": {"gerät-name"}}, "stands for two columns, device and entity"},
	} {
		o := setupOptions(t)
		o.Aliases = tc.aliases
		_, err := nexthink.New(o)
		require.ErrorContains(t, err, tc.says, name)
	}
}

// Names that an account may not see are blank or all the same. That is worth a
// word, but a few rows alike are no sign.
func TestHiddenDevices(t *testing.T) {
	t.Parallel()
	body := func(devices ...string) string { return "Device,Entity\n" + strings.Join(devices, ",x\n") + ",x\n" }
	for name, tc := range map[string]struct {
		body string
		note string
	}{
		"blank":           {body("", " ", "", "", "", ""), "none of the 6 rows names its device: does the profile of the account hide the names?"},
		"all the same":    {body("***", "***", "*** ", "***", "***", "***"), "all 6 rows name the same device: does the profile of the account hide the names?"},
		"few":             {body("***", "***", "***", "***", "***"), ""},
		"one is another":  {body("***", "***", "***", "***", "***", "***", "***", "PC1"), ""},
		"one has a name":  {body("", "", "", "", "", "", "", "PC1"), ""},
		"a name repeated": {body("PC1", "PC1", "PC1", "PC2", "PC2", "PC2"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, answer, err := pullBody(t, nexthink.FormatCSV, tc.body)
			require.NoError(t, err)
			if tc.note == "" {
				require.Empty(t, answer.Notes)
			} else {
				require.Equal(t, []string{tc.note}, answer.Notes)
			}
		})
	}
}
