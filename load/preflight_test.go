package load_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/load"
	"github.com/meterhouse/meterhouse/load/loadtest"
)

// TestPreflightAsReader looks at the warehouse as a user who may only read.
func TestPreflightAsReader(t *testing.T) {
	t.Parallel()
	o := newDatabase(t)
	migrated(t, o)
	e := loadtest.Engine(t)
	o.User, o.Password = e.ReaderUser, func() string { return e.ReaderKey }
	w := loadtest.Open(t, o)
	var says []string
	for _, f := range w.Preflight(t.Context()) {
		if f.Level == load.Fault {
			says = append(says, f.What+": "+f.Says)
		}
	}
	on := "`" + o.Database + "`.*"
	require.Equal(t, []string{
		"settings: the user has readonly = 1 and can load nothing; give the user a profile without it",
		"grants: reader may not load and publish; run: GRANT INSERT ON " + on + " TO `reader`",
		"grants: reader may not create tables (migrate); run: GRANT CREATE TABLE ON " + on + " TO `reader`",
		"grants: reader may not create views (migrate); run: GRANT CREATE VIEW ON " + on + " TO `reader`",
		"grants: reader may not delete what no reader can see (prune); run: GRANT ALTER DELETE ON " + on + " TO `reader`",
	}, says)
}
