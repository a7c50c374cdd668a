package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// TargetYAML writes an entry of the targets of a nexthink source, indented as
// the starter has it. Keys with their default are left out.
func TargetYAML(t Target) string {
	var b strings.Builder
	line := func(key, value string) {
		indent := "        "
		if b.Len() == 0 {
			indent = "      - "
		}
		fmt.Fprintf(&b, "%s%s: %s\n", indent, key, value)
	}
	line("name", yamlText(t.Name))
	line("metric", yamlText(t.Metric))
	if t.Program != "" {
		line("program", yamlText(t.Program))
	}
	if t.Hierarchy != "" {
		line("hierarchy", yamlText(t.Hierarchy))
	}
	if len(t.Path) > 0 {
		line("path", yamlList(t.Path))
	}
	line("lists", yamlList(t.Lists))
	if t.WindowDays != 0 {
		line("window_days", fmt.Sprint(t.WindowDays))
	}
	return b.String()
}

func yamlList(texts []string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = yamlText(text)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// yamlText writes a text without quotes where nobody could read it otherwise,
// else as a JSON string, which YAML reads too.
func yamlText(text string) string {
	plain := regexp.MustCompile(`^([A-Za-z][A-Za-z0-9-]*( [A-Za-z0-9-]+)*|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$`)
	words := []string{"null", "true", "false", "yes", "no", "on", "off", "y", "n"} // that YAML gives a meaning
	if plain.MatchString(text) && !slices.Contains(words, strings.ToLower(text)) {
		return text
	}
	var quoted bytes.Buffer
	e := json.NewEncoder(&quoted)
	e.SetEscapeHTML(false)
	if err := e.Encode(text); err != nil {
		panic("BUG: a text cannot be written as JSON: " + err.Error())
	}
	return strings.TrimSuffix(quoted.String(), "\n")
}
