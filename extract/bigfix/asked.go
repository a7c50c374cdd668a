package bigfix

import (
	"path"
	"strconv"
	"strings"

	"github.com/meterhouse/meterhouse/extract"
)

// Asked is what an earlier pull asked for beside feed and day. A Source that
// shall read its answers again must be made with the same.
type Asked struct {
	ServerColumns []string
	PageSize      int
	Criteria      string
	ProductTotals bool
}

// AskedFor reads it off the pull's queries.
func AskedFor(queries []extract.Query) Asked {
	var a Asked
	for _, q := range queries {
		switch path.Base(q.Path) {
		case totalsList().name:
			a.ProductTotals = true
		case usageList().name:
			a.PageSize, _ = strconv.Atoi(q.Values.Get("limit")) // 0 when it was not asked for
			a.Criteria = q.Values.Get("criteria")
			a.ServerColumns = nil
			for _, column := range q.Values["columns[]"] {
				if name, ok := strings.CutPrefix(column, "server."); ok {
					a.ServerColumns = append(a.ServerColumns, name)
				}
			}
		}
	}
	return a
}
