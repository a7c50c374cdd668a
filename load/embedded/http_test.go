package embedded_test

import (
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/load/loadtest"
)

// answer is what curl would show with -i.
type answer struct {
	status int
	header http.Header
	body   string
	err    error // of reading the body
}

// asked is a request as curl would send it; the zero value is GET / by nobody.
type asked struct {
	params     url.Values
	body       io.Reader
	user, key  string
	header     http.Header
	getInstead bool
}

func ask(t *testing.T, a asked) answer {
	t.Helper()
	method := http.MethodPost
	if a.getInstead {
		method = http.MethodGet
	}
	r, err := http.NewRequestWithContext(t.Context(), method,
		"http://"+loadtest.Engine(t).Addr+"/?"+a.params.Encode(), a.body)
	require.NoError(t, err)
	if a.header != nil {
		r.Header = a.header
	}
	if a.user != "" {
		r.SetBasicAuth(a.user, a.key)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true}}
	response, err := client.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, string(text), err}
}

// post sends a statement as the user who may do everything. params come in
// pairs of name and value.
func post(t *testing.T, sql string, params ...string) answer {
	t.Helper()
	e := loadtest.Engine(t)
	return ask(t, asked{params: pairs(params), body: strings.NewReader(sql), user: e.User, key: e.Key})
}

func pairs(list []string) url.Values {
	values := url.Values{}
	for i := 0; i < len(list); i += 2 {
		values.Set(list[i], list[i+1])
	}
	return values
}

func (a answer) requireOK(t *testing.T) string {
	t.Helper()
	require.NoError(t, a.err)
	require.Equal(t, http.StatusOK, a.status, a.body)
	return a.body
}

func TestPingNeedsNoKey(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/ping", "/"} {
		response, err := http.Get("http://" + loadtest.Engine(t).Addr + path) //nolint:noctx // as simple as a probe
		require.NoError(t, err)
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.Equal(t, "Ok.\n", string(text))
	}
}

func TestUsersAndKeys(t *testing.T) {
	t.Parallel()
	e := loadtest.Engine(t)
	one := pairs([]string{"query", "SELECT 1"})
	with := func(more ...string) url.Values { return pairs(append([]string{"query", "SELECT 1"}, more...)) }
	tests := map[string]struct {
		asked  asked
		status int
		code   string
	}{
		"Basic":              {asked{params: one, user: e.User, key: e.Key}, 200, ""},
		"Basic, reader":      {asked{params: one, user: e.ReaderUser, key: e.ReaderKey}, 200, ""},
		"headers":            {asked{params: one, header: http.Header{"X-Clickhouse-User": {e.User}, "X-Clickhouse-Key": {e.Key}}}, 200, ""},
		"parameters":         {asked{params: with("user", e.User, "password", e.Key)}, 200, ""},
		"nobody":             {asked{params: one}, 401, "194"},
		"wrong key":          {asked{params: one, user: e.User, key: "x"}, 403, "516"},
		"no key":             {asked{params: one, user: e.User}, 403, "516"},
		"the reader's key":   {asked{params: one, user: e.User, key: e.ReaderKey}, 403, "516"},
		"unknown user":       {asked{params: one, user: "default", key: e.Key}, 403, "516"},
		"wrong in header":    {asked{params: one, header: http.Header{"X-Clickhouse-User": {e.User}, "X-Clickhouse-Key": {"x"}}}, 403, "516"},
		"wrong in parameter": {asked{params: with("user", e.User, "password", "x")}, 403, "516"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, get := range []bool{true, false} {
				tt.asked.getInstead = get
				a := ask(t, tt.asked)
				require.Equal(t, tt.status, a.status, a.body)
				require.Equal(t, tt.code, a.header.Get("X-ClickHouse-Exception-Code"))
				require.NotContains(t, a.body, e.Key)
			}
		})
	}
}

func TestEveryFormatIsOneDocument(t *testing.T) {
	t.Parallel()
	const rows = 200_000 // several blocks of the engine
	sql := "SELECT number AS n, 'a,b' AS s FROM numbers(200000)"
	t.Run("JSON", func(t *testing.T) {
		t.Parallel()
		a := post(t, sql+" FORMAT JSON")
		require.Equal(t, "application/json; charset=UTF-8", a.header.Get("Content-Type"))
		require.Equal(t, "JSON", a.header.Get("X-ClickHouse-Format"))
		var document struct {
			Data []struct{ N any }
			Rows int
		}
		require.NoError(t, json.Unmarshal([]byte(a.requireOK(t)), &document))
		require.Equal(t, rows, document.Rows)
		require.Len(t, document.Data, rows)
	})
	t.Run("CSVWithNames by default_format", func(t *testing.T) {
		t.Parallel()
		a := post(t, sql, "default_format", "CSVWithNames")
		records, err := csv.NewReader(strings.NewReader(a.requireOK(t))).ReadAll()
		require.NoError(t, err)
		require.Len(t, records, rows+1)
		require.Equal(t, []string{"199999", "a,b"}, records[rows])
	})
	t.Run("Parquet", func(t *testing.T) {
		t.Parallel()
		text := post(t, sql+" FORMAT Parquet").requireOK(t)
		require.Equal(t, 2, strings.Count(text, "PAR1"))
	})
	t.Run("TabSeparated when none is named", func(t *testing.T) {
		t.Parallel()
		a := post(t, "SELECT 1, 'a\tb'")
		require.Equal(t, "1\ta\\tb\n", a.requireOK(t))
		require.Equal(t, "TabSeparated", a.header.Get("X-ClickHouse-Format"))
	})
	t.Run("of SHOW and DESCRIBE too", func(t *testing.T) {
		t.Parallel()
		require.Contains(t, post(t, "SHOW DATABASES FORMAT JSONEachRow").requireOK(t), `{"name":"system"}`)
		require.Contains(t, post(t, "DESCRIBE system.one", "default_format", "CSV").requireOK(t), `"dummy","UInt8"`)
	})
	t.Run("gzip where asked for", func(t *testing.T) {
		t.Parallel()
		e := loadtest.Engine(t)
		a := ask(t, asked{
			params: pairs([]string{"enable_http_compression", "1"}), body: strings.NewReader("SELECT 42"),
			header: http.Header{"Accept-Encoding": {"gzip"}}, user: e.User, key: e.Key,
		})
		require.Equal(t, "gzip", a.header.Get("Content-Encoding"))
		unzipped, err := gzip.NewReader(strings.NewReader(a.requireOK(t)))
		require.NoError(t, err)
		text, err := io.ReadAll(unzipped)
		require.NoError(t, err)
		require.Equal(t, "42\n", string(text))
	})
}

func TestStatementsAreFoundWhereClientsPutThem(t *testing.T) {
	t.Parallel()
	e := loadtest.Engine(t)
	tests := map[string]asked{
		"body":           {body: strings.NewReader("SELECT 'x'")},
		"parameter":      {params: pairs([]string{"query", "SELECT 'x'"})},
		"GET":            {params: pairs([]string{"query", "SELECT 'x'"}), getInstead: true},
		"both":           {params: pairs([]string{"query", "SELECT"}), body: strings.NewReader("'x'")},
		"with comments":  {body: strings.NewReader("/* FORMAT CSV */ SELECT 'x' -- FORMAT JSON\n;\n-- end")},
		"with a bracket": {body: strings.NewReader("(SELECT 'x')")},
		"with WITH":      {body: strings.NewReader("WITH 'x' AS a SELECT a SETTINGS max_threads = 1;")},
		"FORMAT between": {body: strings.NewReader("SELECT 'x' FORMAT TSV SETTINGS max_threads = 1")},
		"column format":  {body: strings.NewReader("SELECT 'x' AS format ORDER BY format DESC")},
	}
	for name, a := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a.user, a.key = e.User, e.Key
			require.Equal(t, "x\n", ask(t, a).requireOK(t))
		})
	}
}

func TestParameters(t *testing.T) {
	t.Parallel()
	body := post(t, "SELECT {n:UInt64} + 1, {s:String}, {d:Date}, {a:Array(String)}, {t:Identifier} FROM numbers(1)",
		"param_n", "41", "param_s", `it's "quoted" -- {x}`, "param_d", "2026-02-28", "param_a", "['a','b']", "param_t", "number").requireOK(t)
	require.Equal(t, "42\tit\\'s \"quoted\" -- {x}\t2026-02-28\t['a','b']\t0\n", body)
	require.Equal(t, "456", post(t, "SELECT {missing:String}").header.Get("X-ClickHouse-Exception-Code"))
}

func TestSettingsAndDatabaseHoldForOneRequest(t *testing.T) {
	t.Parallel()
	database := loadtest.Database(t)
	sql := "SELECT currentDatabase(), getSetting('max_threads') = 7"
	require.Equal(t, database+"\t1\n", post(t, sql, "database", database, "max_threads", "7").requireOK(t))
	require.Equal(t, "default\t0\n", post(t, sql, "session_id", "ignored", "wait_end_of_query", "1").requireOK(t))
	e := loadtest.Engine(t)
	a := ask(t, asked{body: strings.NewReader(sql), user: e.User, key: e.Key, header: http.Header{"X-Clickhouse-Database": {database}}})
	require.Equal(t, database+"\t0\n", a.requireOK(t))

	post(t, "SET max_threads = 7").requireOK(t)
	post(t, "USE "+database).requireOK(t)
	require.Equal(t, "default\t0\n", post(t, sql).requireOK(t))
}

func TestErrorsHaveTheServersCodesAndStatus(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		answer answer
		status int
		code   string
		text   string
	}{
		"unknown table":    {post(t, "SELECT * FROM nope"), 404, "60", "(UNKNOWN_TABLE)"},
		"unknown database": {post(t, "SELECT 1", "database", "nope"), 404, "81", "nope"},
		"unknown setting":  {post(t, "SELECT 1", "nope", "1"), 404, "115", "nope"},
		"strange setting":  {post(t, "SELECT 1", "a = 1, b", "1"), 404, "115", ""},
		"unknown format":   {post(t, "SELECT 1 FORMAT Nope"), 404, "73", "Nope"},
		"syntax":           {post(t, "SELECT FROM WHERE"), 400, "62", "lambda expression. (SYNTAX_ERROR)"},
		"its place":        {post(t, "SELEC 1"), 400, "62", "failed at position 1 (SELEC)"},
		"its line":         {post(t, "SELECT 'it''s'\nFRM x y"), 400, "62", "failed at position 20 (x) (line 2, col 5)"},
		"not SQL":          {post(t, "?? how many rows"), 400, "62", ""},
		"a command":        {post(t, "exit"), 400, "62", ""},
		"empty":            {post(t, " "), 400, "62", "Empty query"},
		"two statements":   {post(t, "SELECT 1; SELECT 2"), 400, "62", "Multi-statements"},
		"outfile":          {post(t, "SELECT 1 INTO OUTFILE 'x'"), 500, "358", ""},
		"while computing":  {post(t, "SELECT throwIf(number = 9) FROM numbers(10)"), 500, "395", ""},
		"writing by GET": {func() answer {
			e := loadtest.Engine(t)
			return ask(t, asked{params: pairs([]string{"query", "CREATE DATABASE nope"}), getInstead: true, user: e.User, key: e.Key})
		}(), 500, "164", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tt.code, tt.answer.header.Get("X-ClickHouse-Exception-Code"), tt.answer.body)
			require.Equal(t, tt.status, tt.answer.status)
			require.True(t, strings.HasPrefix(tt.answer.body, "Code: "+tt.code+". DB::Exception: "), tt.answer.body)
			require.Contains(t, tt.answer.body, tt.text)
		})
	}
}

func TestHeadersOfAnAnswer(t *testing.T) {
	t.Parallel()
	a := post(t, "SELECT count() FROM (SELECT * FROM numbers(1000))", "query_id", "mine")
	a.requireOK(t)
	require.Equal(t, "mine", a.header.Get("X-ClickHouse-Query-Id"))
	var sum map[string]string
	require.NoError(t, json.Unmarshal([]byte(a.header.Get("X-ClickHouse-Summary")), &sum))
	require.Contains(t, sum, "read_rows")
	require.Len(t, post(t, "SELECT 1").header.Get("X-ClickHouse-Query-Id"), 36)
}

// Answers pass through: the engine waits for a slow reader, and what Go holds
// does not grow with what was read.
func TestLargeAnswersAreNotHeld(t *testing.T) { //nolint:paralleltest // it watches the process's memory
	formats := map[string]url.Values{
		"JSON":               pairs([]string{"default_format", "JSON"}),
		"Native, as it is":   pairs([]string{"default_format", "Native"}),
		"Native, for client": pairs([]string{"default_format", "Native", "client_protocol_version", "54460", "compress", "1"}),
	}
	for name, params := range formats {
		t.Run(name, func(t *testing.T) { //nolint:paralleltest // see above
			e := loadtest.Engine(t)
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+e.Addr+"/?"+params.Encode(),
				strings.NewReader("SELECT number, toString(number) FROM numbers(1000000000000)"))
			require.NoError(t, err)
			r.SetBasicAuth(e.ReaderUser, e.ReaderKey)
			response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
			require.NoError(t, err)
			defer response.Body.Close()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err = io.CopyN(io.Discard, response.Body, 200<<20)
			require.NoError(t, err)
			runtime.ReadMemStats(&after)
			require.Less(t, int64(after.HeapSys)-int64(before.HeapSys), int64(64<<20))
		})
	}
}

// An error after the first megabyte cannot change the status any more: the
// body says it at its end, under the tag that a header announced, and is cut.
func TestErrorInTheMiddleOfAnAnswer(t *testing.T) {
	t.Parallel()
	a := post(t, "SELECT throwIf(number = 5000000) FROM numbers(10000000)")
	require.Equal(t, http.StatusOK, a.status)
	require.Error(t, a.err)
	tag := a.header.Get("X-ClickHouse-Exception-Tag")
	require.Len(t, tag, 16)
	require.Contains(t, a.body, "\r\n__exception__\r\n"+tag+"\r\nCode: 395.")
	require.True(t, strings.HasSuffix(a.body, " "+tag+"\r\n__exception__\r\n"))
}

func TestReaderOnlyReads(t *testing.T) {
	t.Parallel()
	database := loadtest.Database(t)
	e := loadtest.Engine(t)
	post(t, "CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a", "database", database).requireOK(t)
	post(t, "INSERT INTO t VALUES (1)", "database", database).requireOK(t)
	read := func(sql string, params ...string) answer {
		return ask(t, asked{params: pairs(append(params, "database", database)), body: strings.NewReader(sql), user: e.ReaderUser, key: e.ReaderKey})
	}
	file := filepath.Join(t.TempDir(), "out")
	refused := []string{
		"INSERT INTO t VALUES (2)", "INSERT INTO t FORMAT CSV\n2\n", "INSERT INTO t SELECT 2",
		"CREATE TABLE u (a UInt8) ENGINE = Memory", "CREATE TEMPORARY TABLE u (a UInt8)", "CREATE DATABASE u",
		"DROP TABLE t", "TRUNCATE TABLE t", "ALTER TABLE t DELETE WHERE 1", "DELETE FROM t WHERE 1", "OPTIMIZE TABLE t",
		"SET max_threads = 1", "SET readonly = 0", "SELECT 1 SETTINGS readonly = 0", "SELECT 1 SETTINGS max_threads = 1",
		"SELECT * FROM file('/etc/hostname', 'LineAsString')", "SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'a UInt8')",
		"INSERT INTO FUNCTION file('" + file + "', 'CSV', 'a UInt8') VALUES (1)",
		"SELECT 1 INTO OUTFILE '" + file + "'", "SHOW TABLES INTO OUTFILE '" + file + "'", "DESCRIBE t INTO OUTFILE '" + file + "'",
		"EXPLAIN SELECT 1 INTO OUTFILE '" + file + "'", "SELECT 1 INTO/**/outfile '" + file + "' FORMAT CSV",
		"KILL QUERY WHERE 1", "SYSTEM FLUSH LOGS", "SYSTEM SHUTDOWN",
	}
	for _, sql := range refused {
		a := read(sql)
		require.Equal(t, "164", a.header.Get("X-ClickHouse-Exception-Code"), "%s: %s", sql, a.body)
	}
	require.Equal(t, "164", read("SELECT 1", "readonly", "0").header.Get("X-ClickHouse-Exception-Code"))
	_, err := os.Stat(file)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.Equal(t, "1\n", read("SELECT a FROM t").requireOK(t))
	require.Equal(t, "t\n", read("SHOW TABLES").requireOK(t))
}
