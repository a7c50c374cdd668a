package wire

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/meterhouse/meterhouse/cmd/internal/config"
	"github.com/meterhouse/meterhouse/etl/archive"
	"github.com/meterhouse/meterhouse/etl/run"
	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/extract/bigfix"
	"github.com/meterhouse/meterhouse/schema"
)

// amazon is where a bucket without an endpoint is.
const amazon = "s3.amazonaws.com"

// Archive opens the configured archive; nil when there is none. It touches
// neither folder nor bucket.
func Archive(c config.Archive) (*archive.Archive, error) {
	if c.URL == nil {
		return nil, nil
	}
	o := archive.Options{KeepDays: c.KeepDays}
	if c.URL.Scheme == "file" {
		o.Dir = filepath.FromSlash(c.URL.Path)
	} else {
		o.Bucket = archive.Bucket{
			Endpoint: amazon, Region: c.Region, CAFile: c.CAFile,
			Name: c.URL.Host, Prefix: strings.Trim(c.URL.Path, "/"),
			AccessKey: c.AccessKey.Reveal, SecretKey: c.SecretKey.Reveal, SessionToken: c.SessionToken.Reveal,
		}
		if c.Endpoint != nil {
			o.Bucket.Endpoint, o.Bucket.Plain = c.Endpoint.Host, c.Endpoint.Scheme == "http"
		}
	}
	return archive.Open(o) //nolint:wrapcheck // says what it opened
}

// ReplaySources are the configured sources as a replay sees them: none can be
// asked, and none needs its secrets.
func ReplaySources(configured []config.Source) []run.Source {
	out := make([]run.Source, len(configured))
	for i, c := range configured {
		out[i] = settings(c)
		out[i].MaxRetries = 0 // the archive will say the same again
	}
	return out
}

// ReplayAPI makes what reads an archived load: the source as it was configured
// when the load was pulled, as far as that decides what the answers mean. All
// else, how dates are written for instance, is as it is configured now: it may be
// what the replay is for.
func ReplayAPI(c config.Source, m *archive.Manifest) (extract.Source, error) {
	if m.Load.Kind != c.Kind {
		return nil, fmt.Errorf("source %q is of kind %s, and load %d was pulled from one of kind %s", c.Name, c.Kind, m.LoadID(), m.Load.Kind)
	}
	c.TLS, c.Token = config.TLS{}, config.Secret{}
	c.User, c.Password = "replay", config.NewSecret("") // no request is made
	switch c.Kind {
	case schema.KindBigFix:
		queries := make([]extract.Query, len(m.Exchanges))
		for i, x := range m.Exchanges {
			queries[i] = extract.Query{Path: x.Path, Values: x.Query}
		}
		asked := bigfix.AskedFor(queries)
		c.ServerColumns, c.PageSize, c.Criteria, c.ProductTotals = asked.ServerColumns, asked.PageSize, asked.Criteria, asked.ProductTotals
	case schema.KindNexthink:
		name, list, _ := strings.Cut(m.Load.Feed, "/")
		t := m.Target
		if t == nil || list == "" {
			return nil, fmt.Errorf("the manifest of load %d names no target", m.LoadID())
		}
		c.Format = t.Format
		c.Targets = []config.Target{{
			Name: name, Metric: t.Metric, Program: t.Program, Hierarchy: t.Hierarchy, Path: t.Path,
			Lists: []string{list}, WindowDays: t.WindowDays,
		}}
	}
	return api(c, map[string]run.Feed{})
}
