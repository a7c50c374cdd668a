package plan_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/schema"
)

func TestHosts(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.March, 5, 12, 0, 0, 0, time.UTC)
	row := func(host, feed string, age time.Duration) schema.Load {
		return schema.Load{Slice: schema.Slice{Source: "bfi", Feed: feed}, Host: host, FinishedAt: now.Add(-age)}
	}
	ledger := []schema.Load{
		row("there", "default", time.Hour), row("here", "default", time.Minute), row("there", "default", 0),
		row("retired", "default", 48*time.Hour), row("elsewhere", "group-5", 0), row("", "default", 0),
	}
	require.Equal(t, []string{"here", "there"}, plan.Hosts(ledger, "bfi", "default", now.Add(-24*time.Hour)))
	require.Equal(t, []string{"elsewhere"}, plan.Hosts(ledger, "bfi", "group-5", now.Add(-24*time.Hour)))
	require.Empty(t, plan.Hosts(ledger, "ilmt", "default", now.Add(-24*time.Hour)))
}
