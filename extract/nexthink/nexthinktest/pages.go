package nexthinktest

import (
	"encoding/json"
	"html/template"
	"net/http"
	"net/url"
)

// discoveryPage stands for the interactive tool in which an operator picks a
// metric and copies the address of its details.
const discoveryPage = `<!DOCTYPE html>
<html><head><title>Software Metering API</title></head><body>
<h1>Software Metering API</h1>
<table><tr><th>Metric</th><th>Program</th><th>Details</th></tr>
{{range .}}<tr><td>{{.Metric}}</td><td>{{.Program}}</td><td>
{{- range .Links}}<a href="{{.Address}}">{{.Text}}</a> {{end}}</td></tr>
{{end}}</table></body></html>
`

type discoveryRow struct {
	Metric, Program string
	Links           []link
}

type link struct{ Address, Text string }

func (p *Portal) discovery(w http.ResponseWriter, _ *http.Request) {
	var rows []discoveryRow
	for _, m := range Metrics() {
		for _, program := range m.Programs {
			rows = append(rows, discoveryRow{Metric: m.Name, Program: program.Name, Links: links(m.UID, program.UID)})
		}
	}
	w.Header().Set("Content-Type", "text/html;charset=UTF-8")
	page := template.Must(template.New("discovery").Parse(discoveryPage))
	_ = page.Execute(w, rows) // only a client that has gone makes it fail
}

func links(metric, program string) []link {
	var links []link
	for _, list := range []struct{ name, text string }{{"installed", "Installed"}, {"underusage", "Underusage"}} {
		for _, format := range []string{"table", "csv", "json"} {
			query := url.Values{
				"metric": {metric}, "program": {program}, "hierarchy": {LocationHierarchy}, "list": {list.name}, "format": {format},
			}
			links = append(links, link{Address: DetailsPath + "?" + query.Encode(), Text: list.text + " (" + format + ")"})
		}
	}
	return links
}

// engine is an entry of the List Engines API, with the keys that Nexthink's
// page on it documents.
type engine struct {
	Name        string `json:"name"`
	DatabaseUID string `json:"databaseUID"`
	MachineID   string `json:"machineID"`
	Description string `json:"description"`
	Status      string `json:"status"`
	Address     string `json:"address"`
	Port        int    `json:"port"`
	Timezone    string `json:"timezone"`
	Version     string `json:"version"`
}

func (p *Portal) engines(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	_ = json.NewEncoder(w).Encode(p.engineList)
}

// SetEngine lets the Portal have an engine in a state: CONNECTED, DISCONNECTED
// or CONNECTING. A Portal begins with engine-1, connected; its devices do not
// depend on it.
func (p *Portal) SetEngine(name, status string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.engineList {
		if p.engineList[i].Name == name {
			p.engineList[i].Status = status
			return
		}
	}
	p.engineList = append(p.engineList, engine{
		Name: name, DatabaseUID: "3f0c2a9e-7f0e-4c59-9a53-8d8f5b6a7c01", MachineID: "9b1deb4d3b7d4bad9bdd2b0d7b3dcb6d",
		Description: "simulated", Status: status, Address: name + ".example.com", Port: 999,
		Timezone: p.o.Location.String(), Version: "6.30.0.0",
	})
}
