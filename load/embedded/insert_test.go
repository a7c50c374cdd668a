package embedded_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/load/loadtest"
)

// every is a row with the types that the warehouse's tables use.
type every struct {
	U   uint64     `ch:"u"`
	I   int32      `ch:"i"`
	F   float64    `ch:"f"`
	NF  *float64   `ch:"nf"`
	S   string     `ch:"s"`
	LC  string     `ch:"lc"`
	LCN *string    `ch:"lcn"`
	FS  string     `ch:"fs"`
	ID  uuid.UUID  `ch:"id"`
	D   time.Time  `ch:"d"`
	DT  time.Time  `ch:"dt"`
	NDT *time.Time `ch:"ndt"`
	A   []string   `ch:"a"`
	AN  []*uint8   `ch:"an"`
}

const everyTable = `CREATE TABLE t (u UInt64, i Int32, f Float64, nf Nullable(Float64), s String, lc LowCardinality(String),
	lcn LowCardinality(Nullable(String)), fs FixedString(32), id UUID, d Date, dt DateTime, ndt Nullable(DateTime),
	a Array(String), an Array(Nullable(UInt8))) ENGINE = MergeTree ORDER BY u`

func everyRows() []every {
	text, real, yes, moment := "text", 0.25, uint8(1), time.Date(2026, 2, 28, 23, 59, 59, 0, time.UTC)
	day := time.Date(2026, 2, 28, 0, 0, 0, 0, time.UTC)
	return []every{
		{U: 0, FS: strings.Repeat("0", 32), D: time.Unix(0, 0).UTC(), DT: time.Unix(0, 0).UTC(), A: []string{}, AN: []*uint8{}},
		{
			U: math.MaxUint64, I: math.MinInt32, F: -1.5, NF: &real, S: "ünï\n\n\t\x00'", LC: "product", LCN: &text,
			FS: strings.Repeat("f", 32), ID: uuid.New(), D: day, DT: moment, NDT: &moment,
			A: []string{"", "b\n\nc"}, AN: []*uint8{nil, &yes},
		},
	}
}

func TestClickhouseGoInsertsAndReadsEveryType(t *testing.T) {
	t.Parallel()
	for name, method := range methods() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := dial(t, loadtest.Database(t), method)
			require.NoError(t, conn.Ping(t.Context()))
			require.NoError(t, conn.Exec(t.Context(), everyTable))
			rows := everyRows()
			batch, err := conn.PrepareBatch(t.Context(), "INSERT INTO t")
			require.NoError(t, err)
			for i := range rows {
				require.NoError(t, batch.AppendStruct(&rows[i]))
			}
			require.NoError(t, batch.Send())
			var got []every
			require.NoError(t, conn.Select(t.Context(), &got, "SELECT * FROM t WHERE u >= {least:UInt64} ORDER BY u",
				clickhouse.Named("least", "0")))
			require.Equal(t, rows, got)
		})
	}
}

func TestClickhouseGoSeesErrorsWithTheirCode(t *testing.T) {
	t.Parallel()
	for name, method := range methods() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := dial(t, loadtest.Database(t), method)
			_, err := conn.Query(t.Context(), "SELECT * FROM nope")
			requireCode(t, 60, err)
			requireCode(t, 60, conn.Exec(t.Context(), "DROP TABLE nope"))
			_, err = conn.PrepareBatch(t.Context(), "INSERT INTO nope (a)")
			requireCode(t, 60, err)

			rows, err := conn.Query(t.Context(), "SELECT number, throwIf(number = 3000000) FROM numbers(10000000)")
			require.NoError(t, err)
			for rows.Next() { // the error comes at the end
			}
			requireCode(t, 395, rows.Err())
		})
	}
}

func requireCode(t *testing.T, code int32, err error) {
	t.Helper()
	var e *clickhouse.Exception
	require.ErrorAs(t, err, &e)
	require.Equal(t, code, e.Code)
}

// Two newline bytes inside of binary data (2570 is 0x0a0a) must not end it.
func TestHalfAMillionRowsArriveWhole(t *testing.T) {
	t.Parallel()
	const n = 500_000
	for name, method := range methods() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := dial(t, loadtest.Database(t), method)
			require.NoError(t, conn.Exec(t.Context(), "CREATE TABLE t (id UInt64, product LowCardinality(String)) ENGINE = MergeTree ORDER BY id"))
			batch, err := conn.PrepareBatch(t.Context(), "INSERT INTO t (product, id)")
			require.NoError(t, err)
			ids, products := make([]uint64, n), make([]string, n)
			for i := range n {
				ids[i], products[i] = uint64(i), fmt.Sprint("product ", i%300)
			}
			require.NoError(t, batch.Column(0).Append(products))
			require.NoError(t, batch.Column(1).Append(ids))
			require.NoError(t, batch.Send())
			var count, sum, distinct, parts uint64
			require.NoError(t, conn.QueryRow(t.Context(), "SELECT count(), sum(id), uniqExact(product) FROM t").Scan(&count, &sum, &distinct))
			require.Equal(t, []uint64{n, n * (n - 1) / 2, 300}, []uint64{count, sum, distinct})
			require.NoError(t, conn.QueryRow(t.Context(), "SELECT count() FROM system.parts WHERE database = currentDatabase()").Scan(&parts))
			require.Equal(t, uint64(1), parts)
		})
	}
}

func TestInsertByText(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		sql    string
		params []string
		want   string
		rows   string
	}{
		"values":            {sql: "INSERT INTO t VALUES (1, 'a;\n\nb'), (1 + 1, 'FORMAT')", want: "1\ta;\\n\\nb\n2\tFORMAT\n", rows: "2"},
		"values, columns":   {sql: "INSERT INTO t (s) VALUES ('x');", want: "0\tx\n", rows: "1"},
		"values, parameter": {sql: "INSERT INTO t VALUES ({n:UInt8}, {s:String})", params: []string{"param_n", "7", "param_s", "it's"}, want: "7\tit\\'s\n", rows: "1"},
		"JSONEachRow":       {sql: "INSERT INTO t FORMAT JSONEachRow\n{\"s\":\"x\"}\n{\"a\":2}", want: "0\tx\n2\t\n", rows: "2"},
		"CSV in the body":   {sql: "3,\"a\n\nb\"\n", params: []string{"query", "INSERT INTO t (a, s) FORMAT CSV"}, want: "3\ta\\n\\nb\n", rows: "1"},
		"head in parameter": {sql: "VALUES (4, 'y')", params: []string{"query", "INSERT INTO t"}, want: "4\ty\n", rows: "1"},
		"with settings":     {sql: "INSERT INTO t SETTINGS format_csv_delimiter = ';' FORMAT CSV 5;z", want: "5\tz\n", rows: "1"},
		"select":            {sql: "INSERT INTO t SELECT number, 'n' FROM numbers(2)", want: "0\tn\n1\tn\n", rows: "2"},
		"select in bracket": {sql: "INSERT INTO t (SELECT 9, 'b')", want: "9\tb\n", rows: "1"},
		"column format":     {sql: "INSERT /* VALUES */ INTO `t` (`s`) -- FORMAT\nVALUES ('c')", want: "0\tc\n", rows: "1"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			database := loadtest.Database(t)
			in := []string{"database", database}
			post(t, "CREATE TABLE t (a UInt8, s String) ENGINE = MergeTree ORDER BY a", in...).requireOK(t)
			a := post(t, tt.sql, append(in, tt.params...)...)
			require.Empty(t, a.requireOK(t))
			require.Contains(t, a.header.Get("X-ClickHouse-Summary"), `"written_rows":"`+tt.rows+`"`)
			require.Equal(t, tt.want, post(t, "SELECT * FROM t ORDER BY a", in...).requireOK(t))
		})
	}
}

func TestBrokenInsertLeavesNothing(t *testing.T) {
	t.Parallel()
	// 100,000 good rows, more than one buffer of any layer.
	good := strings.Repeat("1\n", 100_000)
	tests := map[string]struct {
		sql, body string
		code      string
	}{
		"a bad value at the end":     {"INSERT INTO t FORMAT CSV", good + "x\n", "117"},
		"not Native":                 {"INSERT INTO t FORMAT Native", strings.Repeat("garbage ", 1000), ""},
		"Native cut off":             {"INSERT INTO t FORMAT Native", "\x01\x02\x01a\x05UInt8\x01", "33"},
		"unknown format":             {"INSERT INTO t FORMAT Nope", good, "73"},
		"unknown table":              {"INSERT INTO nope FORMAT CSV", good, "60"},
		"unknown column":             {"INSERT INTO t (b) FORMAT CSV", good, "16"},
		"compressed, but it is not":  {"INSERT INTO t FORMAT CSV", good, "33"},
		"an expression that divides": {"INSERT INTO t VALUES", "(1), (throwIf(1))", "395"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			database := loadtest.Database(t)
			in := []string{"database", database}
			post(t, "CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a", in...).requireOK(t)
			params := append([]string{"query", tt.sql}, in...)
			if strings.HasPrefix(name, "compressed") {
				params = append(params, "decompress", "1")
			}
			a := post(t, tt.body, params...)
			require.NotEqual(t, http.StatusOK, a.status)
			if tt.code != "" {
				require.Equal(t, tt.code, a.header.Get("X-ClickHouse-Exception-Code"), a.body)
			}
			require.Equal(t, "0\n", post(t, "SELECT count() FROM t", in...).requireOK(t))
		})
	}
}

// A client that goes away in the middle of its data must not leave the rows
// that it had sent, and must not keep the engine waiting.
func TestClientGoesAwayWhileInserting(t *testing.T) {
	t.Parallel()
	database := loadtest.Database(t)
	in := []string{"database", database}
	post(t, "CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a", in...).requireOK(t)
	e := loadtest.Engine(t)
	conn, err := net.Dial("tcp", e.Addr) //nolint:noctx // a plain socket that is cut
	require.NoError(t, err)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+e.Addr+"/?query=INSERT+INTO+t+FORMAT+CSV&database="+database,
		io.MultiReader(strings.NewReader(strings.Repeat("1\n", 1_000_000)), cut{}))
	require.NoError(t, err)
	r.SetBasicAuth(e.User, e.Key)
	sent := r.Write(conn)
	require.NoError(t, conn.Close())
	require.ErrorContains(t, sent, io.ErrClosedPipe.Error())
	waitFor(t, func() bool {
		return post(t, "SELECT count() FROM system.processes WHERE query LIKE 'INSERT INTO t%' AND current_database = {d:String}",
			"param_d", database).requireOK(t) == "0\n"
	})
	require.Equal(t, "0\n", post(t, "SELECT count() FROM t", in...).requireOK(t))
}

// cut is a body that breaks.
type cut struct{}

func (cut) Read([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestStatementThatNobodyWaitsForIsKilled(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"computing": "SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number, {mark:String}) = 1",
		"streaming": "SELECT number, {mark:String} FROM numbers(1000000000000)",
		"writing":   "INSERT INTO FUNCTION null('a UInt64') SELECT sipHash64(number, {mark:String}) FROM numbers(1000000000000)",
	}
	for name, sql := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mark := uuid.NewString()
			running := func() bool {
				return post(t, "SELECT count() > 0 FROM system.processes WHERE query LIKE {p:String} AND query NOT LIKE '%system.processes%'",
					"param_p", "%"+mark+"%").requireOK(t) == "1\n"
			}
			ctx, cancel := context.WithCancel(t.Context())
			var client sync.WaitGroup
			client.Go(func() {
				e := loadtest.Engine(t)
				r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+e.Addr+"/",
					strings.NewReader(strings.ReplaceAll(sql, "{mark:String}", "'"+mark+"'")))
				if err != nil {
					return
				}
				r.SetBasicAuth(e.User, e.Key)
				response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
				if err == nil {
					_, _ = io.Copy(io.Discard, response.Body)
					_ = response.Body.Close()
				}
			})
			waitFor(t, running)
			cancel()
			client.Wait()
			waitFor(t, func() bool { return !running() })
		})
	}
}

// waitFor asks again and again until yes; the test's own time limit ends it.
func waitFor(t *testing.T, yes func() bool) {
	t.Helper()
	require.Eventually(t, yes, time.Minute, 20*time.Millisecond)
}

func TestReadersAndWritersInParallel(t *testing.T) {
	t.Parallel()
	conn := dial(t, loadtest.Database(t), clickhouse.CompressionNone)
	require.NoError(t, conn.Exec(t.Context(), "CREATE TABLE t (writer UInt8, n UInt64) ENGINE = MergeTree ORDER BY (writer, n)"))
	const writers, batches, size = 4, 5, 10_000
	var group sync.WaitGroup
	errs := make(chan error, 2*writers)
	for w := range writers {
		group.Go(func() {
			for range batches {
				if err := insertNumbers(t.Context(), conn, uint8(w), size); err != nil {
					errs <- err
					return
				}
			}
		})
		group.Go(func() {
			for range batches {
				var odd uint64 // a batch is seen whole or not at all
				if err := conn.QueryRow(t.Context(), "SELECT toUInt64(count() % 10000) FROM t WHERE writer = ?", w).Scan(&odd); err != nil {
					errs <- err
					return
				} else if odd != 0 {
					errs <- fmt.Errorf("part of a batch is visible: %d rows", odd)
					return
				}
			}
		})
	}
	group.Wait()
	close(errs)
	for err := range errs {
		require.NoError(t, err)
	}
	var n uint64
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT count() FROM t").Scan(&n))
	require.Equal(t, uint64(writers*batches*size), n)
}

func insertNumbers(ctx context.Context, conn clickhouse.Conn, writer uint8, n int) error {
	batch, err := conn.PrepareBatch(ctx, "INSERT INTO t (writer, n)")
	if err != nil {
		return err
	}
	numbers := make([]uint64, n)
	if err := batch.Column(0).Append(bytes.Repeat([]byte{writer}, n)); err != nil {
		return err
	}
	if err := batch.Column(1).Append(numbers); err != nil {
		return err
	}
	return batch.Send()
}
