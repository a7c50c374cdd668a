package nexthink

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Discovered is what an address of the discovery tool says.
type Discovered struct {
	// Target is what the address asks for. Its Name is a suggestion, its one
	// list that of the address.
	Target Target
	// Server is the Portal's scheme and host alone; nil when the address names none.
	Server *url.URL
	// Notes are sentences about what the address holds and the target does not.
	Notes []string
}

// errCopy is the advice for an address that cannot be read. The address itself
// is in no error: it may hold a password.
var errCopy = errors.New("copy it whole from the browser's address bar, and put it in single quotes")

// TargetFromURL reads the address that the discovery tool of a Portal builds
// for the details of a metric. It bears what happens to addresses on their way:
// line breaks in the middle, quotes around, a scheme left out, spaces written
// as +, %20 or plainly, & as &amp;.
func TargetFromURL(pasted string) (Discovered, error) {
	text := unwrap(pasted)
	if !strings.Contains(text, "://") && !strings.HasPrefix(text, "/") {
		text = "https://" + text
	}
	address, err := url.Parse(text)
	if err != nil { // the error would repeat the address
		return Discovered{}, fmt.Errorf("this is not a URL that can be read: %w", errCopy)
	}
	if err := checkPath(address); err != nil {
		return Discovered{}, err
	}
	var d Discovered
	if address.Host != "" {
		d.Server = &url.URL{Scheme: address.Scheme, Host: address.Host}
	}
	if address.User != nil {
		d.Notes = append(d.Notes, "the URL holds a user or password, which is left out; whoever saw the URL has seen it too")
	}
	if err := d.readQuery(address.RawQuery); err != nil {
		return Discovered{}, err
	}
	d.Target.Name = suggestName(d.Target)
	return d, nil
}

// unwrap removes what got into an address by being shown and copied.
func unwrap(pasted string) string {
	var text strings.Builder
	for line := range strings.FieldsFuncSeq(pasted, func(r rune) bool { return r == '\n' || r == '\r' }) {
		text.WriteString(strings.TrimSpace(line))
	}
	return strings.ReplaceAll(strings.Trim(text.String(), " <>\"'`"), "&amp;", "&")
}

func checkPath(address *url.URL) error {
	path := strings.Trim(address.Path, "/")
	endsIn := func(want string) bool { return path == want || strings.HasSuffix(path, "/"+want) }
	switch {
	case endsIn(detailsPath):
		return nil
	case endsIn(discoveryPath):
		return fmt.Errorf("this is the URL of the discovery tool itself: pick metric, hierarchy, program and node there, "+
			"follow a link such as Installed (json), and paste the URL of the page it opens (…/%s?metric=…)", detailsPath)
	default:
		return fmt.Errorf("the path of the URL, %.80q, is not that of metering details: open …/%s on the portal, "+
			"follow a link such as Installed (json), and paste the URL of the page it opens (…/%s?metric=…)", address.Path, discoveryPath, detailsPath)
	}
}

// readQuery takes the parameters that Nexthink's page lists. It reads them by
// itself because url.ParseQuery has no place for a semicolon in a name.
func (d *Discovered) readQuery(query string) error {
	seen := map[string]string{}
	for pair := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(pair, "=")
		key, keyErr := url.QueryUnescape(key)
		value, err := url.QueryUnescape(value)
		if keyErr != nil || err != nil || !utf8.ValidString(value) {
			return fmt.Errorf("the parameter %.40q of the URL cannot be read: %w", key, errCopy)
		}
		switch {
		case value == "": // the default, as if it were not there
		case key == "path":
			d.Target.Path = append(d.Target.Path, value)
		case seen[key] != "" && seen[key] != value:
			return fmt.Errorf("the parameter %.40q stands in the URL twice, with different values", key)
		case !slices.Contains([]string{"metric", "hierarchy", "program", "list", "format"}, key):
			d.Notes = append(d.Notes, fmt.Sprintf("the parameter %.40q is not one of the API and is left out", key))
		default:
			seen[key] = value
		}
	}
	list := seen["list"]
	switch {
	case seen["metric"] == "":
		return errors.New("the URL names no metric: pick one in the discovery tool first")
	case list == "":
		list = ListInstalled // the API's default
	case list != ListInstalled && list != ListUnderusage:
		return fmt.Errorf("the URL asks for the list %.40q, which is neither %s nor %s", list, ListInstalled, ListUnderusage)
	}
	d.Target.Metric, d.Target.Program, d.Target.Hierarchy = seen["metric"], seen["program"], seen["hierarchy"]
	d.Target.Lists = []string{list}
	return nil
}

// suggestName makes a name of the last node and the beginning of a UID, since
// the address holds no other names.
func suggestName(t Target) string {
	const nodeLength, uidLength = 40, 8
	place, uid := t.Hierarchy, t.Program
	if len(t.Path) > 0 {
		place = t.Path[len(t.Path)-1]
	}
	if uid == "" {
		uid = t.Metric
	}
	place, uid = plainName(place), plainName(uid)
	place, uid = place[:min(len(place), nodeLength)], uid[:min(len(uid), uidLength)]
	if name := strings.Trim(place+"-"+uid, "-"); name != "" {
		return name
	}
	return "target"
}

// plainName writes a name in small letters of ASCII, digits and dashes:
// "R&D / Zürich" is r-d-zurich.
func plainName(name string) string {
	var plain strings.Builder
	for _, r := range norm.NFKD.String(name) {
		switch r = unicode.ToLower(r); {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			plain.WriteRune(r)
		case !unicode.Is(unicode.Mn, r) && !strings.HasSuffix(plain.String(), "-"):
			plain.WriteByte('-')
		}
	}
	return strings.Trim(plain.String(), "-")
}
