package nexthink

import (
	"encoding/base64"
	"fmt"
	"net/http"

	"github.com/meterhouse/meterhouse/extract"
)

// explain says what a status means here. Nexthink's page documents none; 401
// and 403 are never tried again, because a Portal may lock an account out.
func (s *Source) explain(status int, _ string) (class extract.Class, hint string, ok bool) {
	switch status {
	case http.StatusUnauthorized:
		return extract.Credentials, fmt.Sprintf(
			"check user and password_file of %q; a local account made for the API is what Nexthink advises", s.o.Name), true
	case http.StatusForbidden:
		return extract.Forbidden, fmt.Sprintf(
			"give the account of %q the right to see software metering metrics, by all metrics or by a role", s.o.Name), true
	case http.StatusBadRequest, http.StatusNotFound:
		return extract.BadRequest, fmt.Sprintf(
			"compare metric, program, hierarchy and path of the target with what the discovery tool shows at %s", s.discoveryURL()), true
	}
	return "", "", false
}

// discoveryURL is where an operator finds the right names and UIDs.
func (s *Source) discoveryURL() string { return s.o.URL.JoinPath(discoveryPath).String() }

// secrets are the password and the form in which it is sent.
func (s *Source) secrets() []string {
	password := s.o.Password()
	return []string{password, base64.StdEncoding.EncodeToString([]byte(s.o.User + ":" + password))}
}
