package load_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/load"
)

func TestInfo(t *testing.T) {
	t.Parallel()
	o := newDatabase(t)
	info, err := open(t, o).Info(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, info.Version)
	require.NotEmpty(t, info.Timezone)
	require.Equal(t, o.Database, info.Database)
	require.WithinDuration(t, time.Now(), info.Now, time.Minute)
}

func TestWrongPassword(t *testing.T) {
	t.Parallel()
	o := newDatabase(t)
	o.Password = func() string { return "hunter2" }

	_, err := load.Open(t.Context(), o)

	var e *load.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, load.Credentials, e.Class)
	require.NotContains(t, err.Error(), "hunter2")
	require.False(t, e.Temporary())
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	dead := l.Addr().String()
	require.NoError(t, l.Close())
	for _, protocol := range []string{load.Native, load.HTTP} {
		_, err := load.Open(t.Context(), load.Options{Protocol: protocol, Addrs: []string{dead}, Password: func() string { return "hunter2" }})

		var e *load.Error
		require.ErrorAs(t, err, &e, protocol)
		require.Equal(t, load.Unreachable, e.Class, protocol)
		require.ErrorContains(t, err, dead)
		require.NotContains(t, err.Error(), "hunter2")
		require.True(t, e.Temporary())
	}
}

// TestSilentServer connects to something that accepts and never speaks.
func TestSilentServer(t *testing.T) {
	t.Parallel()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	for _, protocol := range []string{load.Native, load.HTTP} {
		_, err := load.Open(t.Context(), load.Options{
			Protocol: protocol, Addrs: []string{l.Addr().String()}, DialTimeout: 100 * time.Millisecond,
		})

		var e *load.Error
		require.ErrorAs(t, err, &e, protocol)
		require.Equal(t, load.Unreachable, e.Class, "%s: %v", protocol, err)
	}
}

func TestOptionsThatCannotWork(t *testing.T) {
	t.Parallel()
	notPEM := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(notPEM, []byte("hello"), 0o600))
	for want, o := range map[string]load.Options{
		`cluster "c1"`:           {Protocol: load.Native, Cluster: "c1"},
		`no protocol "gopher"`:   {Protocol: "gopher"},
		"no certificate":         {Protocol: load.HTTP, Secure: true, CAFile: notPEM},
		"no such file":           {Protocol: load.HTTP, Secure: true, CAFile: notPEM + "x"},
		"opening the warehouse":  {},
		"connecting to ClickHou": {Protocol: load.Native, Addrs: []string{"127.0.0.1:1"}},
	} {
		_, err := load.Open(t.Context(), o)
		require.ErrorContains(t, err, want)
	}
}

func TestQuery(t *testing.T) {
	t.Parallel()
	w := migrated(t, newDatabase(t))
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
			t.Parallel()
			err := w.Query(t.Context(), test.sql, "TSV", t.Output())
			var e *load.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, test.want, e.Class, err)
			require.NotZero(t, e.Code)
		})
	}
	require.Equal(t, "n\ts\n1\ta\n", query(t, w, "SELECT 1 AS n, 'a' AS s", "TSVWithNames"))
	require.Equal(t, "{\"n\":1}\n", query(t, w, "SELECT toUInt8(1) AS n", "JSONEachRow"))
	require.Contains(t, query(t, w, "SELECT 1 AS n, 'a' AS s", "PrettyCompact"), "│")
	require.Equal(t, "0\n", query(t, w, "SELECT count() FROM license_usage", "TSV"), "queries run in the database")
}

// TestQueryWriterFails keeps an error of the writer apart from one of the server.
func TestQueryWriterFails(t *testing.T) {
	t.Parallel()
	w := migrated(t, newDatabase(t))
	full := errors.New("no space left")

	err := w.Query(t.Context(), "SELECT number FROM system.numbers LIMIT 100000", "TSV", failingWriter{full})

	require.ErrorIs(t, err, full)
	require.ErrorContains(t, err, "writing the answer")
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }
