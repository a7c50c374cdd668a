package archive

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/meterhouse/meterhouse/schema"
)

const (
	manifestName = "manifest.json"
	objectSuffix = ".zst"
)

// objectName names the n-th answer of a load, from 0.
func objectName(n int) string { return fmt.Sprintf("%03d%s", n+1, objectSuffix) }

// folderOf is where a load's objects lie, with a slash at its end.
func folderOf(s schema.Slice, loadID uint64) string {
	return daysOf(s.Source, s.Feed) + s.Day.String() + "/" + strconv.FormatUint(loadID, 10) + "/"
}

// daysOf is where the days of a feed lie, of all feeds of a source when there
// is none, and of all sources when there is no source either.
func daysOf(source, feed string) string {
	folder := ""
	if source != "" {
		folder += escape(source) + "/"
	}
	if source != "" && feed != "" {
		folder += escape(feed) + "/"
	}
	return folder
}

// parseKey takes a key apart; false for one that is not ours.
func parseKey(key string) (s schema.Slice, loadID uint64, name string, ok bool) {
	parts := strings.Split(key, "/")
	if len(parts) != 5 {
		return s, 0, "", false
	}
	var errs [4]error
	s.Source, errs[0] = unescape(parts[0])
	s.Feed, errs[1] = unescape(parts[1])
	s.Day, errs[2] = schema.ParseDay(parts[2])
	loadID, errs[3] = strconv.ParseUint(parts[3], 10, 64)
	for _, err := range errs {
		if err != nil {
			return s, 0, "", false
		}
	}
	return s, loadID, parts[4], true
}

// escape makes one part of a key of any text. What is neither letter, digit, _,
// - nor an inner dot becomes = and two hex digits: feeds hold slashes, and a
// part must not be . or .. either.
func escape(text string) string {
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		plain := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.' && i > 0
		if plain {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "=%02X", c)
		}
	}
	return b.String()
}

func unescape(part string) (string, error) {
	// What net/url reads is the same with a percent sign, which no part holds.
	text, err := url.PathUnescape(strings.ReplaceAll(part, "=", "%"))
	if err != nil || escape(text) != part {
		return "", fmt.Errorf("%q is not a part of a key", part)
	}
	return text, nil
}
