package cli

import (
	"context"

	"go.uber.org/zap"

	"github.com/meterhouse/meterhouse/cmd/internal/wire"
	"github.com/meterhouse/meterhouse/etl/notify"
)

// teller tells operators of passes. What goes wrong with that is logged, and
// changes nothing about the pass.
type teller struct {
	notifier *notify.Notifier
	log      *zap.Logger
	// told counts the messages of a pass, nil for nobody to count them.
	told func(sent, failed int)
}

func newTeller(s *session) (*teller, error) {
	n, err := wire.Notifier(s.cfg.Notify)
	if err != nil {
		return nil, &configError{err}
	}
	return &teller{notifier: n, log: s.log}, nil
}

// tell sends the message of a pass, if there is one. It returns within
// notify.Timeout, or when ctx ends.
func (t *teller) tell(ctx context.Context, p notify.Pass) {
	p.Host = wire.Host()
	text := notify.Message(p)
	if text == "" {
		return
	}
	var sent, failed int
	for _, r := range t.notifier.Send(ctx, text) {
		if r.Err != nil {
			failed++
			t.log.Warn("notification not sent", zap.String("place", r.Place), zap.Error(r.Err))
			continue
		}
		sent++
		t.log.Info("notification sent", zap.String("place", r.Place))
	}
	if t.told != nil {
		t.told(sent, failed)
	}
}
