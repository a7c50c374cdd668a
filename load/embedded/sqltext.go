package embedded

import (
	"iter"
	"strings"
)

// This file finds two places in a statement's text: where the data of an INSERT
// begins, and where a SELECT says its output format. Everything else about SQL
// is left to the engine's parser; a text that is misread here becomes a syntax
// error there.

// token is a word, a quoted text or a single other character. depth counts the
// brackets around it.
type token struct {
	start, end int
	depth      int
	text       string
}

func (t token) is(keyword string) bool { return strings.EqualFold(t.text, keyword) }

// tokens yields the tokens of sql without spaces and comments.
func tokens(sql string) iter.Seq[token] {
	return func(yield func(token) bool) {
		depth := 0
		for i := 0; i < len(sql); {
			end, blank := scan(sql, i)
			if blank {
				i = end
				continue
			}
			t := token{start: i, end: end, depth: depth, text: sql[i:end]}
			switch t.text {
			case "(", "[", "{":
				depth++
			case ")", "]", "}":
				depth--
				t.depth = depth
			}
			if !yield(t) {
				return
			}
			i = end
		}
	}
}

// scan returns where the token, space or comment that begins at i ends.
func scan(sql string, i int) (end int, blank bool) {
	rest := sql[i:]
	switch c := sql[i]; {
	case strings.IndexByte(" \t\r\n\f\v", c) >= 0:
		return i + 1, true
	case strings.HasPrefix(rest, "--"), strings.HasPrefix(rest, "# "), strings.HasPrefix(rest, "#!"):
		return i + after(rest, 0, "\n"), true
	case strings.HasPrefix(rest, "/*"):
		return i + after(rest, 2, "*/"), true
	case c == '\'' || c == '"' || c == '`':
		return i + quoted(rest), false
	case c == '$':
		return i + heredoc(rest), false
	case wordByte(c):
		n := 1
		for n < len(rest) && wordByte(rest[n]) {
			n++
		}
		return i + n, false
	}
	return i + 1, false
}

func wordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// after is the offset behind the first `mark` from offset `from` on, or the end.
func after(s string, from int, mark string) int {
	if n := strings.Index(s[from:], mark); n >= 0 {
		return from + n + len(mark)
	}
	return len(s)
}

// quoted is the length of the quoted text that s begins with. A doubled quote
// needs no care: it reads as two quoted texts side by side.
func quoted(s string) int {
	for n := 1; n < len(s); n++ {
		switch s[n] {
		case '\\':
			n++
		case s[0]:
			return n + 1
		}
	}
	return len(s)
}

// heredoc is the length of a text written $tag$...$tag$, or 1.
func heredoc(s string) int {
	n := 1
	for n < len(s) && wordByte(s[n]) {
		n++
	}
	if n == len(s) || s[n] != '$' {
		return 1
	}
	tag := s[:n+1]
	return after(s, len(tag), tag)
}

// insertText is an INSERT whose data follows its text.
type insertText struct {
	sql    string // up to VALUES or FORMAT
	format string
	data   int // offset of the data in the text
}

// splitInsert finds the data of `INSERT INTO t (a, b) VALUES (...)` and
// `INSERT INTO t FORMAT JSONEachRow {...}`. ok is false for everything else,
// INSERT ... SELECT among it.
func splitInsert(sql string) (text insertText, ok bool) {
	var last [2]token // the two tokens before
	n := 0
	for t := range tokens(sql) {
		switch {
		case n == 0 && !t.is("INSERT"):
			return insertText{}, false
		case n < 3: // INSERT INTO table
		case last[0].is("FORMAT") && last[0].depth == 0 && !tableName(last[1]):
			return insertText{sql[:last[0].start], t.text, t.end + dataGap(sql[t.end:])}, true
		case t.is("VALUES") && t.depth == 0 && !tableName(last[0]):
			return insertText{sql[:t.start], "Values", t.end}, true
		case (t.is("SELECT") || t.is("WITH")) && (t.depth == 0 || last[0].text == "("):
			return insertText{}, false
		}
		last[1], last[0] = last[0], t
		n++
	}
	return insertText{}, false
}

// tableName tells whether what follows t is part of a table's name.
func tableName(t token) bool {
	return t.is("INTO") || t.is("TABLE") || t.is("FUNCTION") || t.text == "."
}

// dataGap is the length of what stands between FORMAT's name and the data:
// spaces and at most one end of line, as in the engine's parser.
func dataGap(s string) int {
	n := len(s) - len(strings.TrimLeft(s, " \t\f"))
	if strings.HasPrefix(s[n:], "\r\n") {
		return n + 2
	}
	if strings.HasPrefix(s[n:], "\n") {
		return n + 1
	}
	return n
}

// isSelect tells whether a statement begins like a SELECT.
func isSelect(sql string) bool {
	for t := range tokens(sql) {
		return t.is("SELECT") || t.is("WITH") || t.is("FROM") || t.text == "("
	}
	return false
}

// outputText is what a statement's text says about its output.
type outputText struct {
	into   int    // offset at which INTO OUTFILE belongs
	format string // of the FORMAT clause, "" where there is none
}

// splitOutput finds the FORMAT clause at the end of a statement.
func splitOutput(sql string) outputText {
	var before, last token
	for t := range tokens(sql) {
		if t.text == ";" || t.is("SETTINGS") && isFormat(before, last) {
			break
		}
		before, last = last, t
	}
	if isFormat(before, last) {
		return outputText{before.start, last.text}
	}
	return outputText{into: last.end}
}

// isFormat tells whether two tokens at the end of a statement are its FORMAT
// clause, and not the end of ORDER BY format DESC.
func isFormat(keyword, name token) bool {
	return keyword.is("FORMAT") && keyword.depth == 0 && name.depth == 0 &&
		isName(name.text) && !name.is("ASC") && !name.is("DESC")
}
