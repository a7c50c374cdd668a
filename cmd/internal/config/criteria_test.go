package config_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meterhouse/meterhouse/cmd/internal/config"
)

// withCriteria is complete with a filter, in YAML's single quotes.
func withCriteria(criteria string) string {
	return strings.Replace(complete, "token_file: token",
		"token_file: token\n    criteria: '"+strings.ReplaceAll(criteria, "'", "''")+"'", 1)
}

// TestCriteriaArePassedThrough takes every operator and form that the API has,
// and changes nothing.
func TestCriteriaArePassedThrough(t *testing.T) {
	t.Parallel()
	for _, criteria := range []string{
		`{"and":[["product_name","contains","DB2"], ["hwm_quantity",">","100"] ] }`, // as on the vendor's page
		`{"or":[["product_id","=",24],["product_id","!=",24],["product_id","<",-1],["product_id","<=",1.5],["product_id",">=",1e3]]}`,
		`{"and":[["product_name","begins_with","a"],["product_name","not_begins_with","b"],["product_name","not_contains","it's"]]}`,
		`{"and":[["product_name","ends_with","a"],["product_name","not_ends_with","b"],["bundle_name","=",null],["product_id","=",[1,2]]]}`,
		`{"and":[["last_seen","last","P1M"],["last_seen","next","P1M"],["last_seen","starting","P1M"],["last_seen","ending","P1M"]]}`,
		`{"and":[["bundle_name","is_empty"],{"or":[["bundle_name","is_not_empty"],{"and":[["server.name","=","x"]]}]}]}`,
	} {
		dir := setup(t, withCriteria(criteria))
		require.Equal(t, criteria, load(t, dir).Sources[0].Criteria)
	}
}

func TestCriteriaThatTheAPIWouldRefuse(t *testing.T) {
	t.Parallel()
	for criteria, want := range map[string]string{
		`[]`:                                     `has a filter that is not {"and": [...]} or {"or": [...]}`,
		`null`:                                   `has a filter that is not {"and": [...]} or {"or": [...]}`,
		`{}`:                                     `has a filter that is not {"and": [...]} or {"or": [...]}`,
		`{"not":[["a","=",1]]}`:                  `has a filter that is not {"and": [...]} or {"or": [...]}`,
		`{"and":[["a","=",1]],"or":[]}`:          `has a filter that is not {"and": [...]} or {"or": [...]}`,
		`{"and":[["a","=",1]],"x":1}`:            `has a filter that is not {"and": [...]} or {"or": [...]}`,
		`{"and":["a","=",1]}`:                    `has a filter that is not {"and": [...]} or {"or": [...]}`,
		`{"and":[]}`:                             `has a filter that is not {"and": [...]} or {"or": [...]}`,
		`{"and":[["a","=",1],{"or":1}]}`:         `has a filter that is not {"and": [...]} or {"or": [...]}`,
		`{"and":[[]]}`:                           `has [], which is no criterion`,
		`{"and":[["a","="]]}`:                    `has ["a","="], which is no criterion`,
		`{"and":[["a","=",1,2]]}`:                `has ["a","=",1,2], which is no criterion`,
		`{"and":[[1,"=",2]]}`:                    `has [1,"=",2], which is no criterion`,
		`{"and":[["a",7,2]]}`:                    `has ["a",7,2], which is no criterion`,
		`{"and":[["a","contain","x"]]}`:          `has ["a","contain","x"] with an operator that the API does not have; did you mean "contains"?`,
		`{"and":[["a","<matches>","x"]]}`:        `has ["a","<matches>","x"] with an operator that the API does not have; there are =, !=,`,
		`{"and":[["a","Contains","x"]]}`:         `has ["a","Contains","x"] with an operator that the API does not have`,
		`{"or":[{"and":[["a","like","x"]]}]}`:    `has ["a","like","x"] with an operator that the API does not have`,
		`{"and":[["a","is_empty",null]]}`:        `has ["a","is_empty",null] with a value that is_empty does not take; write ["a", "is_empty"]`,
		`{"and":[["a","=",{"b":1}]]}`:            `has ["a","=",{"b":1}], whose value is none`,
		`{"and":[["a","=",true]]}`:               `has ["a","=",true], whose value is none`,
		`{"and":[["a","=",1],["b","!",1]]}`:      `has ["b","!",1] with an operator that the API does not have`,
		`{"and":[["a","=",1],["b","=",1]]} oops`: `is not valid JSON`,
	} {
		t.Run(criteria, func(t *testing.T) {
			t.Parallel()
			dir := setup(t, withCriteria(criteria))
			_, err := config.Load(dir+"/meterhouse.yaml", environment())
			require.ErrorContains(t, err, "sources[0].criteria: ")
			require.ErrorContains(t, err, want)
		})
	}
}
