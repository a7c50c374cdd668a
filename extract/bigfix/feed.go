package bigfix

import (
	"fmt"
	"strconv"
	"strings"
)

const (
	defaultFeed = "default"
	groupPrefix = "group-"
)

// Feeds names the feeds of a server: one per computer group, or "default", the
// group of the token's user, when there are none.
func Feeds(groups []int64) []string {
	if len(groups) == 0 {
		return []string{defaultFeed}
	}
	feeds := make([]string, len(groups))
	for i, group := range groups {
		feeds[i] = groupPrefix + strconv.FormatInt(group, 10)
	}
	return feeds
}

// GroupOf is the computer group that a feed asks for: 0, which is no group's
// id, for "default" and for a name that Feeds does not give.
func GroupOf(feed string) int64 {
	group, err := groupOf(feed)
	if err != nil {
		return 0
	}
	return group
}

func groupOf(feed string) (int64, error) {
	if feed == defaultFeed {
		return 0, nil
	}
	digits, ok := strings.CutPrefix(feed, groupPrefix)
	group, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil {
		return 0, fmt.Errorf("feed %q is neither %q nor a computer group such as %q", feed, defaultFeed, groupPrefix+"5")
	}
	return group, nil
}
