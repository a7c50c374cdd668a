package load

import (
	"fmt"
	"strings"

	"github.com/meterhouse/meterhouse/schema"
)

// The statements that compare two loads group the rows of both by their key, in
// one scan, where a FULL JOIN would hold one load with all its columns in memory.
// Values are compared as text: the columns have one type in both loads, and what
// a person is shown is what was compared.

// diffCountsSQL counts rows that were added, removed, changed, and are the same.
func diffCountsSQL(c schema.Comparison, s schema.Slice, from, to uint64) string {
	return fmt.Sprintf("SELECT countIf(n = 1 AND is_to = 1), countIf(n = 1 AND is_to = 0), countIf(n = 2 AND differs), countIf(n = 2 AND NOT differs)\n"+
		"FROM\n(\n"+
		"SELECT count() AS n, max(load_id = %d) AS is_to, min(fingerprint) != max(fingerprint) AS differs\n"+
		"FROM\n%s\n"+
		"GROUP BY %s\n"+
		")", to, diffVersionsSQL(c, s, from, to), quoteColumns(c.Key))
}

// diffRowsSQL reads the rows that are not the same in both loads, the earlier
// version of a row right before the later one.
func diffRowsSQL(c schema.Comparison, s schema.Slice, from, to uint64) string {
	versions, key := diffVersionsSQL(c, s, from, to), quoteColumns(c.Key)
	return fmt.Sprintf("SELECT toUInt8(load_id = %d) AS is_to, %s AS key_texts, value_texts\n"+
		"FROM\n%s\n"+
		"WHERE (%s) IN\n(\n"+
		"SELECT %s\n"+
		"FROM\n%s\n"+
		"GROUP BY %s\n"+
		"HAVING count() = 1 OR min(fingerprint) != max(fingerprint)\n"+
		")\n"+
		"ORDER BY %s, is_to", to, textsSQL(c.Key), versions, key, key, versions, key, key)
}

// diffVersionsSQL gives the rows of both loads with their values as texts and
// one number that stands for all of them.
func diffVersionsSQL(c schema.Comparison, s schema.Slice, from, to uint64) string {
	columns := make([]string, len(c.Key))
	for i, k := range c.Key {
		columns[i] = quoteName(k.Name)
	}
	if c.Numbered {
		last := len(columns) - 1
		columns[last] = fmt.Sprintf("row_number() OVER (PARTITION BY load_id, %s ORDER BY toString(%s)) AS %s",
			strings.Join(columns[:last], ", "), textsSQL(c.Values), columns[last])
	}
	return fmt.Sprintf("(\nSELECT load_id, %s, %s AS value_texts, sipHash64(toString(value_texts)) AS fingerprint\n"+
		"FROM %s\n"+
		"WHERE source = %s AND %s = toDate(%s) AND load_id IN (%d, %d)\n)",
		strings.Join(columns, ", "), textsSQL(c.Values), quoteName(c.Table.Name),
		quoteText(s.Source), quoteName(c.Table.Day), quoteText(s.Day.String()), from, to)
}

// textsSQL is an array of the columns' values as texts, NULL where they are.
func textsSQL(columns []schema.Column) string {
	texts := make([]string, len(columns))
	for i, c := range columns {
		texts[i] = "toString(" + quoteName(c.Name) + ")"
	}
	return "CAST([" + strings.Join(texts, ", ") + "] AS Array(Nullable(String)))"
}

func quoteColumns(columns []schema.Column) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	return quoteNames(names)
}
