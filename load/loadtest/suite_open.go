package loadtest

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/load"
)

func (on Harness) info(t *testing.T) {
	o := on.Database(t)
	info, err := Open(t, o).Info(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, info.Version)
	require.NotEmpty(t, info.Timezone)
	require.Equal(t, o.Database, info.Database)
	require.WithinDuration(t, time.Now(), info.Now, time.Minute)
}

func (on Harness) wrongPassword(t *testing.T) {
	o := on.Database(t)
	o.Password = func() string { return "hunter2" }

	_, err := load.Open(t.Context(), o)

	var e *load.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, load.Credentials, e.Class)
	require.NotContains(t, err.Error(), "hunter2")
	require.False(t, e.Temporary())
}

func (on Harness) query(t *testing.T) {
	w := Migrated(t, on.Database(t))
	for name, test := range map[string]struct {
		sql  string
		want load.Class
	}{
		"a write":         {"INSERT INTO loads (load_id) SELECT 1", load.Forbidden},
		"a table":         {"CREATE TABLE t (a UInt8) ENGINE = Log", load.Forbidden},
		"a drop":          {"DROP TABLE loads", load.Forbidden},
		"a setting":       {"SET readonly = 0", load.Forbidden},
		"a missing table": {"SELECT * FROM nowhere", load.Schema},
		"a syntax error":  {"SELEKT 1", load.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			err := w.Query(t.Context(), test.sql, "TSV", t.Output())
			var e *load.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, test.want, e.Class, err)
			require.NotZero(t, e.Code)
		})
	}
	require.Equal(t, "n\ts\n1\ta\n", Answer(t, w, "SELECT 1 AS n, 'a' AS s", "TSVWithNames"))
	require.Equal(t, "{\"n\":1}\n", Answer(t, w, "SELECT toUInt8(1) AS n", "JSONEachRow"))
	require.Contains(t, Answer(t, w, "SELECT 1 AS n, 'a' AS s", "PrettyCompact"), "│")
	require.Equal(t, "0\n", Answer(t, w, "SELECT count() FROM license_usage", "TSV"), "queries run in the database")
}

// queryWriterFails keeps an error of the writer apart from one of the server.
func (on Harness) queryWriterFails(t *testing.T) {
	w := Migrated(t, on.Database(t))
	full := errors.New("no space left")

	err := w.Query(t.Context(), "SELECT number FROM system.numbers LIMIT 100000", "TSV", failingWriter{full})

	require.ErrorIs(t, err, full)
	require.ErrorContains(t, err, "writing the answer")
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }
