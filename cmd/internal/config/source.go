package config

import (
	"crypto/x509"
	"fmt"
	"net/url"
	"strings"
	"time"
	_ "time/tzdata" // time zones on machines and in images that have none

	"github.com/robfig/cron/v3"

	"github.com/meterhouse/meterhouse/schema"
)

// source reads one entry of sources; guards and restatements are the file's own.
func (b *block) source(guards Guards, restatements Restatements) Source {
	s := Source{}
	s.Name = b.name()
	s.Kind = b.kind()
	s.URL = b.sourceURL(s.Kind)
	s.TLS = b.tls(s.URL)
	s.Location = b.location()
	s.Schedule = b.schedule(s.Kind)
	s.Start, s.HasStart = b.start(s.Location)
	s.RecheckDays = b.count("recheck_days", 3, 0)
	s.Parallel = b.count("parallel", 2, 1)
	s.MaxRetries = b.count("max_retries", 4, 0)
	s.RequestTimeout = b.duration("request_timeout", 10*time.Minute, time.Millisecond)
	s.MaxBytes = b.size("max_bytes", 8<<30, 1)
	s.Guards = b.block("guards").guards(guards)
	s.Restatements = b.block("restatements").restatements(restatements)

	switch s.Kind {
	case schema.KindBigFix:
		b.bigfix(&s)
		b.refuse("is a key of nexthink sources, this one is of kind bigfix", nexthinkKeys()...)
	case schema.KindNexthink:
		b.nexthink(&s)
		b.refuse("is a key of bigfix sources, this one is of kind nexthink", bigfixKeys()...)
	default: // reported already; which of these belong here cannot be told
		b.known = append(b.known, bigfixKeys()...)
		b.known = append(b.known, nexthinkKeys()...)
		b.known = append(b.known, "user", "password", "password_file", "password_env")
	}
	b.done()
	return s
}

// name reads a name that becomes part of feeds, logs and file names.
func (b *block) name() string {
	name, ok := b.required("name", "give it a short name that stays: the warehouse knows it by this")
	const longest = 100
	odd := strings.ContainsFunc(name, func(c rune) bool { return !isWordByte(c) && c != '.' && c != '-' })
	if ok && (odd || len(name) > longest || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "-")) {
		b.fault("name", name, "is not a good name", "use letters, digits, . _ - and begin with a letter or digit")
	}
	return name
}

func isWordByte(c rune) bool {
	return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
}

func (b *block) kind() string {
	kind, ok := b.required("kind", "write bigfix or nexthink")
	if !ok || !b.r.oneOf(b.place("kind"), kind, schema.KindBigFix, schema.KindNexthink) {
		return ""
	}
	return kind
}

func (b *block) sourceURL(kind string) *url.URL {
	example := "write https://bigfix.example.com:9081"
	if kind == schema.KindNexthink {
		example = "write https://portal.example.com"
	}
	raw, ok := b.required("url", example)
	if !ok {
		return nil
	}
	u, err := url.Parse(strings.TrimRight(raw, "/"))
	switch {
	case strings.Contains(raw, "@"):
		b.fault("url", showURL(raw), "holds a user, and URLs are shown", "use the keys user and password_file")
	case err != nil:
		b.fault("url", showURL(raw), whyNotURL(raw, err), example)
	case u.Scheme != "https" && u.Scheme != "http":
		b.fault("url", showURL(raw), "must begin with https://", example)
	case !goodHost(u.Hostname()) || (u.Port() != "" && !goodPort(u.Port())):
		b.fault("url", showURL(raw), "has no usable host", example)
	case u.RawQuery != "" || u.Fragment != "":
		b.fault("url", showURL(raw), "has a part after ? or #", "end it before that")
	default:
		if u.Scheme == "http" && !isLoopback(u.Hostname()) {
			b.warn("url", showURL(raw), "sends credentials and data unencrypted", "use https://")
		}
		return u
	}
	return nil
}

func (b *block) tls(u *url.URL) TLS {
	t := b.block("tls")
	conf := TLS{ServerName: t.str("server_name", ""), InsecureSkipVerify: t.boolean("insecure_skip_verify", false)}
	if file := t.str("ca_file", ""); file != "" {
		conf.CAFile = t.caFile("ca_file", file, b.r.openSources)
	}
	t.done()
	if conf.InsecureSkipVerify {
		t.warn("insecure_skip_verify", "", "lets anybody on the way read the credentials", "name the server's authority in ca_file instead")
	}
	if u != nil && u.Scheme == "http" && conf != (TLS{}) {
		b.warn("tls", "", "has no effect on an http:// URL", "use https:// or remove it")
	}
	return conf
}

// caFile checks a PEM file of certificates and gives its absolute path.
func (b *block) caFile(key, file string, open bool) string {
	const maxBytes = 4 << 20
	path := b.r.abs(file)
	if !open {
		return path
	}
	pem, err := readLimited(path, maxBytes)
	if err != nil {
		b.fault(key, file, "cannot be read: "+cause(err), "name a PEM file with the authority's certificate")
		return path
	}
	if !x509.NewCertPool().AppendCertsFromPEM(pem) {
		b.fault(key, file, "holds no certificate in PEM form", "it must hold a line -----BEGIN CERTIFICATE-----")
	}
	return path
}

func (b *block) location() *time.Location {
	zone := b.str("timezone", "UTC")
	loc, err := time.LoadLocation(zone)
	if err != nil || zone == "" || zone == "Local" {
		b.fault("timezone", zone, "is not a time zone", "write a name of the IANA database, such as Europe/Berlin or UTC")
		return time.UTC
	}
	return loc
}

func (b *block) schedule(kind string) string {
	const example = `write five fields (minute hour day month weekday), such as "0 6 * * *"`
	spec := b.str("schedule", "0 6 * * *")
	if strings.HasPrefix(spec, "TZ=") || strings.HasPrefix(spec, "CRON_TZ=") {
		b.fault("schedule", spec, "names a time zone", "write it into the key timezone")
		return spec
	}
	parsed, err := cron.ParseStandard(spec)
	if err != nil {
		b.fault("schedule", spec, "is not a cron spec: "+err.Error(), example)
		return spec
	}
	if parsed.Next(b.r.now).IsZero() {
		b.fault("schedule", spec, "never comes", example)
		return spec
	}
	if kind == schema.KindNexthink && runsAtNight(parsed) {
		b.warn("schedule", spec, "runs between 00:00 and 05:00, while the portal computes the day", `"0 6 * * *" is after it`)
	}
	return spec
}

func runsAtNight(s cron.Schedule) bool {
	spec, ok := s.(*cron.SpecSchedule)
	if !ok {
		return true // @every goes round the clock
	}
	const nightHours = 0b11111 // 0 to 4
	return spec.Hour&nightHours != 0
}

func (b *block) start(loc *time.Location) (schema.Day, bool) {
	e, given := b.value("start")
	if !given {
		return 0, false
	}
	text := raw(e.node)
	day, err := schema.ParseDay(text)
	if err != nil {
		b.fault("start", text, "is not a date that the warehouse can hold", "write YYYY-MM-DD from 1970-01-01 on, such as 2025-01-01")
		return 0, false
	}
	if today := schema.DayOf(b.r.now, loc); day > today {
		b.warn("start", text, fmt.Sprintf("is in the future (today is %s)", today), "nothing is caught up on before that day")
	}
	return day, true
}
