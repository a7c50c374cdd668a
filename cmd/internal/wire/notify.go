package wire

import (
	"github.com/meterhouse/meterhouse/cmd/internal/config"
	"github.com/meterhouse/meterhouse/etl/notify"
)

// Notifier makes what tells operators; of no places it tells nobody.
func Notifier(configured []config.Notify) (*notify.Notifier, error) {
	places := make([]notify.Place, len(configured))
	for i, c := range configured {
		places[i] = notify.Place{Key: c.Key, URL: c.URL.Reveal()}
	}
	return notify.New(places) //nolint:wrapcheck // names the place
}
