package embedded

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// exception is an error as ClickHouse tells it: "Code: 60. DB::Exception: ...".
type exception struct {
	code int
	text string
}

func (e *exception) Error() string { return e.text }

// Codes of ClickHouse (ErrorCodes.cpp) that this package gives or looks at.
const (
	codeCannotReadAllData = 33
	codeNotImplemented    = 48
	codeSyntaxError       = 62
	codeUnknownFormat     = 73
	codeUnknownSetting    = 115
	codeQueryTooLarge     = 161
	codeReadonly          = 164
	codeRequiredPassword  = 194
	codeIntoOutfile       = 358
	codeAuthentication    = 516
	codeUnknown           = 1002
)

// newException takes the engine's message apart. It repeats the code where an
// error crossed a layer.
func newException(text string) *exception {
	e := &exception{code: codeUnknown, text: strings.TrimSpace(text)}
	if rest, ok := strings.CutPrefix(e.text, "Code: "); ok {
		number, _, _ := strings.Cut(rest, ".")
		if code, err := strconv.Atoi(number); err == nil {
			e.code = code
		}
	}
	return e
}

// errorf words an error of this package like one of the engine's; name is the
// code's name in ClickHouse.
func errorf(code int, name, format string, args ...any) *exception {
	return &exception{code, fmt.Sprintf("Code: %d. DB::Exception: %s. (%s)", code, fmt.Sprintf(format, args...), name)}
}

// status is the HTTP status that a ClickHouse server gives with an error code
// (exceptionCodeToHTTPStatus in its source).
func (e *exception) status() int {
	switch e.code {
	case 194: // REQUIRED_PASSWORD
		return http.StatusUnauthorized
	case 192, 193, 516: // UNKNOWN_USER, WRONG_PASSWORD, AUTHENTICATION_FAILED
		return http.StatusForbidden
	case 6, 26, 27, 33, 38, 41, 43, 53, 62, 69, 70, 72, 117, 130, 131, 158, 167, 168, 191, 201, 396, 456, 457:
		return http.StatusBadRequest
	case 46, 47, 50, 56, 60, 63, 73, 78, 81, 97, 115, 166:
		return http.StatusNotFound
	case 161: // QUERY_IS_TOO_LARGE
		return http.StatusRequestEntityTooLarge
	case 48: // NOT_IMPLEMENTED
		return http.StatusNotImplemented
	case 159: // TIMEOUT_EXCEEDED
		return http.StatusRequestTimeout
	default:
		return http.StatusInternalServerError
	}
}
