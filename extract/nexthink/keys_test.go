package nexthink_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/extract/nexthink"
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
