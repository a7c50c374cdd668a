package bigfix

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/meterhouse/meterhouse/extract"
)

const (
	aboutPath  = "api/sam/about"
	aboutLimit = 1 << 20
	// renewSoon is how long before its end a certificate is worth a warning.
	renewSoon = 21 * 24 * time.Hour
)

// Check asks for one row of yesterday's license usage of every computer group,
// which proves TLS, the token and the right to read at once, and for the
// server's version. A group that may not be read is a finding and the error;
// the other groups are still looked at. Everything else ends the check.
func (s *Source) Check(ctx context.Context) ([]extract.Finding, error) {
	var findings []extract.Finding
	var first error
	yesterday := time.Now().UTC().AddDate(0, 0, -1).Format(time.DateOnly)
	for i, feed := range Feeds(s.o.Groups) {
		found, err := s.checkFeed(ctx, feed, yesterday)
		var e *extract.Error
		if errors.As(err, &e) && e.Class != extract.Forbidden {
			return findings, err
		}
		if i == 0 {
			// The server answered, be it with a no to this group.
			findings = append(findings, s.tlsFinding(), extract.Finding{What: "credentials", Says: "the server accepts the token"})
		}
		findings = append(findings, found...)
		if first == nil {
			first = err
		}
	}
	findings = append(findings, s.version(ctx))
	if s.o.WaitForImport {
		findings = append(findings, s.importFinding(ctx))
	}
	return findings, first
}

// checkFeed asks for one row of each list with all that a pull would ask for.
func (s *Source) checkFeed(ctx context.Context, feed, day string) ([]extract.Finding, error) {
	const what = "right to read"
	p := s.newPull(s.client, day, GroupOf(feed), 1, func(*extract.Record) error { return nil })
	for _, l := range s.lists() {
		p.begin(l)
		p.pages.limit = 0 // one row of many: whether it is complete does not matter
		_, err := p.page(ctx)
		var e *extract.Error
		switch {
		case errors.As(err, &e):
			return []extract.Finding{{What: what, Says: fmt.Sprintf("feed %q: HTTP status %d; %s", feed, e.Status, e.Hint), Warn: true}}, err
		case err != nil:
			return nil, err
		}
	}
	says := fmt.Sprintf("feed %q can be read", feed)
	if p.answer.Records == 0 {
		says += fmt.Sprintf("; it has no usage on %s", day)
	}
	findings := []extract.Finding{{What: what, Says: says}}
	for _, note := range p.answer.Notes {
		findings = append(findings, extract.Finding{What: "server_columns", Says: note, Warn: true})
	}
	return findings, nil
}

// tlsFinding tells of the certificate that the server has shown.
func (s *Source) tlsFinding() extract.Finding {
	const what = "TLS"
	if s.o.URL.Scheme == "http" {
		host := s.o.URL.Hostname()
		ip := net.ParseIP(host)
		remote := host != "localhost" && (ip == nil || !ip.IsLoopback())
		return extract.Finding{What: what, Says: "not used: url begins with http://, so the token can be read on the way", Warn: remote}
	}
	cert := s.client.Certificate()
	until := cert.NotAfter.UTC().Format(time.DateOnly)
	switch {
	case s.o.TLS.InsecureSkipVerify:
		return extract.Finding{What: what, Says: "the certificate is not verified: tls.insecure_skip_verify is on", Warn: true}
	case time.Until(cert.NotAfter) < renewSoon:
		return extract.Finding{What: what, Says: "the certificate ends on " + until + ": have it renewed on the server", Warn: true}
	}
	return extract.Finding{What: what, Says: "the certificate is accepted; it is valid until " + until}
}

// version asks the server for its version. Older servers want the permission
// All Computers for it, so not being told is no fault.
func (s *Source) version(ctx context.Context) extract.Finding {
	const what = "version"
	response, err := s.client.Get(ctx, extract.Query{Path: aboutPath, Accept: jsonType})
	var e *extract.Error
	switch {
	case errors.As(err, &e) && e.Status == http.StatusForbidden:
		return extract.Finding{What: what, Says: "the token's user may not ask for it, which is no fault"}
	case errors.As(err, &e) && e.Status != 0:
		return extract.Finding{What: what, Says: fmt.Sprintf("the server does not tell it (HTTP status %d)", e.Status)}
	case err != nil:
		return extract.Finding{What: what, Says: "not learned: " + err.Error(), Warn: true}
	}
	defer response.Body.Close()
	var about struct {
		Version string `json:"version"`
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, aboutLimit)).Decode(&about); err != nil || strings.TrimSpace(about.Version) == "" {
		return extract.Finding{What: what, Says: "the server does not tell it"}
	}
	return extract.Finding{What: what, Says: s.client.Text([]byte(about.Version))}
}
