package nexthink

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/meterhouse/meterhouse/extract"
)

// unknown marks a key that no column was made for.
const unknown = -1

// match is the column that a key of an answer stands for. Among several keys
// for one column the lowest rank wins.
type match struct{ column, rank int }

// aliases are the accepted keys per column in their normalised form, best
// first. Nexthink's page on the Software Metering API gives the labels
// ("Average usage per day (seconds)"); which keys a Portal writes for them is
// not public, and its other APIs use camelCase, PascalCase and plain words.
func aliases() [extract.MeteringColumns][]string {
	return [extract.MeteringColumns][]string{
		extract.MeteringDevice: {"device", "devicename", "name"},
		extract.MeteringEntity: {"entity", "entityname"},
		extract.MeteringAvgUsage: {
			"averageusageperdayseconds", "averageusageperday", "averageusage", "avgusageperday", "usageperday",
		},
		extract.MeteringAvgExecutions: {
			"averageexecutionsperday", "averageexecutions", "avgexecutionsperday", "executionsperday",
		},
		extract.MeteringFirstSeen:    {"firstdatewithpackage", "firstpackagedate", "firstdate", "firstseen"},
		extract.MeteringLastActivity: {"lastactivity", "lastactivitydate", "lastused"},
		extract.MeteringBinaries:     {"binaries", "binary", "significantbinaries", "usedbinaries"},
	}
}

// Columns names the columns, as the warehouse calls them, in the order of the
// Metering constants.
func Columns() []string {
	return []string{"device", "entity", "avg_usage_seconds", "avg_executions", "first_seen", "last_activity", "binaries"}
}

// NormalKey is what is compared of a key: its letters and digits, all small.
func NormalKey(key string) string { return normalise(key) }

// withOwn puts the operator's aliases, given per name of a column, before the
// known ones: who configures a key has seen the answer.
func withOwn(own map[string][]string) ([extract.MeteringColumns][]string, error) {
	all := aliases()
	taken := map[string]string{}
	for column, names := range own {
		i := slices.Index(Columns(), column)
		if i < 0 {
			return all, fmt.Errorf("aliases of %q: there is no such column; there are %s", column, strings.Join(Columns(), ", "))
		}
		keys := make([]string, len(names))
		for j, name := range names {
			keys[j] = normalise(name)
			if keys[j] == "" {
				return all, fmt.Errorf("alias %q of %s has neither letter nor digit", name, column)
			}
			if other, twice := taken[keys[j]]; twice && other != column {
				return all, fmt.Errorf("alias %q stands for two columns, %s and %s", name, min(column, other), max(column, other))
			}
			taken[keys[j]] = column
		}
		all[i] = append(keys, all[i]...)
	}
	for i, names := range all {
		column := Columns()[i]
		all[i] = slices.DeleteFunc(names, func(name string) bool { return taken[name] != "" && taken[name] != column })
	}
	return all, nil
}

// keys matches the keys of one answer to columns. An answer repeats its keys in
// every record, so what was found once is remembered.
type keys struct {
	table map[string]match
	seen  map[string]key
}

// key is a key as the source wrote it, with its match.
type key struct {
	name string
	match
}

// seenLimit bounds the memory for an answer that never repeats a key.
const seenLimit = 1 << 10

func newKeys(aliases [extract.MeteringColumns][]string) *keys {
	k := &keys{table: map[string]match{}, seen: map[string]key{}}
	for column, names := range aliases {
		for rank, name := range slices.Backward(names) { // of a name given twice the first counts
			k.table[name] = match{column: column, rank: rank}
		}
	}
	return k
}

// of finds the column of a key.
func (k *keys) of(raw []byte) key {
	if found, ok := k.seen[string(raw)]; ok {
		return found
	}
	found := key{name: string(raw), match: k.match(string(raw))}
	if len(k.seen) < seenLimit {
		k.seen[found.name] = found
	}
	return found
}

// match finds the column of a key without regard to case, spaces and
// punctuation. A unit behind the name is dropped, but never one that would
// make seconds out of something else.
func (k *keys) match(name string) match {
	plain := normalise(name)
	if m, ok := k.table[plain]; ok {
		return m
	}
	if base, unit, ok := trailingUnit(name); ok {
		m, ok := k.table[normalise(base)]
		if ok && (m.column != extract.MeteringAvgUsage || isSeconds(unit)) {
			return m
		}
	}
	for _, unit := range [...]string{"seconds", "secs", "sec"} {
		base, ok := strings.CutSuffix(plain, unit)
		if m, known := k.table[base]; ok && known && m.column == extract.MeteringAvgUsage {
			return m
		}
	}
	return match{column: unknown}
}

// normalise drops everything but letters and digits and the difference of case.
func normalise(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, name)
}

// trailingUnit splits "Average usage (sec)" or "... [sec]" into name and unit.
func trailingUnit(name string) (base, unit string, ok bool) {
	name = strings.TrimSpace(name)
	for _, pair := range [...]string{"()", "[]"} {
		if at := strings.LastIndexByte(name, pair[0]); at >= 0 && name[len(name)-1] == pair[1] {
			return name[:at], name[at+1 : len(name)-1], true
		}
	}
	return "", "", false
}

func isSeconds(unit string) bool {
	switch normalise(unit) {
	case "s", "sec", "secs", "second", "seconds":
		return true
	}
	return false
}
