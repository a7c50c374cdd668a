package cli_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/cmd/internal/cli"
)

// A bar has no room for half a number.
func TestFitting(t *testing.T) {
	t.Parallel()
	f := func(length int, want string) {
		t.Helper()
		require.Equal(t, want, cli.Fitting(length, "bfi-zürich  6,670/s, 12,345 rows", "bfi-zürich  12,345 rows", "bfi-zürich"))
	}
	f(32, "bfi-zürich  6,670/s, 12,345 rows")
	f(31, "bfi-zürich  12,345 rows")
	f(23, "bfi-zürich  12,345 rows")
	f(22, "bfi-zürich")
	f(3, "bfi-zürich")
}
