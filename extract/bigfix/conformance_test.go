package bigfix_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/extract/bigfix"
	"github.com/meterhouse/meterhouse/extract/bigfix/bigfixtest"
	"github.com/meterhouse/meterhouse/extract/extracttest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	o := bigfixtest.Options{Token: "5eb5b98b0ff84d00c0ffee", Password: "pass word&<4712>"}
	extracttest.Exercise(t, harness(o))
}

// harness is a source that signs in with user and password.
func harness(o bigfixtest.Options) extracttest.Harness {
	return extracttest.Harness{
		Simulator: func(t *testing.T) extracttest.Simulator {
			t.Helper()
			sim, err := bigfixtest.New(o)
			require.NoError(t, err)
			rows, _, err := sim.Truth(someDay, 0)
			require.NoError(t, err)
			return extracttest.Simulator{Handler: sim, Faults: &sim.Faults, Path: bigfixtest.UsagePath, Login: bigfixtest.TokenPath, Records: rows}
		},
		Source: func(t *testing.T, c extracttest.Connection) extract.Source {
			t.Helper()
			source, err := bigfix.New(bigfix.Options{
				Name: "bfi", URL: c.URL, TLS: c.TLS, User: "meterhouse", Password: func() string {
					if c.WrongPassword {
						return "guessed"
					}
					return o.Password
				},
				Parallel: c.Parallel, MaxRetries: 2, RetryDelay: time.Millisecond,
				RequestTimeout: c.RequestTimeout, IdleTimeout: c.IdleTimeout, MaxBytes: c.MaxBytes,
			})
			require.NoError(t, err)
			t.Cleanup(source.Close)
			return source
		},
		Request: extract.Request{Feed: "default", Day: someDay},
		Refused: 2,
		Secrets: []string{o.Token, o.Password, "guessed"},
		CutAt:   5000,
	}
}
