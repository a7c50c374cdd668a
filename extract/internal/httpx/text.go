package httpx

import (
	"errors"
	"html"
	"net/url"
	"strings"
	"unicode"
)

// saysLimit bounds, in bytes, what of a server's text reaches an error.
const saysLimit = 512

// Text makes what a server said fit for an error's Says: an HTML page becomes
// its title, control characters and line breaks become single spaces, secrets
// become ***, and the length is bounded. Sources use it for an answer with a
// good status that turns out to be something else.
func (c *Client) Text(raw []byte) string {
	s := strings.ToValidUTF8(string(raw[:min(len(raw), errorTextLimit)]), "?")
	if strings.HasPrefix(strings.TrimSpace(s), "<") {
		s = "HTML page: " + title(s)
	}
	s = c.redact(s)
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
	}), " ")
	if len(s) > saysLimit {
		s = strings.ToValidUTF8(s[:saysLimit], "") + "..."
	}
	return s
}

// title is the text of the first title element, "untitled" without one.
func title(page string) string {
	lower := strings.ToLower(page)
	if len(lower) != len(page) { // a letter changed its length; offsets would not fit
		lower = page
	}
	start := strings.Index(lower, "<title")
	if start < 0 {
		return "untitled"
	}
	open := strings.IndexByte(lower[start:], '>')
	if open < 0 {
		return "untitled"
	}
	rest := page[start+open+1:]
	end := strings.Index(lower[start+open+1:], "</title")
	if end < 0 {
		return "untitled"
	}
	return html.UnescapeString(rest[:end])
}

// redact replaces every secret, as it is and as it stands in an address.
func (c *Client) redact(s string) string {
	if c.o.Secrets == nil {
		return s
	}
	for _, secret := range c.o.Secrets() {
		if secret == "" {
			continue
		}
		s = strings.ReplaceAll(s, secret, "***")
		s = strings.ReplaceAll(s, url.QueryEscape(secret), "***")
		s = strings.ReplaceAll(s, url.PathEscape(secret), "***")
	}
	return s
}

// scrub bounds and redacts the text of an error of the network, which may
// repeat what the server sent, and keeps the cause for errors.Is.
func (c *Client) scrub(err error) error {
	var inURL *url.Error
	if errors.As(err, &inURL) {
		err = inURL.Err
	}
	return &scrubbed{text: c.Text([]byte(err.Error())), cause: err}
}

type scrubbed struct {
	text  string
	cause error
}

func (s *scrubbed) Error() string { return s.text }

func (s *scrubbed) Unwrap() error { return s.cause }
