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

// Check asks for one list of every target and stops reading after the first
// record: that proves TLS, credentials, the right to read, that the target is
// there and that the answer is understood. A target that is not is a finding and
// the error; the others are still looked at. Everything else ends the check. It
// then asks which Engines the Portal is connected to; an account may well not be
// allowed to know that, so this part never fails the check.
func (s *Source) Check(ctx context.Context) ([]extract.Finding, error) {
	var findings []extract.Finding
	var first error
	accepted := false
	for i := range s.o.Targets {
		found, err := s.checkTarget(ctx, Feeds(s.o.Targets[i : i+1])[0])
		var e *extract.Error
		if errors.As(err, &e) && e.Class != extract.BadRequest && e.Class != extract.Forbidden {
			return findings, err
		}
		if err == nil && !accepted {
			accepted = true
			findings = append(findings, s.acceptedFindings()...)
		}
		if first == nil {
			first = err
		}
		findings = append(findings, found)
	}
	if first != nil {
		return findings, first
	}
	return append(findings, s.checkEngines(ctx)...), nil
}

// checkTarget asks for a feed of a target.
func (s *Source) checkTarget(ctx context.Context, feed string) (extract.Finding, error) {
	const what = "right to read"
	records := "at least one device"
	_, err := s.Pull(ctx, s.client, extract.Request{Feed: feed}, func(*extract.Record) error { return errSeenEnough })
	var e *extract.Error
	switch {
	case err == nil:
		records = "no device; if there should be one, the account may not see it"
	case errors.As(err, &e):
		return extract.Finding{What: what, Says: fmt.Sprintf("%s: HTTP status %d; %s", feed, e.Status, e.Hint), Warn: true}, err
	case !errors.Is(err, errSeenEnough):
		return extract.Finding{}, err
	}
	return extract.Finding{What: what, Says: fmt.Sprintf("%s answers in %s with %s", feed, s.o.Format, records)}, nil
}

// acceptedFindings tell of what the first answer has proved for all.
func (s *Source) acceptedFindings() []extract.Finding {
	var findings []extract.Finding
	if cert := s.client.Certificate(); cert != nil {
		f := extract.Finding{What: "TLS", Says: "the certificate is trusted"}
		if s.o.TLS.InsecureSkipVerify {
			f = extract.Finding{What: "TLS", Says: "any certificate is accepted: insecure_skip_verify is set", Warn: true}
		}
		f.Says += ", the server's is valid until " + cert.NotAfter.UTC().Format(time.DateOnly)
		findings = append(findings, f)
	}
	return append(findings, extract.Finding{What: "credentials", Says: fmt.Sprintf("the Portal accepts the user %q", s.o.User)})
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
