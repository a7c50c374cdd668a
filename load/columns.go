package load

import (
	"context"
	"fmt"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/meterhouse/meterhouse/schema"
)

// sentColumns lists, by table, the columns that blocks are made of.
func sentColumns() map[string][]clickhouse.ColumnNameAndType {
	h := &schema.LoadHeader{}
	columns := map[string][]clickhouse.ColumnNameAndType{}
	for _, b := range []*block{newLicenseBlock(h), newTotalBlock(h), newMeteringBlock(h), newRejectBlock(h)} {
		columns[b.table] = b.types()
	}
	for _, name := range ledgerColumns() {
		columns[ledgerTable] = append(columns[ledgerTable], clickhouse.ColumnNameAndType{Name: name})
	}
	return columns
}

// CheckColumns compares the columns that this program writes with those that
// the tables have, and returns a *SchemaError when they are not the same: somebody
// has altered a table.
func (w *Warehouse) CheckColumns(ctx context.Context) error {
	have, err := w.tableColumns(ctx)
	if err != nil {
		return err
	}
	var faults []string
	for table, columns := range sentColumns() {
		everywhere := ""
		if w.cluster != nil {
			everywhere = " ON CLUSTER " + quoteName(w.cluster.cluster)
		}
		if w.cluster != nil && sharded(table) {
			table += localSuffix // which the rows go to
		}
		for _, c := range columns {
			typ, ok := have[table][c.Name]
			switch {
			case !ok && c.Type == "":
				faults = append(faults, fmt.Sprintf("%s has no column %s", table, c.Name))
			case !ok:
				faults = append(faults, fmt.Sprintf("%s has no column %s (ALTER TABLE %s%s ADD COLUMN %s %s)",
					table, c.Name, quoteName(table), everywhere, quoteName(c.Name), c.Type))
			case c.Type != "" && typ != c.Type:
				faults = append(faults, fmt.Sprintf("%s.%s is %s, not %s", table, c.Name, typ, c.Type))
			}
		}
	}
	if len(faults) == 0 {
		return nil
	}
	slices.Sort(faults)
	return &SchemaError{Database: w.database, Columns: faults}
}

// tableColumns gives the types of the columns of every table, by name.
func (w *Warehouse) tableColumns(ctx context.Context) (map[string]map[string]string, error) {
	var columns map[string]map[string]string
	err := w.again(ctx, ledgerTimeout, "reading the columns of the warehouse", func(ctx context.Context) error {
		columns = map[string]map[string]string{}
		rows, err := w.admin.Query(ctx, tableColumnsSQL(w.database))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var table, name, typ string
			if err := rows.Scan(&table, &name, &typ); err != nil {
				return err
			}
			if columns[table] == nil {
				columns[table] = map[string]string{}
			}
			columns[table][name] = typ
		}
		return rows.Err()
	})
	return columns, err
}
