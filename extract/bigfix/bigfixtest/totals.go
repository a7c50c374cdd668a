package bigfixtest

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// total is one row of license_usage: what a product used of a metric in the
// whole group, at the moment when that was most.
type total struct {
	line     *line
	quantity int64
}

// notAvailable is the quantity of a product whose usage is not calculated.
const notAvailable = -1

// TruthTotals is what a complete answer of license_usage for a day and a
// computer group (0 for all servers) adds up to, without the rows that say -1,
// "not available".
func (s *Simulator) TruthTotals(day string, group int64) (rows uint64, sumHWM int64, err error) {
	d, err := parseDay(day)
	if err != nil {
		return 0, 0, err
	}
	for _, t := range s.totalsOf(d, group) {
		rows++
		if t.quantity != notAvailable {
			sumHWM += t.quantity
		}
	}
	return rows, sumHWM, nil
}

// totalsOf sums up a day. Servers do not peak together: only full capacity,
// which does not change within a day, has a total as large as the sum of its
// parts. A metric that is not counted per server comes with "not available".
func (s *Simulator) totalsOf(day int, group int64) []total {
	revision, has := s.version(day)
	if !has {
		return nil
	}
	type sums struct{ sum, most int64 }
	byLine := map[*line]*sums{}
	s.estate.each(day, group, revision, s.natural(), false, func(u *usage) bool {
		t := byLine[u.line]
		if t == nil {
			t = &sums{}
			byLine[u.line] = t
		}
		t.sum += u.quantity
		t.most = max(t.most, u.quantity)
		return true
	})
	var all []total
	for i := range s.estate.lines {
		l := &s.estate.lines[i]
		t := byLine[l]
		if t == nil {
			continue
		}
		peak := t.sum
		if !l.fullCap {
			together := 90 + int64(mix(uint64(l.id), uint64(day))%11) //nolint:gosec // a hash
			peak = max(t.most, t.sum*together/100)
		}
		all = append(all, total{l, peak})
		if len(all) == 1 {
			users := *l
			users.metric, users.bundle = metric{-18783, "AUTHORIZED_USER"}, bundle{}
			all = append(all, total{&users, notAvailable})
		}
	}
	slices.SortFunc(all, func(a, b total) int {
		return cmp.Or(cmp.Compare(a.line.id, b.line.id), cmp.Compare(a.line.metric.id, b.line.metric.id), cmp.Compare(a.line.bundle.id, b.line.bundle.id))
	})
	return all
}

// totalsColumns are the columns of HCL's and IBM's pages on license_usage that
// have one name on all servers.
func totalsColumns() []string {
	return []string{
		"product_publisher_name", "product_id", "product_name", "product_family_guid", "metric_id", "metric_name", "metric_code_name",
		"bundle_id", "bundle_name", "bundle_guid", "bundle_type", "flex_id", "product_bundle_ratio_factor", "product_bundle_ratio_divider",
		"hwm_quantity", "hwm_peak_time",
	}
}

// fields are all columns of a row.
func (t total) fields(day string) map[string]any {
	publisher, _, _ := strings.Cut(t.line.name, " ")
	f := map[string]any{
		"product_publisher_name": publisher, "product_id": t.line.id, "product_name": t.line.name, "product_family_guid": t.line.family,
		"metric_id": t.line.metric.id, "metric_name": strings.ReplaceAll(t.line.metric.code, "_", " "), "metric_code_name": t.line.metric.code,
		"bundle_id": nil, "bundle_name": nil, "bundle_guid": nil, "bundle_type": nil, "flex_id": nil,
		"product_bundle_ratio_factor": nil, "product_bundle_ratio_divider": nil,
		"hwm_quantity": t.quantity, "hwm_peak_time": day + "T14:00:00Z",
	}
	if b := t.line.bundle; b.id != 0 {
		f["bundle_id"], f["bundle_name"], f["bundle_guid"], f["bundle_type"] = b.id, b.name, b.guid, "FLEXIBLE"
		f["product_bundle_ratio_factor"], f["product_bundle_ratio_divider"] = 1, 2
	}
	return f
}

// totals answers license_usage of one day, in the rows' own order.
func (s *Simulator) totals(w http.ResponseWriter, r *http.Request) {
	v := r.URL.Query()
	group, day, err := s.parseTotals(v)
	limit, skip := -1, 0
	if err == nil {
		limit, err = parseCount(v, "limit", -1)
	}
	if err == nil {
		skip, err = parseCount(v, "offset", 0)
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, "Bad Request: "+err.Error())
		return
	}
	if !mayRead(w, group) {
		return
	}
	all := s.totalsOf(int(day.Unix()/86400), group)
	date := day.Format(time.DateOnly)
	rows := []map[string]any{}
	for _, t := range all[min(skip, len(all)):] {
		if len(rows) == limit {
			break
		}
		row := t.fields(date)
		for name := range row {
			if !slices.Contains(v["columns[]"], name) {
				delete(row, name)
			}
		}
		rows = append(rows, row)
	}
	w.Header().Set("startdate", date)
	w.Header().Set("enddate", date)
	w.Header().Set("computerGroupId", strconv.FormatInt(group, 10))
	w.Header().Set("Content-Type", "application/json")
	var answer any = map[string]any{"total": len(all), "rows": rows}
	if s.o.Shape == ShapeArray {
		answer = rows
	}
	_ = json.NewEncoder(w).Encode(answer) // the client may have gone
}

// parseTotals reads the parameters of HCL's page on license_usage. The error is
// the text of a 400. Periods of several days are left out of this simulator.
func (s *Simulator) parseTotals(v url.Values) (group int64, day time.Time, err error) {
	day, err = time.Parse(time.DateOnly, v.Get("startdate"))
	switch {
	case err != nil:
		return 0, day, fmt.Errorf("parameter startdate is %q, not a date in the format YYYY-MM-DD", v.Get("startdate"))
	case v.Get("enddate") != v.Get("startdate"):
		return 0, day, errors.New("this simulator only knows periods of one day")
	}
	for _, name := range v["columns[]"] {
		if !slices.Contains(totalsColumns(), name) || slices.Contains(s.o.Unknown, name) {
			return 0, day, fmt.Errorf("unknown column: %s", name)
		}
	}
	group, err = parseGroup(v)
	return group, day, err
}
