package bigfix

import (
	"net/http"

	"github.com/meterhouse/meterhouse/extract"
)

// explain gives the statuses of license_usage_per_server the meaning that HCL's
// page on it states. Others keep their usual one.
func (s *Source) explain(status int, _ string) (extract.Class, string, bool) {
	switch status {
	case http.StatusBadRequest:
		return extract.BadRequest, "look at criteria and server_columns in the configuration", true
	case http.StatusUnauthorized:
		return extract.Credentials, s.tokenHint(), true
	case http.StatusForbidden:
		return extract.Forbidden, "the token's user needs access to this computer group and the permissions " +
			"View Hardware Inventory and View License Metrics", true
	case http.StatusNotFound:
		return extract.BadRequest, "this server has no license_usage_per_server: it needs License Metric Tool 9.2.24 " +
			"or BigFix Inventory 11.0.7.0; or url has a path too much", true
	case http.StatusPreconditionFailed:
		return extract.Forbidden, "license usage calculations are not enabled for this computer group: " +
			"enable them on the server under Computer Groups", true
	}
	return "", "", false
}

// totalsHint is what explain cannot know: the query was for the products'
// totals. "" leaves the hint as it is.
func totalsHint(status int) string {
	switch status {
	case http.StatusBadRequest:
		return "this server's license_usage does not know all columns that are asked for: set product_totals: false"
	case http.StatusNotFound:
		return "this server has no license_usage, which came with version 9.2.10: set product_totals: false"
	}
	return ""
}

func (s *Source) tokenHint() string {
	if s.tokens.fromConfig() == "" {
		return "the server gave out a token and does not accept it: if it ignores headers, set token_in: query"
	}
	hint := "the server does not accept the token: copy it again from Profile > Show token"
	if s.o.TokenIn == TokenInQuery {
		return hint + "; a server with api_token_in_url_enabled=false wants token_in: header"
	}
	return hint + "; a server that ignores the header wants token_in: query"
}

// explainLogin gives the statuses of get_token their meaning. HCL's page states
// 401 for a user and password that do not match; earlier versions of the page,
// and IBM's, state 500.
func explainLogin(status int, _ string) (extract.Class, string, bool) {
	switch status {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusInternalServerError:
		return extract.Credentials, "the server does not accept user and password: an Active Directory user is written user@domain; " +
			"with single sign-on no token can be fetched, so configure token_file instead", true
	case http.StatusNotFound:
		return extract.BadRequest, "there is no BigFix Inventory or License Metric Tool at this url, or url has a path too much", true
	}
	return "", "", false
}
