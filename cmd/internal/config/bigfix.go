package config

import (
	"math"
	"slices"
	"strings"
	"time"
)

// bigfixKeys are the keys that only bigfix sources have.
func bigfixKeys() []string {
	return []string{
		"token_file", "token_env", "token", "token_in",
		"computer_groups", "server_columns", "page_size", "criteria", "recheck_deep", "product_totals", "wait_for_import",
	}
}

// serverColumns are the columns of HCL's server association that the warehouse
// has a place for.
func serverColumns() []string {
	return []string{
		"id", "name", "type", "hardware_serial_number", "hardware_vendor", "hardware_model",
		"total_processors", "cores", "pvu_per_core", "active_computers",
	}
}

func (b *block) bigfix(s *Source) {
	b.bigfixCredentials(s)
	s.TokenIn = b.choice("token_in", TokenInHeader, TokenInHeader, TokenInQuery)
	s.ComputerGroups = b.computerGroups()
	s.ServerColumns = b.serverColumns()
	s.RecheckDeep = b.recheckDeep()
	s.PageSize = b.count("page_size", 0, 0)
	s.Criteria = b.criteria()
	s.ProductTotals = b.boolean("product_totals", false)
	s.WaitForImport = b.boolean("wait_for_import", false)
	if s.ProductTotals && s.Criteria != "" {
		b.warn("criteria", "", "filters the rows per server, and not the totals of product_totals",
			"expect the view reconciliation to show the difference")
	}
}

// bigfixCredentials takes a token, or a user and a password that fetch one.
func (b *block) bigfixCredentials(s *Source) {
	var hasToken, hasPassword bool
	s.Token, hasToken = b.secret("token", b.r.openSources)
	s.User = b.str("user", "")
	s.Password, hasPassword = b.secret("password", b.r.openSources)
	switch {
	case hasToken && (s.User != "" || hasPassword):
		b.fault("user", "", "a token is given, and a user or password too", "keep the token, or user with password_file to fetch one")
	case hasToken:
	case s.User == "" && !hasPassword:
		b.fault("token_file", "", "is missing", "name a file with the API token (or token_env), or give user and password_file to fetch one")
	case s.User == "":
		b.fault("user", "", "is missing", "name the user whose password it is")
	case !hasPassword:
		b.fault("password_file", "", "is missing", "name a file with the password of the user (or password_env)")
	}
}

func (b *block) recheckDeep() RecheckDeep {
	deep := b.block("recheck_deep")
	d := RecheckDeep{Days: deep.count("days", 0, 0), Every: deep.duration("every", 7*24*time.Hour, time.Hour)}
	deep.done()
	if deep.given("every") && !deep.given("days") {
		deep.warn("every", "", "has no effect without days", "write {days: 90, every: 168h}, or remove it")
	}
	return d
}

func (b *block) computerGroups() []int64 {
	groups := []int64{}
	for _, e := range b.list("computer_groups", "write [5, 7]; leave it empty for the token's own group") {
		id, ok := b.r.wholeNumber(e, 1, math.MaxInt64)
		if !ok {
			continue
		}
		if slices.Contains(groups, id) {
			b.r.fault(e.at, raw(e.node), "stands in this list twice", "keep it once")
			continue
		}
		groups = append(groups, id)
	}
	return groups
}

func (b *block) serverColumns() []string {
	const key, advice = "server_columns", "write [name], or more columns of the server association"
	if !b.given(key) {
		b.known = append(b.known, key)
		return []string{"name"}
	}
	before := len(b.r.faults)
	columns := []string{}
	for _, w := range b.words(key, false, advice) {
		columns = append(columns, w.text)
		if strings.ContainsFunc(w.text, func(c rune) bool { return !isWordByte(c) }) {
			b.r.fault(w.at, w.text, "is not a column name", "write it as in schemas/server.json, without the leading server.")
			continue
		}
		if known := serverColumns(); !slices.Contains(known, w.text) {
			b.r.warn(w.at, w.text, "is a column that the warehouse has no place for", didYouMean(w.text, known, "it has places for "))
		}
	}
	if len(columns) == 0 && len(b.r.faults) == before {
		b.fault(key, "", "is an empty list", advice)
	}
	return columns
}
