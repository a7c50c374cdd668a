package config

import (
	"math"
	"time"
)

// config reads the whole file.
func (b *block) config() *Config {
	c := &Config{}
	c.Warehouse = b.block("warehouse").warehouse()
	c.Guards = b.block("guards").guards(defaultGuards())
	c.Restatements = b.block("restatements").restatements(defaultRestatements())
	c.Sources = b.sources(c.Guards, c.Restatements)
	c.PublishDelay = b.publishDelay()
	if _, given := b.value("archive"); given {
		c.Archive = b.block("archive").archive()
	}
	if _, given := b.value("serve"); given {
		c.Serve = b.block("serve").serve()
	}
	c.Notify = b.notify()
	c.Log = b.block("log").log()
	b.done()
	return c
}

func (b *block) sources(guards Guards, restatements Restatements) []Source {
	entries := b.blocks("sources", "begin each source with a dash")
	if len(entries) == 0 {
		b.warn("sources", "", "is missing or empty: there is nothing to pull", "name at least one source")
	}
	var sources []Source
	names := map[string]place{}
	for _, entry := range entries {
		sources = append(sources, entry.source(guards, restatements))
		entry.unique(names)
	}
	return sources
}

// guards reads a block of guards over the given defaults.
func (b *block) guards(def Guards) Guards {
	g := Guards{
		MinRows:    uint64(b.whole("min_rows", int64(min(def.MinRows, math.MaxInt64)), 0, math.MaxInt64)), //nolint:gosec // bounded
		MaxShrink:  b.share("max_shrink", def.MaxShrink),
		MaxRejects: b.share("max_rejects", def.MaxRejects),
		AllowEmpty: b.boolean("allow_empty", def.AllowEmpty),
	}
	b.done()
	return g
}

// restatements reads a block over the given defaults.
func (b *block) restatements(def Restatements) Restatements {
	r := Restatements{AlertAbove: b.share("alert_above", def.AlertAbove)}
	b.done()
	return r
}

func (b *block) publishDelay() time.Duration {
	const shipped = time.Second
	d := b.duration("publish_delay", shipped, 0)
	if d < shipped {
		b.warn("publish_delay", d.String(), "is shorter than 1s", "a query that runs while a day is published may then see part of it")
	}
	return d
}

func (b *block) serve() Serve {
	s := Serve{Listen: b.str("listen", "127.0.0.1:8080")}
	b.done()
	host, ok := listenAddress(s.Listen)
	switch {
	case !ok:
		b.fault("listen", s.Listen, "is not host:port", "write 127.0.0.1:8080")
	case !isLoopback(host):
		b.warn("listen", s.Listen, "answers other machines, without TLS or a password", "listen on 127.0.0.1, or let only those who may know reach the port")
	}
	return s
}

func (b *block) log() Log {
	l := Log{
		Level:  b.choice("level", "info", "debug", "info", "warn", "error"),
		Format: b.choice("format", "json", "json", "console"),
	}
	b.done()
	return l
}
