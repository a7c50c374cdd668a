package bigfixtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// parseCriteria reads the filter of HCL's page on license_usage_per_server:
// {"and": [["column", "operator", value] or a nested filter, ...]}, or "or".
func (s *Simulator) parseCriteria(raw []byte) (func(*usage) bool, error) {
	var node map[string][]json.RawMessage
	if err := json.Unmarshal(raw, &node); err != nil {
		return nil, fmt.Errorf("criteria is not valid: %w", err)
	}
	members, every := node["and"]
	if !every {
		members = node["or"]
	}
	if len(node) != 1 || members == nil {
		return nil, errors.New(`criteria must be an object with one key, "and" or "or"`)
	}
	tests := make([]func(*usage) bool, len(members))
	for i, member := range members {
		var err error
		if strings.HasPrefix(strings.TrimSpace(string(member)), "{") {
			tests[i], err = s.parseCriteria(member)
		} else {
			tests[i], err = s.parseCriterion(member)
		}
		if err != nil {
			return nil, err
		}
	}
	return func(u *usage) bool {
		for _, test := range tests {
			if test(u) != every {
				return !every
			}
		}
		return every
	}, nil
}

func (s *Simulator) parseCriterion(raw []byte) (func(*usage) bool, error) {
	var parts []any
	if err := json.Unmarshal(raw, &parts); err != nil || len(parts) < 2 || len(parts) > 3 {
		return nil, fmt.Errorf("criterion %.100s is not [column, operator, value]", raw)
	}
	name, _ := parts[0].(string)
	operator, _ := parts[1].(string)
	c, err := s.column(name)
	if err != nil {
		return nil, err
	}
	if len(parts) == 2 {
		empty := operator == "is_empty"
		if !empty && operator != "is_not_empty" {
			return nil, fmt.Errorf("the operator %q needs a value", operator)
		}
		return func(u *usage) bool { return (c.of(u).String() == "") == empty }, nil
	}
	value := fmt.Sprint(parts[2])
	want := text(value)
	if n, err := strconv.ParseInt(value, 10, 64); err == nil {
		want = number(n)
	}
	positive, negated := strings.CutPrefix(operator, "not_")
	test := compares(positive, value, want)
	if test == nil {
		return nil, fmt.Errorf("unknown operator: %q", operator)
	}
	return func(u *usage) bool { return test(c.of(u)) != negated }, nil
}

// compares gives the test of an operator that has a value, nil for one that does
// not exist here: those for dates have no column to apply to.
func compares(operator, value string, want cell) func(cell) bool {
	switch operator {
	case "=":
		return func(c cell) bool { return c.compare(want) == 0 }
	case "!=":
		return func(c cell) bool { return c.compare(want) != 0 }
	case "<":
		return func(c cell) bool { return c.compare(want) < 0 }
	case "<=":
		return func(c cell) bool { return c.compare(want) <= 0 }
	case ">":
		return func(c cell) bool { return c.compare(want) > 0 }
	case ">=":
		return func(c cell) bool { return c.compare(want) >= 0 }
	case "begins_with":
		return func(c cell) bool { return strings.HasPrefix(c.String(), value) }
	case "ends_with":
		return func(c cell) bool { return strings.HasSuffix(c.String(), value) }
	case "contains":
		return func(c cell) bool { return strings.Contains(c.String(), value) }
	}
	return nil
}
