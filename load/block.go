package load

import (
	"github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2"
)

// block holds rows of one table as columns. Exactly one of license, total,
// metering and reject is set: it knows how a row becomes columns.
type block struct {
	table    string
	capacity int
	rows     int
	columns  []blockColumn
	// constants fill the columns that are the same in all rows of the load.
	constants []func(rows int)
	license   *licenseColumns
	total     *totalColumns
	metering  *meteringColumns
	reject    *rejectColumns
	free      chan *block // where it goes when it was sent
}

type blockColumn struct {
	name string
	data proto.Column
}

// variable adds a column whose values come with the rows.
func (b *block) variable(name string, c proto.Column) {
	b.columns = append(b.columns, blockColumn{name, c})
}

// constant adds a column that has the same value in all rows.
func constant[T any](b *block, name string, c proto.ColumnOf[T], value T) {
	b.variable(name, c)
	b.constants = append(b.constants, func(rows int) {
		for c.Rows() < rows {
			c.Append(value)
		}
	})
}

// seal makes the block ready to be sent.
func (b *block) seal() {
	for _, fill := range b.constants {
		fill(b.rows)
	}
}

func (b *block) reset() {
	b.rows = 0
	for _, c := range b.columns {
		c.data.Reset()
	}
}

func (b *block) names() []string {
	names := make([]string, len(b.columns))
	for i, c := range b.columns {
		names[i] = c.name
	}
	return names
}

func (b *block) types() []clickhouse.ColumnNameAndType {
	types := make([]clickhouse.ColumnNameAndType, len(b.columns))
	for i, c := range b.columns {
		types[i] = clickhouse.ColumnNameAndType{Name: c.name, Type: string(c.data.Type())}
	}
	return types
}

// dictionary is a LowCardinality(String) column.
func dictionary() *proto.ColLowCardinality[string] {
	return proto.NewLowCardinality[string](new(proto.ColStr))
}
