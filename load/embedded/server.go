package embedded

import (
	"crypto/sha256"
	"crypto/subtle"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"
)

// server is ClickHouse's HTTP interface in front of the engine.
type server struct {
	db *database
	// access holds the two users: the first one may do everything, the second read.
	access access
}

// ServeHTTP answers /ping and statements sent to /.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/ping", "/replicas_status":
		_, _ = io.WriteString(w, "Ok.\n")
		return
	case "/":
	default:
		http.Error(w, "There is no handle "+r.URL.Path+"\n\nUse / or /ping for health checks.\n"+
			"Send queries from your program with POST method or GET /?query=...", http.StatusNotFound)
		return
	}
	s.statement(w, r)
}

func (s *server) statement(w http.ResponseWriter, r *http.Request) {
	values := r.URL.Query()
	if r.Method == http.MethodGet && !values.Has("query") {
		_, _ = io.WriteString(w, "Ok.\n")
		return
	}
	out := newReply(w, firstOf(values.Get("query_id"), uuid.NewString()))
	sum, err := s.execute(out, r, values)
	if err == nil {
		out.finish(sum)
		return
	}
	// A client that is still sending would not look for an answer before.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(drainTimeout))
	_, _ = io.CopyN(io.Discard, r.Body, drainBytes)
	out.fail(err)
}

// drainTimeout and drainBytes bound what is read of a body that nobody wants.
const (
	drainTimeout = 10 * time.Second
	drainBytes   = 64 << 20
)

func (s *server) execute(out *reply, r *http.Request, values url.Values) (summary, error) {
	rights, err := s.authenticate(r, values)
	if err != nil {
		return summary{}, err
	}
	q, err := parseRequest(r, values)
	if err != nil {
		return summary{}, err
	}
	q.readonly = rights
	if rights == readWrite && r.Method == http.MethodGet {
		q.readonly = readSettings
	}
	return s.db.serve(r.Context(), out, q)
}

// authenticate finds the user in the places where ClickHouse's clients put it.
func (s *server) authenticate(r *http.Request, values url.Values) (readonly, error) {
	user, key := r.Header.Get("X-ClickHouse-User"), r.Header.Get("X-ClickHouse-Key")
	if user == "" {
		user, key, _ = r.BasicAuth()
	}
	if user == "" {
		user, key = values.Get("user"), values.Get("password")
	}
	switch {
	case user == "":
		return readOnly, errorf(codeRequiredPassword, "REQUIRED_PASSWORD", "The embedded warehouse needs a user and a key; they are in the file %s of its data folder", accessFile)
	case same(user, s.access.User) && same(key, s.access.Key):
		return readWrite, nil
	case same(user, s.access.ReaderUser) && same(key, s.access.ReaderKey):
		return readOnly, nil
	}
	return readOnly, errorf(codeAuthentication, "AUTHENTICATION_FAILED", "%s: Authentication failed: password is incorrect, or there is no user with such name", user)
}

// same compares without telling by its duration how much of a key was right.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
