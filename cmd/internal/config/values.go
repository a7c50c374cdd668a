package config

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// describe names a YAML value for an operator.
func describe(n ast.Node) string {
	switch n.(type) {
	case *ast.StringNode, *ast.LiteralNode:
		return "text"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a number"
	case *ast.BoolNode:
		return "true or false"
	case *ast.SequenceNode:
		return "a list"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a block of keys"
	case *ast.NullNode:
		return "empty"
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		return "a YAML anchor, alias or tag"
	default:
		return "something else"
	}
}

// raw is a scalar as the file writes it, "" for anything else.
func raw(n ast.Node) string {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value
	case *ast.LiteralNode:
		return n.Value.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value
	}
	return ""
}

// wrongType reports a value of another type than the key takes.
func (r *reader) wrongType(e element, want, advice string) {
	r.fault(e.at, raw(e.node), "is "+describe(e.node)+", must be "+want, advice)
}

// text gives a value that must be text.
func (r *reader) text(e element) (string, bool) {
	switch n := e.node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		r.wrongType(e, "text", "put it in quotes")
	default:
		r.wrongType(e, "text", "")
	}
	return "", false
}

// str gives a text, def where the key is absent or its value of a wrong type.
func (b *block) str(key, def string) string {
	e, given := b.value(key)
	if !given {
		return def
	}
	s, ok := b.r.text(e)
	if !ok {
		return def
	}
	b.notExpanded(key, s)
	return s
}

// notExpanded warns of what looks like a variable.
func (b *block) notExpanded(key, s string) {
	if strings.Contains(s, "${") {
		b.warn(key, "", "holds ${...}, which is not expanded and stays as it is", "write the value itself; a secret is named with _file or _env")
	}
}

// hidden is str for a value that no fault may show: a secret, or what may have
// been mistaken for a place to put one.
func (b *block) hidden(key string) (s string, given bool) {
	e, given := b.value(key)
	if !given {
		return "", false
	}
	switch e.node.(type) {
	case *ast.StringNode, *ast.LiteralNode:
	default:
		b.fault(key, "", "is "+describe(e.node)+", must be text", "put it in quotes")
		return "", true
	}
	s = raw(e.node)
	b.notExpanded(key, s)
	return s, s != ""
}

// required gives a text that must be there and not empty.
func (b *block) required(key, advice string) (string, bool) {
	before := len(b.r.faults)
	s := b.str(key, "")
	if s == "" && len(b.r.faults) == before {
		b.fault(key, "", "is missing", advice)
	}
	return s, s != ""
}

// choice gives one of the allowed words.
func (b *block) choice(key, def string, allowed ...string) string {
	s := b.str(key, def)
	if !b.r.oneOf(b.place(key), s, allowed...) {
		return def
	}
	return s
}

func (r *reader) oneOf(at place, s string, allowed ...string) bool {
	if slices.Contains(allowed, s) {
		return true
	}
	r.fault(at, s, "is not a value of this key", didYouMean(s, allowed, "possible are "))
	return false
}

func (b *block) boolean(key string, def bool) bool {
	e, given := b.value(key)
	if !given {
		return def
	}
	if n, ok := e.node.(*ast.BoolNode); ok {
		return n.Value
	}
	b.r.wrongType(e, "true or false", "")
	return def
}

// whole gives a whole number from lowest to highest.
func (b *block) whole(key string, def, lowest, highest int64) int64 {
	e, given := b.value(key)
	if !given {
		return def
	}
	n, ok := b.r.wholeNumber(e, lowest, highest)
	if !ok {
		return def
	}
	return n
}

// count is whole for numbers of things, which have no upper bound of their own.
func (b *block) count(key string, def, lowest int) int {
	return int(b.whole(key, int64(def), int64(lowest), math.MaxInt32))
}

func (r *reader) wholeNumber(e element, lowest, highest int64) (int64, bool) {
	var n int64
	node, ok := e.node.(*ast.IntegerNode)
	if !ok {
		r.wrongType(e, "a whole number", "")
		return 0, false
	}
	switch v := node.Value.(type) {
	case int64:
		n = v
	case uint64:
		n = int64(min(v, math.MaxInt64))
	}
	if n < lowest {
		r.fault(e.at, raw(e.node), fmt.Sprintf("must be at least %d", lowest), "")
		return 0, false
	}
	if n > highest {
		r.fault(e.at, raw(e.node), fmt.Sprintf("must be at most %d", highest), "")
		return 0, false
	}
	return n, true
}

// share gives a number from 0 to 1.
func (b *block) share(key string, def float64) float64 {
	e, given := b.value(key)
	if !given {
		return def
	}
	var v float64
	switch e.node.(type) {
	case *ast.IntegerNode, *ast.FloatNode:
		parsed, err := strconv.ParseFloat(raw(e.node), 64)
		if err != nil {
			b.r.wrongType(e, "a share from 0 to 1", "write it plainly, such as 0.5")
			return def
		}
		v = parsed
	default:
		b.r.wrongType(e, "a share from 0 to 1", "write it plainly, such as 0.5")
		return def
	}
	if v < 0 || v > 1 {
		b.fault(key, raw(e.node), "must be a share from 0 to 1", "0.5 is 50 %")
		return def
	}
	return v
}

// duration gives a length of time of at least lowest.
func (b *block) duration(key string, def, lowest time.Duration) time.Duration {
	const advice = "write a number with its unit, such as 30s or 10m"
	e, given := b.value(key)
	if !given {
		return def
	}
	switch e.node.(type) {
	case *ast.StringNode, *ast.LiteralNode:
	default:
		b.r.wrongType(e, "a duration", advice)
		return def
	}
	d, err := time.ParseDuration(raw(e.node))
	if err != nil {
		b.fault(key, raw(e.node), "is not a duration", advice)
		return def
	}
	if d < lowest {
		b.fault(key, raw(e.node), "must be at least "+lowest.String(), "")
		return def
	}
	return d
}

// size gives a number of bytes of at least lowest: a plain number, or one with a
// binary unit.
func (b *block) size(key string, def, lowest int64) int64 {
	const advice = "write a number of bytes, or one with KiB, MiB or GiB, such as 8GiB"
	e, given := b.value(key)
	if !given {
		return def
	}
	text := raw(e.node)
	if _, plain := e.node.(*ast.IntegerNode); plain {
		return b.whole(key, def, lowest, math.MaxInt64)
	}
	for shift, unit := range map[int]string{10: "KiB", 20: "MiB", 30: "GiB"} {
		digits, has := strings.CutSuffix(text, unit)
		if !has {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
		if err == nil && n > 0 && n <= math.MaxInt64>>shift {
			return n << shift
		}
	}
	b.fault(key, text, "is not a number of bytes", advice)
	return def
}

// list gives the elements of a list.
func (b *block) list(key, advice string) []element {
	e, given := b.value(key)
	if !given {
		return nil
	}
	seq, ok := e.node.(*ast.SequenceNode)
	if !ok {
		b.r.wrongType(e, "a list", advice)
		return nil
	}
	elements := make([]element, 0, len(seq.Values))
	for i, n := range seq.Values {
		at := placeOf(n.GetToken(), fmt.Sprintf("%s[%d]", under(b.at.key, key), i))
		elements = append(elements, element{at: at, node: n})
	}
	return elements
}

// word is one text of a list.
type word struct {
	at   place
	text string
}

// words gives a list of texts, none of them empty or twice.
func (b *block) words(key string, repeats bool, advice string) []word {
	var words []word
	for _, e := range b.list(key, advice) {
		s, ok := b.r.text(e)
		if !ok {
			continue
		}
		if s == "" {
			b.r.fault(e.at, "", "is empty", "remove it")
			continue
		}
		if !repeats && slices.ContainsFunc(words, func(w word) bool { return w.text == s }) {
			b.r.fault(e.at, s, "stands in this list twice", "keep it once")
			continue
		}
		words = append(words, word{at: e.at, text: s})
	}
	return words
}

// block gives the mapping below key, an empty one where there is none.
func (b *block) block(key string) *block {
	e, given := b.value(key)
	if !given {
		e = element{at: b.place(key)}
	}
	child := b.r.newBlock(e)
	child.broken = child.broken || b.broken
	return child
}

// blocks gives a list of mappings.
func (b *block) blocks(key, advice string) []*block {
	var blocks []*block
	for _, e := range b.list(key, advice) {
		blocks = append(blocks, b.r.newBlock(e))
	}
	return blocks
}
