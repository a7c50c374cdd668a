package bigfixtest

import (
	"net/http"
	"time"
)

// ImportStatus is what api/import_status.json says, as on IBM's page on data
// imports: the fields that a client needs to know when a day is complete.
type ImportStatus struct {
	// Mode is none, idle, running or pending.
	Mode            string `json:"mode"`
	Progress        int    `json:"progress"`
	LastSuccessTime string `json:"last_success_time"`
	LastImportTime  string `json:"last_import_time"`
	LastStatus      string `json:"last_status"`
}

// nightlyImport is how long the import of every midnight takes.
const nightlyImport = 20 * time.Minute

// nightly is what a server says whose import runs every midnight.
func nightly(now time.Time) *ImportStatus {
	began := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	status := &ImportStatus{Mode: "idle", Progress: 100, LastStatus: "success", LastImportTime: began.Format(time.RFC3339)}
	if now.Sub(began) < nightlyImport {
		status.Mode, status.Progress = "running", int(100*now.Sub(began)/nightlyImport)
		began = began.AddDate(0, 0, -1)
	}
	status.LastSuccessTime = began.Add(nightlyImport).Format(time.RFC3339)
	return status
}

// Imports sets what api/import_status.json says. Until it is called there is no
// such endpoint, unless the options have an import every night.
func (s *Simulator) Imports(status ImportStatus) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.imports = &status
}

// ImportsStarted counts the requests that would have started an import on a real
// server, which a client must never do: those with the parameter run.
func (s *Simulator) ImportsStarted() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.started
}

func (s *Simulator) importStatus(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	if r.URL.Query().Has("run") {
		s.started++
		s.imports = &ImportStatus{Mode: "running"}
	}
	status := s.imports
	s.mu.Unlock()
	if status == nil && s.o.NightlyImport {
		status = nightly(s.o.Now())
	}
	if status == nil {
		refuse(w, http.StatusNotFound, "Not Found")
		return
	}
	writeJSON(w, status)
}
