package bigfixtest

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// query is a request for license usage, understood.
type query struct {
	day         int
	group       int64
	own         []column
	ofServer    []column
	order       []ordering // empty when the rows' own order was asked for
	unordered   bool       // no order was asked for
	matches     func(*usage) bool
	limit, skip int // limit -1: none
}

type ordering struct {
	column
	descending bool
}

// parseQuery reads the parameters of HCL's page on license_usage_per_server.
// The error is the text of a 400.
func (s *Simulator) parseQuery(v url.Values) (query, error) {
	q := query{limit: -1}
	date, err := time.Parse(time.DateOnly, v.Get("date"))
	if err != nil {
		return q, fmt.Errorf("parameter date is %q, not a date in the format YYYY-MM-DD", v.Get("date"))
	}
	q.day = int(date.Unix() / 86400)
	if q.group, err = parseGroup(v); err != nil {
		return q, err
	}
	if q.limit, err = parseCount(v, "limit", -1); err != nil {
		return q, err
	}
	if q.skip, err = parseCount(v, "offset", 0); err != nil {
		return q, err
	}
	if err := s.parseColumns(&q, v["columns[]"]); err != nil {
		return q, err
	}
	if err := s.parseOrder(&q, v["order[]"]); err != nil {
		return q, err
	}
	if criteria := v.Get("criteria"); criteria != "" {
		q.matches, err = s.parseCriteria([]byte(criteria))
	}
	return q, err
}

func parseGroup(v url.Values) (int64, error) {
	text := v.Get("computerGroupId")
	if text == "" {
		return 0, nil
	}
	group, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("parameter computerGroupId is %q, not an integer", text)
	}
	return group, nil
}

func parseCount(v url.Values, name string, without int) (int, error) {
	if !v.Has(name) {
		return without, nil
	}
	n, err := strconv.Atoi(v.Get(name))
	if err != nil || n < 0 {
		return 0, fmt.Errorf("parameter %s is %q, not a number of rows", name, v.Get(name))
	}
	return n, nil
}

func (s *Simulator) parseColumns(q *query, names []string) error {
	if len(names) == 0 {
		all, byDefault := usageColumns()
		q.own = all[:byDefault]
		q.ofServer = slices.DeleteFunc(serverColumns(), func(c column) bool { return c.name != "name" })
		return nil
	}
	for _, name := range names {
		c, err := s.column(name)
		if err != nil {
			return err
		}
		if strings.HasPrefix(name, "server.") {
			q.ofServer = append(q.ofServer, c)
		} else {
			q.own = append(q.own, c)
		}
	}
	return nil
}

// column finds one by the name that a parameter gives it.
func (s *Simulator) column(name string) (column, error) {
	columns, _ := usageColumns()
	short, ofServer := strings.CutPrefix(name, "server.")
	if ofServer {
		columns = serverColumns()
	}
	i := slices.IndexFunc(columns, func(c column) bool { return c.name == short })
	if i < 0 || slices.Contains(s.o.Unknown, name) || ofServer && s.o.ServerColumns != nil && !slices.Contains(s.o.ServerColumns, short) {
		return column{}, fmt.Errorf("unknown column: %s", name)
	}
	return columns[i], nil
}

func (s *Simulator) parseOrder(q *query, names []string) error {
	natural := []string{"product_id", "metric_id", "bundle_id", "server_id"}
	q.unordered = len(names) == 0
	if len(names) <= len(natural) && slices.Equal(names, natural[:len(names)]) {
		return nil
	}
	for _, name := range names {
		name, descending := strings.CutSuffix(name, " desc")
		c, err := s.column(name)
		if err != nil {
			return err
		}
		q.order = append(q.order, ordering{c, descending})
	}
	return nil
}
