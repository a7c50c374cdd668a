package bigfix_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/extract/bigfix"
	"github.com/meterhouse/meterhouse/extract/bigfix/bigfixtest"
	"github.com/meterhouse/meterhouse/extract/extracttest/simfault"
)

// waiting makes a source in Berlin wait for imports; someDay ends there at
// 23:00 UTC.
func waiting(t *testing.T) func(*bigfix.Options) {
	t.Helper()
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	return func(o *bigfix.Options) { o.WaitForImport, o.Location = true, berlin }
}

func (b testBundle) ready(t *testing.T) ([]string, error) {
	t.Helper()
	_, notes, err := b.source.Ready(t.Context(), extract.Request{Feed: "default", Day: someDay}, "")
	return notes, err
}

func TestReadyWhenTheImportHasFinishedTheDay(t *testing.T) {
	t.Parallel()
	const after = "2025-03-12T23:00:01Z"
	for name, f := range map[string]struct {
		status bigfixtest.ImportStatus
		says   string // empty: ready
	}{
		"a second after the day":          {bigfixtest.ImportStatus{Mode: "idle", LastSuccessTime: after}, ""},
		"in another zone":                 {bigfixtest.ImportStatus{Mode: "none", LastSuccessTime: "2025-03-13T00:00:01+01:00"}, ""},
		"without a mode":                  {bigfixtest.ImportStatus{LastSuccessTime: after}, ""},
		"in capitals":                     {bigfixtest.ImportStatus{Mode: "IDLE", LastSuccessTime: after}, ""},
		"with words":                      {bigfixtest.ImportStatus{Mode: "idle", LastSuccessTime: "2025-03-12 23:00:01 UTC"}, ""},
		"with fractions":                  {bigfixtest.ImportStatus{Mode: "idle", LastSuccessTime: "2025-03-12T23:00:00.001Z"}, ""},
		"with an offset behind a space":   {bigfixtest.ImportStatus{Mode: "idle", LastSuccessTime: "2025-03-12 23:00:01 +0000"}, ""},
		"in seconds":                      {bigfixtest.ImportStatus{Mode: "idle", LastSuccessTime: "1741820401"}, ""},
		"in milliseconds":                 {bigfixtest.ImportStatus{Mode: "idle", LastSuccessTime: "1741820400001"}, ""},
		"without a zone, late enough":     {bigfixtest.ImportStatus{Mode: "idle", LastSuccessTime: "2025-03-13 00:00:01"}, ""},
		"without a zone, in one of two":   {bigfixtest.ImportStatus{Mode: "idle", LastSuccessTime: "2025-03-12 23:30:00"}, "ended 2025-03-12T23:30:00+01:00"},
		"as the day ends":                 {bigfixtest.ImportStatus{Mode: "idle", LastSuccessTime: "2025-03-12T23:00:00Z"}, "ended 2025-03-13T00:00:00+01:00, and the day only 2025-03-13T00:00:00+01:00"},
		"during the day":                  {bigfixtest.ImportStatus{Mode: "idle", LastSuccessTime: "2025-03-12T06:00:00Z"}, "ended 2025-03-12T07:00:00+01:00"},
		"running":                         {bigfixtest.ImportStatus{Mode: "running", Progress: 42, LastSuccessTime: after, LastImportTime: "2025-03-13T01:00:00Z"}, `an import is running (progress "42", last import time "2025-03-13T01:00:00Z")`},
		"pending":                         {bigfixtest.ImportStatus{Mode: "pending", LastSuccessTime: after}, "an import is pending"},
		"in a mode that nobody knows":     {bigfixtest.ImportStatus{Mode: "recalculating", LastSuccessTime: after}, "an import is recalculating"},
		"never":                           {bigfixtest.ImportStatus{Mode: "idle"}, "no successful import; set wait_for_import: false"},
		"at a time that cannot be read":   {bigfixtest.ImportStatus{Mode: "idle", LastSuccessTime: "yesterday"}, `"yesterday", which cannot be read; set wait_for_import: false`},
		"at a time of a zone by its name": {bigfixtest.ImportStatus{Mode: "idle", LastSuccessTime: "2025-03-13 01:00:00 CET"}, "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, bigfixtest.Options{PlainHTTP: true}, waiting(t))
			b.server.Imports(f.status)
			notes, err := b.ready(t)
			require.Empty(t, notes)
			require.Equal(t, 1, b.server.Requests("import_status.json"))
			if f.says == "" {
				require.NoError(t, err)
				return
			}
			requireClass(t, extract.NotReady, err)
			require.ErrorContains(t, err, `license usage of 2025-03-12 at "bfi" is not ready yet`)
			require.ErrorContains(t, err, f.says)
		})
	}
}

// Behind a pull the gate is asked again, with its state of before.
func TestReadyTellsOfAnImportDuringThePull(t *testing.T) {
	t.Parallel()
	before := bigfixtest.ImportStatus{Mode: "idle", LastSuccessTime: "2025-03-13T06:00:00Z", LastImportTime: "2025-03-13T06:00:00Z"}
	for name, f := range map[string]struct {
		now   bigfixtest.ImportStatus
		class extract.Class // empty: still ready
		says  string
	}{
		"nothing happened": {before, "", ""},
		"one has begun": {
			bigfixtest.ImportStatus{Mode: "running", LastSuccessTime: before.LastSuccessTime}, extract.NotReady, "an import is running",
		},
		"one came and went": {
			bigfixtest.ImportStatus{Mode: "idle", LastSuccessTime: "2025-03-13T08:00:00Z", LastImportTime: "2025-03-13T08:00:00Z"},
			extract.Interrupted, `an import came and went during the pull (before it: last import "2025-03-13T06:00:00Z"`,
		},
		"one came and failed": {
			bigfixtest.ImportStatus{Mode: "idle", LastSuccessTime: before.LastSuccessTime, LastImportTime: "2025-03-13T08:00:00Z"},
			extract.Interrupted, "came and went",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, bigfixtest.Options{PlainHTTP: true}, waiting(t))
			req := extract.Request{Feed: "default", Day: someDay}
			b.server.Imports(before)
			state, _, err := b.source.Ready(t.Context(), req, "")
			require.NoError(t, err)
			require.NotEmpty(t, state)

			b.server.Imports(f.now)
			again, _, err := b.source.Ready(t.Context(), req, state)
			if f.class == "" {
				require.NoError(t, err)
				require.Equal(t, state, again)
				return
			}
			requireClass(t, f.class, err)
			require.ErrorContains(t, err, f.says)
		})
	}
}

func TestReadyNeverSendsAParameter(t *testing.T) {
	t.Parallel()
	b := setup(t, bigfixtest.Options{}, waiting(t))
	b.server.Imports(bigfixtest.ImportStatus{Mode: "idle", LastSuccessTime: "2025-03-13T06:00:00Z"})
	_, err := b.ready(t)
	require.NoError(t, err)
	require.Len(t, b.server.Seen(), 1)
	require.Empty(t, b.server.Seen()[0].Query)
}

func TestReadyAsksNothingUnlessItIsToldTo(t *testing.T) {
	t.Parallel()
	b := setup(t, bigfixtest.Options{}, nil)
	notes, err := b.ready(t)
	require.NoError(t, err)
	require.Empty(t, notes)
	require.Zero(t, b.server.Requests(""))
}

func TestReadyGoesOnWithoutThePermissionAndSaysSoOnce(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int{"not permitted": 403, "not there": 404} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, bigfixtest.Options{}, waiting(t))
			b.server.Faults.Always(bigfixtest.ImportPath, simfault.Status(status, ""))
			notes, err := b.ready(t)
			require.NoError(t, err)
			require.Len(t, notes, 1)
			require.Contains(t, notes[0], "Manage Imports")
			for range 3 {
				notes, err = b.ready(t)
				require.NoError(t, err)
				require.Empty(t, notes)
			}
			require.Equal(t, 1, b.server.Requests(""), "and it does not ask again")
		})
	}
}

func TestReadyFailsWhenItCannotLearn(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]struct {
		fault simfault.Fault
		class extract.Class
	}{
		"the server fails":     {simfault.Status(500, ""), extract.Transient},
		"the token is refused": {simfault.Status(401, ""), extract.Credentials},
		"a page":               {simfault.LoginPage(), extract.BadAnswer},
		"half an answer":       {simfault.CutAfter(20), extract.Interrupted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, bigfixtest.Options{}, waiting(t))
			b.server.Imports(bigfixtest.ImportStatus{Mode: "idle", LastSuccessTime: "2025-03-13T06:00:00Z"})
			b.server.Faults.Always(bigfixtest.ImportPath, f.fault)
			_, err := b.ready(t)
			requireClass(t, f.class, err)
		})
	}
	b := setup(t, bigfixtest.Options{}, waiting(t))
	_, _, err := b.source.Ready(t.Context(), extract.Request{Feed: "default", Day: "12.3.2025"}, "")
	requireClass(t, extract.BadRequest, err)
}

func TestCheckTellsOfTheImports(t *testing.T) {
	t.Parallel()
	b := setup(t, bigfixtest.Options{}, waiting(t))
	findings, err := b.source.Check(t.Context())
	require.NoError(t, err)
	require.True(t, about(t, findings, "wait_for_import")[0].Warn)

	b.server.Imports(bigfixtest.ImportStatus{Mode: "idle", LastSuccessTime: "2025-03-13T06:00:00Z"})
	findings, err = b.source.Check(t.Context())
	require.NoError(t, err)
	require.Equal(t, []extract.Finding{{
		What: "wait_for_import", Says: `imports are in mode "idle", the last successful one ended "2025-03-13T06:00:00Z"`,
	}}, about(t, findings, "wait_for_import"))
}
