package bigfixtest

import (
	"net/http"
	"slices"
)

// schema answers with the list of an endpoint's columns, nil where there is
// none. The form of schemas is documented nowhere; this one is invented.
func (s *Simulator) schema(name string) http.HandlerFunc {
	var names []string
	switch name {
	case "license_usage_per_server":
		all, _ := usageColumns()
		names = columnNames(all)
	case "server":
		names = columnNames(serverColumns())
		if s.o.ServerColumns != nil {
			names = s.o.ServerColumns
		}
	case "license_usage":
		names = totalsColumns()
	default:
		return nil
	}
	type described struct {
		Name        string `json:"name"`
		Description string `json:"description"`
	}
	var columns []described
	for _, name := range names {
		if !slices.Contains(s.o.Unknown, name) {
			columns = append(columns, described{name, "What the column holds."})
		}
	}
	return func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, map[string]any{"columns": columns}) }
}

func columnNames(columns []column) []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	return names
}
