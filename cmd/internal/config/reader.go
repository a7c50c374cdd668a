package config

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// reader is one file being read, with all that was found wrong so far.
type reader struct {
	file        string // as the operator named it
	dir         string // where relative paths start
	env         func(string) string
	now         time.Time
	openSources bool // read the sources' secrets and CA files
	openArchive bool // read the archive's

	faults, warnings []Fault
}

// place is where something stands in the file.
type place struct {
	line, column int
	key          string
}

func (r *reader) fault(at place, value, rule, advice string) {
	if strings.Contains(value, "${") {
		advice = joinAdvice(advice, "${NAME} is not expanded in this file")
	}
	r.faults = append(r.faults, r.note(at, value, rule, advice))
}

func (r *reader) warn(at place, value, rule, advice string) {
	r.warnings = append(r.warnings, r.note(at, value, rule, advice))
}

func (r *reader) note(at place, value, rule, advice string) Fault {
	const longest = 100
	if cut := []rune(value); len(cut) > longest {
		value = string(cut[:longest]) + "..."
	}
	return Fault{
		File: r.file, Line: max(at.line, 1), Column: max(at.column, 1), Key: at.key,
		Value: value, Rule: rule, Advice: advice,
	}
}

func joinAdvice(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}

// abs makes a path of the file absolute.
func (r *reader) abs(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(r.dir, path)
}

// parse gives the top block, nil where there is none; the faults say why.
func (r *reader) parse(text []byte) *block {
	top := place{line: 1, column: 1}
	if !utf8.Valid(text) {
		r.fault(top, "", "the file is not UTF-8 text", "save it as UTF-8")
		return nil
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // some editors put it first
	tree, err := parser.ParseBytes(text, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		r.syntax(err)
		return nil
	}
	var body ast.Node
	for _, doc := range tree.Docs {
		switch {
		case doc.Body == nil:
		case body == nil:
			body = doc.Body
		default:
			r.fault(placeOf(doc.Start, ""), "", "begins a second YAML document", "keep one, without ---")
		}
	}
	if body == nil {
		r.fault(top, "", "the file is empty", "`meterhouse init` writes a starter")
		return nil
	}
	return r.newBlock(element{at: top, node: body})
}

// syntax reports what the YAML parser says. Its text is cut at the first
// quotation mark: behind it stands a piece of the file, perhaps of a secret.
func (r *reader) syntax(err error) {
	at, says := place{line: 1, column: 1}, "not readable"
	var located yaml.Error
	if errors.As(err, &located) {
		at = placeOf(located.GetToken(), "")
		says, _, _ = strings.Cut(located.GetMessage(), `"`)
	}
	r.fault(at, "", "not valid YAML: "+strings.TrimRight(says, " :"), "check indentation, quotes and brackets here and on the lines around")
}

func placeOf(tk *token.Token, key string) place {
	if tk == nil || tk.Position == nil {
		return place{line: 1, column: 1, key: key}
	}
	return place{line: tk.Position.Line, column: tk.Position.Column, key: key}
}

// element is a value somewhere in the file.
type element struct {
	at   place
	node ast.Node
}

// block is a mapping. Every key that is asked for becomes a known one; done
// reports those that nobody asked for.
type block struct {
	r       *reader
	at      place
	keys    []string // in the file's order
	keyAt   map[string]place
	values  map[string]element
	known   []string
	foreign map[string]string // key -> why it does not belong here
	broken  bool              // not a mapping, and reported: what it lacks goes without saying
}

func (r *reader) newBlock(e element) *block {
	b := &block{r: r, at: e.at, keyAt: map[string]place{}, values: map[string]element{}, foreign: map[string]string{}}
	var pairs []*ast.MappingValueNode
	switch n := e.node.(type) {
	case nil, *ast.NullNode:
	case *ast.MappingNode:
		pairs = n.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{n}
	default:
		r.fault(e.at, "", "is "+describe(n)+", must be a block of keys", "write its keys below it, indented by two spaces")
		b.broken = true
	}
	for i, pair := range pairs {
		name := keyName(pair.Key)
		at := placeOf(pair.Key.GetToken(), under(e.at.key, name))
		if i == 0 && e.at.key != "" {
			b.at = place{line: at.line, column: at.column, key: e.at.key}
		}
		if first, twice := b.keyAt[name]; twice {
			r.fault(at, "", fmt.Sprintf("stands twice, first on line %d", first.line), "keep one of the two")
			continue
		}
		b.keys = append(b.keys, name)
		b.keyAt[name] = at
		b.values[name] = element{at: valuePlace(pair.Value, at), node: pair.Value}
	}
	return b
}

func keyName(k ast.MapKeyNode) string {
	if s, ok := k.(*ast.StringNode); ok {
		return s.Value
	}
	return strings.TrimSpace(k.String())
}

// under writes the path of a key below parent; odd names are quoted so that a
// fault stays on one line.
func under(parent, name string) string {
	if name == "" || strings.ContainsFunc(name, func(c rune) bool { return c <= ' ' || c > '~' || strings.ContainsRune(`"'.:[]`, c) }) {
		name = strconv.Quote(name)
	}
	if parent == "" {
		return name
	}
	return parent + "." + name
}

// valuePlace is where a scalar stands; of a list or block, its key.
func valuePlace(n ast.Node, key place) place {
	switch n := n.(type) {
	case *ast.StringNode, *ast.LiteralNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return placeOf(n.GetToken(), key.key)
	}
	return key
}

// given says that the file has the key with a value.
func (b *block) given(key string) bool {
	e, there := b.values[key]
	if !there {
		return false
	}
	_, null := e.node.(*ast.NullNode)
	return !null
}

// value gives the value of key and makes the key known.
func (b *block) value(key string) (element, bool) {
	if !slices.Contains(b.known, key) {
		b.known = append(b.known, key)
	}
	return b.values[key], b.given(key)
}

// place is where the value of key stands, or the block where there is none.
func (b *block) place(key string) place {
	if e, there := b.values[key]; there {
		return e.at
	}
	return place{line: b.at.line, column: b.at.column, key: under(b.at.key, key)}
}

func (b *block) fault(key, value, rule, advice string) {
	if !b.broken {
		b.r.fault(b.place(key), value, rule, advice)
	}
}

func (b *block) warn(key, value, rule, advice string) {
	if !b.broken {
		b.r.warn(b.place(key), value, rule, advice)
	}
}

// refuse makes keys known that belong elsewhere; why says where.
func (b *block) refuse(why string, keys ...string) {
	for _, key := range keys {
		b.foreign[key] = why
	}
}

// done reports the keys that nobody asked for.
func (b *block) done() {
	for _, key := range b.keys {
		if slices.Contains(b.known, key) {
			continue
		}
		if why, foreign := b.foreign[key]; foreign {
			b.r.fault(b.keyAt[key], "", why, "remove it")
			continue
		}
		b.r.fault(b.keyAt[key], "", "unknown key", didYouMean(key, b.known, "the keys here are "))
	}
}
