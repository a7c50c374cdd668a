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
	c.Sources = b.sources(c.Guards)
	c.PublishDelay = b.publishDelay()
	if _, given := b.value("archive"); given {
		c.Archive = b.block("archive").archive()
	}
	c.Serve = b.block("serve").serve()
	c.Log = b.block("log").log()
	b.done()
	return c
}

func (b *block) sources(guards Guards) []Source {
	entries := b.blocks("sources", "begin each source with a dash")
	if len(entries) == 0 {
		b.warn("sources", "", "is missing or empty: there is nothing to pull", "name at least one source")
	}
	var sources []Source
	names := map[string]place{}
	for _, entry := range entries {
		sources = append(sources, entry.source(guards))
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
	if _, ok := listenAddress(s.Listen); !ok {
		b.fault("listen", s.Listen, "is not host:port", "write 127.0.0.1:8080")
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
