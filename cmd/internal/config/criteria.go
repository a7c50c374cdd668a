package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// criteriaOperators are those of HCL's page on operators and connectors.
func criteriaOperators() []string {
	return []string{
		"=", "!=", "<", "<=", ">", ">=",
		"last", "next", "starting", "ending",
		"begins_with", "not_begins_with", "contains", "not_contains", "ends_with", "not_ends_with",
		isEmpty, isNotEmpty,
	}
}

// The operators that have no value.
const (
	isEmpty    = "is_empty"
	isNotEmpty = "is_not_empty"
)

// criteria gives the JSON on one line, as the API wants it.
func (b *block) criteria() string {
	const key, advice = "criteria", `write one JSON text in single quotes, such as '{"and":[["product_id",">",0]]}'`
	e, given := b.value(key)
	if !given {
		return ""
	}
	if _, isBlock := e.node.(*ast.MappingNode); isBlock {
		b.r.wrongType(e, "text", advice)
		return ""
	}
	text := strings.TrimSpace(b.str(key, ""))
	if text == "" {
		return ""
	}
	var filter any
	if err := json.Unmarshal([]byte(text), &filter); err != nil {
		b.r.fault(jsonPlace(e, text, err), text, "is not valid JSON: "+err.Error(), advice)
		return ""
	}
	if rule, advice := criteriaFault(filter); rule != "" {
		b.r.fault(e.at, text, rule, advice)
		return ""
	}
	if !strings.ContainsAny(text, "\r\n") {
		return text
	}
	var line bytes.Buffer
	if err := json.Compact(&line, []byte(text)); err != nil {
		panic("BUG: valid JSON cannot be compacted: " + err.Error())
	}
	return line.String()
}

// jsonPlace is the line of the mistake: a block of text (|) begins on the line
// after its key.
func jsonPlace(e element, text string, err error) place {
	at := e.at
	var syntax *json.SyntaxError
	if _, isBlock := e.node.(*ast.LiteralNode); isBlock && errors.As(err, &syntax) {
		at.line += 1 + strings.Count(text[:syntax.Offset], "\n")
		at.column = 1
	}
	return at
}

// criteriaFault says what is wrong with a filter, in the grammar of HCL's page
// on license_usage_per_server: {"and": [...]} or {"or": [...]}, whose members are
// filters or criteria. "" when nothing is.
func criteriaFault(filter any) (rule, advice string) {
	const form = `write {"and":[["product_id",">",0]]}; filters may stand inside one another`
	object, _ := filter.(map[string]any)
	members, isAnd := object["and"]
	if !isAnd {
		members = object["or"]
	}
	list, isList := members.([]any)
	if len(object) != 1 || !isList || len(list) == 0 {
		return `has a filter that is not {"and": [...]} or {"or": [...]}`, form
	}
	for _, member := range list {
		check := criteriaFault
		if _, isCriterion := member.([]any); isCriterion {
			check = criterionFault
		}
		if rule, advice = check(member); rule != "" {
			return rule, advice
		}
	}
	return "", ""
}

// criterionFault says what is wrong with [column, operator, value].
func criterionFault(criterion any) (rule, advice string) {
	const form = `write ["column", "operator", value], such as ["product_name", "contains", "Db2"]`
	parts, _ := criterion.([]any)
	texts := make([]string, 2)
	for i := range min(len(parts), len(texts)) {
		texts[i], _ = parts[i].(string)
	}
	column, operator := texts[0], texts[1]
	text := jsonText(criterion)
	valueless := operator == isEmpty || operator == isNotEmpty
	switch {
	case column == "" || operator == "":
		return fmt.Sprintf("has %s, which is no criterion", text), form
	case !slices.Contains(criteriaOperators(), operator):
		return fmt.Sprintf("has %s with an operator that the API does not have", text), didYouMean(operator, criteriaOperators(), "there are ")
	case valueless && len(parts) != 2:
		return fmt.Sprintf("has %s with a value that %s does not take", text, operator), fmt.Sprintf("write [%q, %q]", column, operator)
	case !valueless && len(parts) != 3:
		return fmt.Sprintf("has %s, which is no criterion", text), form
	}
	if !valueless {
		switch parts[2].(type) {
		case bool, map[string]any:
			return fmt.Sprintf("has %s, whose value is none", text), "write a text, a number, a list or null"
		}
	}
	return "", ""
}

// jsonText writes a decoded value as it may have stood in the file.
func jsonText(v any) string {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic("BUG: decoded JSON cannot be encoded: " + err.Error())
	}
	return strings.TrimSpace(text.String())
}
