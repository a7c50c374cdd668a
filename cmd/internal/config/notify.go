package config

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// notify reads the places that operators are told at. Their URLs hold tokens, so
// that they are read as secrets are and no fault shows one.
func (b *block) notify() []Notify {
	const advice = "begin each place with a dash"
	e, given := b.value("notify")
	if _, list := e.node.(*ast.SequenceNode); given && !list {
		b.fault("notify", "", "is "+describe(e.node)+", must be a list", advice) // without its text, which may be a URL
		return nil
	}
	var places []Notify
	for i, entry := range b.blocks("notify", advice) {
		place := Notify{Key: fmt.Sprintf("notify[%d]", i)}
		var given bool
		place.URL, given = entry.secret("url", b.r.openSources)
		entry.done()
		switch scheme, _, found := strings.Cut(place.URL.Reveal(), "://"); {
		case !given:
			entry.fault("url_file", "", "is missing", "name a file that holds the place's URL alone, such as teams://... or generic+https://...")
		case !place.URL.IsZero() && (!found || scheme == ""):
			entry.fault("url", "", "is not the URL of a place to tell", "begin it with the service, such as teams://, slack://, smtp:// or generic+https://")
		}
		places = append(places, place)
	}
	return places
}
