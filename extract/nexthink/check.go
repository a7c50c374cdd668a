package nexthink

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/meterhouse/meterhouse/extract"
)

// errSeenEnough ends the probe once one record has been understood.
var errSeenEnough = errors.New("seen enough")

// Check asks for the first feed and stops reading after the first record: that
// proves TLS, credentials, the right to read and that the answer is understood.
// It then asks which Engines the Portal is connected to; an account may well
// not be allowed to know that, so this part never fails the check.
func (s *Source) Check(ctx context.Context) ([]extract.Finding, error) {
	feed := Feeds(s.o.Targets)[0]
	records := "at least one device"
	_, err := s.Pull(ctx, s.client, extract.Request{Feed: feed}, func(*extract.Record) error { return errSeenEnough })
	switch {
	case err == nil:
		records = "no device"
	case !errors.Is(err, errSeenEnough):
		return nil, err
	}
	var findings []extract.Finding
	if cert := s.client.Certificate(); cert != nil {
		f := extract.Finding{What: "TLS", Says: "the certificate is trusted"}
		if s.o.TLS.InsecureSkipVerify {
			f = extract.Finding{What: "TLS", Says: "any certificate is accepted: insecure_skip_verify is set", Warn: true}
		}
		f.Says += ", the server's is valid until " + cert.NotAfter.UTC().Format(time.DateOnly)
		findings = append(findings, f)
	}
	findings = append(findings,
		extract.Finding{What: "credentials", Says: fmt.Sprintf("the Portal accepts the user %q", s.o.User)},
		extract.Finding{What: "right to read", Says: fmt.Sprintf("%s answers in %s with %s", feed, s.o.Format, records)},
	)
	return append(findings, s.checkEngines(ctx)...), nil
}

func (s *Source) checkEngines(ctx context.Context) []extract.Finding {
	engines, err := s.engines.get(ctx, func(ctx context.Context) ([]engine, error) { return s.readEngines(ctx, s.client, &extract.Answer{}) })
	if err != nil {
		return []extract.Finding{{What: "engines", Says: "not known: " + err.Error()}}
	}
	findings := make([]extract.Finding, 0, len(engines))
	for _, e := range engines {
		f := extract.Finding{What: "engine " + e.Name, Says: fmt.Sprintf("%s, time zone %s, version %s", e.Status, e.Timezone, e.Version)}
		if !e.connected() {
			f.Warn = true
			f.Says += ": the devices of this engine may be missing or old"
		}
		findings = append(findings, f)
	}
	return findings
}
