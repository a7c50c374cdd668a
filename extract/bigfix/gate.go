package bigfix

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/meterhouse/meterhouse/extract"
)

const (
	// importPath is the endpoint of IBM's page on data imports. It is only ever
	// asked without parameters: the parameter `run` would start an import.
	importPath  = "api/import_status.json"
	importLimit = 1 << 20
)

// importStatus are the fields of IBM's page on data imports that matter here.
// The page does not say how values are written, so any scalar is taken.
type importStatus struct {
	Mode            any `json:"mode"` // none, idle, running or pending
	Progress        any `json:"progress"`
	LastSuccessTime any `json:"last_success_time"`
	LastImportTime  any `json:"last_import_time"`
}

// Ready tells whether the server has finished the day: no import is running or
// about to, and the last successful one ended after the day did. With the state
// of before it also tells of an import that came and went since. Without
// WaitForImport every day is ready, and so it is where the server does not let
// us ask, which a note says once.
func (s *Source) Ready(ctx context.Context, req extract.Request, before string) (state string, notes []string, err error) {
	if !s.o.WaitForImport || s.noGate.Load() {
		return "", nil, nil
	}
	doing := fmt.Sprintf("license usage of %s at %q is not ready yet", req.Day, s.o.Name)
	day, err := time.ParseInLocation(time.DateOnly, req.Day, s.o.Location)
	if err != nil {
		return "", nil, &extract.Error{Class: extract.BadRequest, Doing: doing, Err: err}
	}
	status, err := s.importStatus(ctx)
	switch {
	case isNoGate(err):
		if s.noGate.CompareAndSwap(false, true) {
			return "", []string{noGateNote(err)}, nil
		}
		return "", nil, nil
	case err != nil:
		return "", nil, err
	}
	if err := status.finished(day.AddDate(0, 0, 1), s.o.Location); err != nil {
		return "", nil, &extract.Error{Class: extract.NotReady, Doing: doing, Err: err}
	}
	if state = status.imports(); before != "" && before != state {
		return "", nil, &extract.Error{
			Class: extract.Interrupted, Doing: fmt.Sprintf("asking %q for license usage of %s", s.o.Name, req.Day),
			Err: fmt.Errorf("an import came and went during the pull (before it: %s; now: %s)", before, state),
		}
	}
	return state, nil, nil
}

// isNoGate reports whether the server refuses to tell about its imports, or
// cannot.
func isNoGate(err error) bool {
	var e *extract.Error
	return errors.As(err, &e) && (e.Status == http.StatusForbidden || e.Status == http.StatusNotFound)
}

func noGateNote(err error) string {
	var e *extract.Error
	errors.As(err, &e)
	return fmt.Sprintf("the server does not tell about its imports (HTTP status %d), so wait_for_import has no effect; "+
		"BigFix Inventory wants the permission Manage Imports for it", e.Status)
}

func (s *Source) importStatus(ctx context.Context) (importStatus, error) {
	var status importStatus
	doing := fmt.Sprintf("asking %q for the state of its imports", s.o.Name)
	response, err := s.client.Get(ctx, extract.Query{Path: importPath, Accept: jsonType, Doing: doing})
	if err != nil {
		return status, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, importLimit))
	if err != nil {
		return status, err
	}
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	if err := decoder.Decode(&status); err != nil {
		return status, &extract.Error{
			Class: extract.BadAnswer, Doing: doing, Status: response.Status, Attempts: response.Attempts,
			Says: s.client.Text(text), Err: errors.New("the answer is not the JSON object that is documented"),
			Hint: "set wait_for_import: false to pull without asking",
		}
	}
	return status, nil
}

// finished says why the data up to end may not be complete, nil when it is. What
// cannot be understood is no reason to go ahead.
func (i importStatus) finished(end time.Time, zone *time.Location) error {
	switch mode := strings.ToLower(scalar(i.Mode)); mode {
	case "", "none", "idle":
	default:
		return fmt.Errorf("an import is %s (progress %q, last import time %q)", mode, scalar(i.Progress), scalar(i.LastImportTime))
	}
	const hint = "; set wait_for_import: false to pull without asking"
	text := scalar(i.LastSuccessTime)
	if text == "" {
		return errors.New("the server tells of no successful import" + hint)
	}
	at, ok := instant(text, zone)
	switch {
	case !ok:
		return fmt.Errorf("the server says that its last successful import ended %q, which cannot be read%s", text, hint)
	case !at.After(end):
		return fmt.Errorf("the last successful import ended %s, and the day only %s",
			at.In(zone).Format(time.RFC3339), end.Format(time.RFC3339))
	}
	return nil
}

// imports tells one state of the server's data from the next: every import, also
// one that fails, changes a time.
func (i importStatus) imports() string {
	return fmt.Sprintf("last import %q, last successful one %q", scalar(i.LastImportTime), scalar(i.LastSuccessTime))
}

// importFinding is the line of a check about the gate.
func (s *Source) importFinding(ctx context.Context) extract.Finding {
	const what = "wait_for_import"
	status, err := s.importStatus(ctx)
	switch {
	case isNoGate(err):
		return extract.Finding{What: what, Says: noGateNote(err), Warn: true}
	case err != nil:
		return extract.Finding{What: what, Says: err.Error(), Warn: true}
	}
	return extract.Finding{What: what, Says: s.client.Text([]byte(fmt.Sprintf(
		"imports are in mode %q, the last successful one ended %q", scalar(status.Mode), scalar(status.LastSuccessTime))))}
}

// scalar is a JSON value as text, at most 64 bytes of it.
func scalar(v any) string {
	if v == nil {
		return ""
	}
	const longest = 64
	text := strings.TrimSpace(fmt.Sprint(v))
	return strings.ToValidUTF8(text[:min(len(text), longest)], "")
}

// instant reads a time of which no source says how it is written. One without a
// zone may be the server's or UTC: it counts as the earlier of the two, so that
// a day is never taken for finished before it is.
func instant(text string, zone *time.Location) (time.Time, bool) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		const lastSecond = 1e11 // the year 5138; what is more are milliseconds
		if n > lastSecond {
			return time.UnixMilli(n), true
		}
		return time.Unix(n, 0), true
	}
	for _, named := range []string{" UTC", " GMT"} {
		if rest, ok := strings.CutSuffix(text, named); ok {
			text = rest + "Z"
		}
	}
	text = strings.Replace(text, " ", "T", 1)
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05 Z0700"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, true
		}
	}
	const zoneless = "2006-01-02T15:04:05"
	inUTC, err := time.Parse(zoneless, text)
	if err != nil {
		return time.Time{}, false
	}
	here, err := time.ParseInLocation(zoneless, text, zone)
	if err != nil || inUTC.Before(here) {
		return inUTC, err == nil
	}
	return here, true
}
