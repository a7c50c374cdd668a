package embedded

import (
	"bufio"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/ClickHouse/ch-go/compress"
)

// request is one HTTP request as ClickHouse's HTTP interface understands it.
type request struct {
	text   string        // the part of the statement that the URL holds
	body   *bufio.Reader // the rest of it, or the data of an INSERT
	params []param
	sessionOptions
	format   string // output format of a statement that names none
	revision uint64 // the protocol revision that the client decodes Native with
	framed   string // "LZ4" or "ZSTD": the answer is to be in ClickHouse's compressed frames
	gzip     bool   // the answer may be gzipped
}

const (
	// headBytes bounds how much of a body is looked at for where an INSERT's
	// data begins. ClickHouse's max_query_size is as large.
	headBytes = 256 << 10
	// textBytes bounds a statement without streamed data.
	textBytes = 16 << 20
)

// reservedParams are URL parameters that are not settings of the engine.
func reservedParams() []string {
	return []string{
		"query", "database", "default_format", "user", "password", "query_id", "quota_key", "role",
		"compress", "decompress", "client_protocol_version", "network_compression_method", "network_zstd_compression_level",
		"session_id", "session_timeout", "session_check", "close_session", "stacktrace",
		"buffer_size", "wait_end_of_query", "enable_http_compression", "http_zlib_compression_level",
		"send_progress_in_http_headers", "http_headers_progress_interval_ms", "add_http_cors_header",
		"http_write_exception_in_output_format", "http_wait_end_of_query", "http_response_buffer_size",
	}
}

func parseRequest(r *http.Request, values url.Values) (*request, error) {
	q := &request{text: values.Get("query")}
	q.gzip = values.Get("enable_http_compression") == "1" && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip")
	q.database = firstOf(r.Header.Get("X-ClickHouse-Database"), values.Get("database"))
	q.format = firstOf(values.Get("default_format"), r.Header.Get("X-ClickHouse-Format"), "TabSeparated")
	if !isName(q.format) {
		return nil, errorf(codeUnknownFormat, "UNKNOWN_FORMAT", "Unknown format %s", q.format)
	}
	q.revision, _ = strconv.ParseUint(values.Get("client_protocol_version"), 10, 64)
	if values.Get("compress") == "1" {
		q.framed = firstOf(values.Get("network_compression_method"), "LZ4")
	}
	q.settings, q.params = splitParams(values)
	return q, q.openBody(r, values.Get("decompress") == "1")
}

// splitParams sorts the URL's parameters into settings and query parameters.
func splitParams(values url.Values) (settings url.Values, params []param) {
	settings = make(url.Values)
	reserved := reservedParams()
	for name, v := range values {
		switch bound, ok := strings.CutPrefix(name, "param_"); {
		case ok:
			params = append(params, param{bound, v[0]})
		case !slices.Contains(reserved, name):
			settings[name] = v
		}
	}
	return settings, params
}

func (q *request) openBody(r *http.Request, framed bool) error {
	var body io.Reader = r.Body
	switch encoding := r.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
	case "gzip":
		unzipped, err := gzip.NewReader(body)
		if err != nil && !errors.Is(err, io.EOF) { // EOF: there is no body
			return errorf(codeCannotReadAllData, "CANNOT_READ_ALL_DATA", "The body is not gzip: %v", err)
		}
		if err == nil {
			body = unzipped
		}
	default:
		return errorf(codeNotImplemented, "NOT_IMPLEMENTED", "Content-Encoding %q is not supported here, gzip is", encoding)
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
		return errorf(codeNotImplemented, "NOT_IMPLEMENTED", "External tables (multipart requests) are not supported by the embedded warehouse")
	}
	if framed {
		body = unframed{compress.NewReader(body)}
	}
	q.body = bufio.NewReaderSize(body, headBytes)
	return nil
}

// unframed reads ClickHouse's compressed frames; their reader wraps the end of
// the data into an error of its own.
type unframed struct{ frames *compress.Reader }

func (u unframed) Read(p []byte) (int, error) {
	n, err := u.frames.Read(p)
	if errors.Is(err, io.EOF) {
		err = io.EOF
	}
	return n, err
}

// insertData is an INSERT together with where its data comes from.
type insertData struct {
	sql, format string
	data        io.Reader
}

// insert returns the request as an INSERT whose data is streamed; ok is false
// when it is another kind of statement.
func (q *request) insert() (in insertData, ok bool, err error) {
	if text, ok := splitInsert(q.text); ok {
		return insertData{text.sql, text.format, io.MultiReader(strings.NewReader(q.text[text.data:]), q.body)}, true, nil
	}
	if q.text != "" {
		q.text += "\n"
	}
	head, err := q.body.Peek(headBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return insertData{}, false, bodyError(err)
	}
	text, ok := splitInsert(q.text + string(head))
	if !ok || text.data < len(q.text) {
		return insertData{}, false, nil
	}
	if _, err := q.body.Discard(text.data - len(q.text)); err != nil {
		return insertData{}, false, bodyError(err)
	}
	return insertData{text.sql, text.format, q.body}, true, nil
}

// statement returns the whole text of a statement that is not streamed.
func (q *request) statement() (string, error) {
	rest, err := io.ReadAll(io.LimitReader(q.body, textBytes+1))
	if err != nil {
		return "", bodyError(err)
	}
	if len(rest) > textBytes {
		return "", errorf(codeQueryTooLarge, "QUERY_IS_TOO_LARGE", "The statement is longer than %d bytes", textBytes)
	}
	return q.text + string(rest), nil
}

func bodyError(err error) error {
	return errorf(codeCannotReadAllData, "CANNOT_READ_ALL_DATA", "Cannot read the request's body to its end: %v", err)
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
