package embedded

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSplitInsert(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text, sql, format, data string
		ok                      bool
	}{
		{"INSERT INTO t VALUES (1)", "INSERT INTO t ", "Values", " (1)", true},
		{"insert into db.t (a, b) format JSONEachRow\n{}", "insert into db.t (a, b) ", "JSONEachRow", "{}", true},
		{"INSERT INTO t FORMAT CSV \t\r\n\n1", "INSERT INTO t ", "CSV", "\n1", true},
		{"INSERT INTO t FORMAT Native", "INSERT INTO t ", "Native", "", true},
		{"INSERT INTO t SETTINGS a = 'FORMAT x' FORMAT TSV 1", "INSERT INTO t SETTINGS a = 'FORMAT x' ", "TSV", "1", true},
		{"INSERT INTO `values` VALUES (1)", "INSERT INTO `values` ", "Values", " (1)", true},
		{"INSERT INTO values VALUES (1)", "INSERT INTO values ", "Values", " (1)", true},
		{"INSERT INTO db.format (format, values) VALUES (1)", "INSERT INTO db.format (format, values) ", "Values", " (1)", true},
		{"INSERT INTO TABLE format FORMAT CSV 1", "INSERT INTO TABLE format ", "CSV", "1", true},
		{"INSERT INTO FUNCTION null('a UInt8') VALUES (1)", "INSERT INTO FUNCTION null('a UInt8') ", "Values", " (1)", true},
		{"-- VALUES\n/* FORMAT x */ INSERT INTO t -- it's\nVALUES (1)", "-- VALUES\n/* FORMAT x */ INSERT INTO t -- it's\n", "Values", " (1)", true},
		{"INSERT INTO t SELECT 1 FORMAT CSV", "", "", "", false},
		{"INSERT INTO t (SELECT 'VALUES')", "", "", "", false},
		{"INSERT INTO t WITH 1 AS x SELECT x", "", "", "", false},
		{"INSERT INTO t", "", "", "", false},
		{"INSERT INTO t FORMAT", "", "", "", false},
		{"SELECT 1 FORMAT CSV", "", "", "", false},
		{"EXPLAIN INSERT INTO t VALUES (1)", "", "", "", false},
		{"", "", "", "", false},
	}
	for _, tt := range tests {
		got, ok := splitInsert(tt.text)
		require.Equal(t, tt.ok, ok, tt.text)
		if ok {
			require.Equal(t, insertText{tt.sql, tt.format, len(tt.text) - len(tt.data)}, got, tt.text)
		}
	}
}

func TestSplitOutput(t *testing.T) {
	t.Parallel()
	tests := []struct{ before, after, format string }{
		{"SELECT 1", "", ""},
		{"SELECT 1", " ; -- end", ""},
		{"SELECT 1", " -- FORMAT CSV", ""},
		{"SELECT 'FORMAT CSV'", "", ""},
		{"SELECT 'it''s \\' FORMAT CSV'", "", ""},
		{"SELECT $x$ FORMAT CSV $x$", "", ""},
		{"SELECT 1 AS `a``b` ", "FORMAT CSV", "CSV"},
		{"SELECT 1 ", "format JSON", "JSON"},
		{"SELECT 1 ", "FORMAT JSON;", "JSON"},
		{"SELECT 1 ", "FORMAT /* the usual */ JSON SETTINGS a = 1", "JSON"},
		{"SELECT 1 SETTINGS a = 1 ", "FORMAT JSON", "JSON"},
		{"SELECT * FROM (SELECT format AS format)", "", ""},
		{"SELECT format, x FROM t", "", ""},
		{"SELECT 1 ORDER BY format DESC", "", ""},
		{"# FORMAT CSV\nSELECT 1", "", ""},
	}
	for _, tt := range tests {
		require.Equal(t, outputText{len(tt.before), tt.format}, splitOutput(tt.before+tt.after), tt.before+tt.after)
	}
}

func FuzzText(f *testing.F) {
	f.Add("INSERT INTO t (a) VALUES ('x\\', $a$ ; -- /*")
	f.Add("SELECT '\\")
	f.Fuzz(func(t *testing.T, sql string) {
		if text, ok := splitInsert(sql); ok {
			require.LessOrEqual(t, text.data, len(sql))
		}
		require.LessOrEqual(t, splitOutput(sql).into, len(sql))
	})
}
