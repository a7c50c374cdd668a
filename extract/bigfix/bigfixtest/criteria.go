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
	if err := json.Unmarshal(raw, &parts); err != nil || len(parts) != 3 {
		return nil, fmt.Errorf("criterion %.100s is not [column, operator, value]", raw)
	}
	name, _ := parts[0].(string)
	operator, _ := parts[1].(string)
	c, err := s.column(name)
	if err != nil {
		return nil, err
	}
	value := fmt.Sprint(parts[2])
	want := text(value)
	if n, err := strconv.ParseInt(value, 10, 64); err == nil {
		want = number(n)
	}
	switch operator {
	case "=":
		return func(u *usage) bool { return c.of(u).compare(want) == 0 }, nil
	case "!=":
		return func(u *usage) bool { return c.of(u).compare(want) != 0 }, nil
	case "<":
		return func(u *usage) bool { return c.of(u).compare(want) < 0 }, nil
	case ">":
		return func(u *usage) bool { return c.of(u).compare(want) > 0 }, nil
	case "contains":
		return func(u *usage) bool { return strings.Contains(c.of(u).String(), value) }, nil
	}
	return nil, fmt.Errorf("unknown operator: %q", operator)
}
