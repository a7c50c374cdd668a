package load

import (
	"context"
	"fmt"

	"github.com/meterhouse/meterhouse/schema"
)

// Shifts lists the totals per product and metric that are not the same in two
// loads of one slice of a bigfix source, by product and metric.
func (w *Warehouse) Shifts(ctx context.Context, s schema.Slice, from, to uint64) ([]schema.Shift, error) {
	var shifts []schema.Shift
	err := w.again(ctx, w.readTimeout, fmt.Sprintf("comparing the totals of load %d with load %d", to, from), func(ctx context.Context) error {
		shifts = nil
		rows, err := w.conn.Query(ctx, shiftsSQL(s, from, to))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var x schema.Shift
			if err := rows.Scan(&x.ProductID, &x.MetricID, &x.ProductName, &x.MetricCodeName, &x.Earlier, &x.Later); err != nil {
				return err
			}
			shifts = append(shifts, x)
		}
		return rows.Err()
	})
	return shifts, err
}

// shiftsSQL is for one slice what the view license_restatements is for all,
// with the bundles added up. It also runs on servers without the view.
func shiftsSQL(s schema.Slice, from, to uint64) string {
	t := schema.LicenseUsageTable()
	return fmt.Sprintf("SELECT product_id, metric_id, toString(max(product_name)), toString(max(metric_code_name)), "+
		"sumIf(hwm_quantity, load_id = %d) AS earlier, sumIf(hwm_quantity, load_id = %d) AS later\n"+
		"FROM %s\n"+
		"WHERE source = %s AND %s = toDate(%s) AND load_id IN (%d, %d)\n"+
		"GROUP BY product_id, metric_id\n"+
		"HAVING earlier != later\n"+
		"ORDER BY product_id, metric_id", from, to, quoteName(t.Name), quoteText(s.Source), quoteName(t.Day), quoteText(s.Day.String()), from, to)
}
