package nexthink_test

import (
	"encoding/base64"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/extract/extracttest"
	"github.com/meterhouse/meterhouse/extract/nexthink"
	"github.com/meterhouse/meterhouse/extract/nexthink/nexthinktest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	for _, format := range []string{nexthink.FormatJSON, nexthink.FormatCSV, nexthink.FormatTable} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			extracttest.Exercise(t, harness(t, format))
		})
	}
}

func harness(t *testing.T, format string) extracttest.Harness {
	t.Helper()
	o := nexthinktest.Options{Devices: 3000, User: user, Password: password, Now: today, Root: nexthinktest.ObjectWithList}
	target := visio()
	truth, err := nexthinktest.New(o).Truth(today(), simulated(target, nexthink.ListInstalled))
	require.NoError(t, err)
	h := extracttest.Harness{
		Simulator: func(t *testing.T) extracttest.Simulator {
			t.Helper()
			portal := nexthinktest.New(o)
			return extracttest.Simulator{Handler: portal, Faults: &portal.Faults, Path: nexthinktest.DetailsPath, Records: truth.Devices}
		},
		Source: func(t *testing.T, c extracttest.Connection) extract.Source {
			t.Helper()
			source, err := nexthink.New(nexthink.Options{
				Name: "hq", URL: c.URL, TLS: c.TLS, User: user, Password: func() string {
					if c.WrongPassword {
						return "guessed"
					}
					return password
				},
				Format: format, Targets: []nexthink.Target{target},
				Parallel: c.Parallel, MaxRetries: 2, RetryDelay: time.Millisecond,
				RequestTimeout: c.RequestTimeout, IdleTimeout: c.IdleTimeout, MaxBytes: c.MaxBytes,
			})
			require.NoError(t, err)
			t.Cleanup(source.Close)
			return source
		},
		Request: extract.Request{Feed: "visio/installed", Day: "2026-11-20"},
		Refused: 1, // a Portal may lock an account out
		Secrets: []string{password, base64.StdEncoding.EncodeToString([]byte(user + ":" + password)), "guessed"},
		CutAt:   3000,
		NoEnd:   format == nexthink.FormatCSV,
	}
	if format == nexthink.FormatTable {
		h.End = "</table>"
	}
	return h
}
