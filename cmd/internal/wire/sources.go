package wire

import (
	"fmt"

	"github.com/meterhouse/meterhouse/cmd/internal/config"
	"github.com/meterhouse/meterhouse/etl/plan"
	"github.com/meterhouse/meterhouse/etl/run"
	"github.com/meterhouse/meterhouse/etl/serve"
	"github.com/meterhouse/meterhouse/extract"
	"github.com/meterhouse/meterhouse/extract/bigfix"
	"github.com/meterhouse/meterhouse/extract/nexthink"
	"github.com/meterhouse/meterhouse/schema"
)

// Who fills which contract.
var (
	_ extract.Source     = (*bigfix.Source)(nil)
	_ extract.Gate       = (*bigfix.Source)(nil)
	_ extract.Discoverer = (*bigfix.Source)(nil)
	_ extract.Source     = (*nexthink.Source)(nil)
	_ run.Warehouse      = warehouseForRun{}
	_ run.Versions       = warehouseForRun{}
	_ run.Stock          = warehouseForRun{}
	_ run.Observer       = (*serve.Metrics)(nil)
)

// Sources builds the configured sources. It reads CA files and sends nothing.
func Sources(configured []config.Source) ([]run.Source, error) {
	out := make([]run.Source, 0, len(configured))
	for _, c := range configured {
		s := settings(c)
		var err error
		if s.API, err = api(c, s.Feeds); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// settings is a source without the API that it is asked through.
func settings(c config.Source) run.Source {
	return run.Source{
		Name: c.Name, Kind: c.Kind, Location: c.Location,
		Parallel: c.Parallel, MaxRetries: c.MaxRetries, Guards: run.Guards(c.Guards),
		AlertAbove: c.Restatements.AlertAbove,
		Feeds:      map[string]run.Feed{},
		DateLayout: c.DateLayout, DecimalComma: c.DecimalComma,
	}
}

// api makes a source's API and notes what its feeds are.
func api(c config.Source, feeds map[string]run.Feed) (a extract.Source, err error) {
	switch c.Kind {
	case schema.KindBigFix:
		a, err = bigFix(c, feeds)
	case schema.KindNexthink:
		a, err = nexthinkPortal(c, feeds)
	default:
		panic("BUG: the configuration let kind " + c.Kind + " pass")
	}
	if err != nil {
		return nil, fmt.Errorf("source %q: %w", c.Name, err)
	}
	return a, nil
}

func bigFix(c config.Source, feeds map[string]run.Feed) (extract.Source, error) {
	for _, name := range bigfix.Feeds(c.ComputerGroups) {
		feeds[name] = run.Feed{ComputerGroup: bigfix.GroupOf(name)}
	}
	return bigfix.New(bigfix.Options{
		Name: c.Name, URL: c.URL, TLS: bigfix.TLSOptions{CAFile: c.TLS.CAFile, ServerName: c.TLS.ServerName, InsecureSkipVerify: c.TLS.InsecureSkipVerify},
		Token: c.Token.Reveal, User: c.User, Password: c.Password.Reveal, TokenIn: c.TokenIn,
		Groups: c.ComputerGroups, ServerColumns: c.ServerColumns, PageSize: c.PageSize, Criteria: c.Criteria,
		ProductTotals: c.ProductTotals, WaitForImport: c.WaitForImport, Location: c.Location,
		Parallel: c.Parallel, MaxRetries: c.MaxRetries, RequestTimeout: c.RequestTimeout, MaxBytes: c.MaxBytes,
	})
}

func nexthinkPortal(c config.Source, feeds map[string]run.Feed) (extract.Source, error) {
	targets := portalTargets(c.Targets)
	for i, t := range c.Targets {
		for j, feed := range nexthink.Feeds(targets[i : i+1]) {
			feeds[feed] = run.Feed{Target: schema.Target{
				Metric: t.Metric, Program: t.Program, Hierarchy: t.Hierarchy, Path: t.Path,
				List: t.Lists[j], WindowDays: t.WindowDays, Format: c.Format,
			}}
		}
	}
	return nexthink.New(nexthink.Options{
		Name: c.Name, URL: c.URL, TLS: nexthink.TLSOptions{CAFile: c.TLS.CAFile, ServerName: c.TLS.ServerName, InsecureSkipVerify: c.TLS.InsecureSkipVerify},
		User: c.User, Password: c.Password.Reveal, Format: c.Format, Aliases: c.Aliases, Targets: targets,
		Parallel: c.Parallel, MaxRetries: c.MaxRetries, RequestTimeout: c.RequestTimeout, MaxBytes: c.MaxBytes,
	})
}

func portalTargets(configured []config.Target) []nexthink.Target {
	out := make([]nexthink.Target, len(configured))
	for i, t := range configured {
		out[i] = nexthink.Target{
			Name: t.Name, Metric: t.Metric, Program: t.Program,
			Hierarchy: t.Hierarchy, Path: t.Path, Lists: t.Lists, WindowDays: int(t.WindowDays),
		}
	}
	return out
}

// Feeds lists the feeds of all sources as a plan needs them, in the order of
// the configuration.
func Feeds(configured []config.Source) []plan.Feed {
	var out []plan.Feed
	for _, c := range configured {
		f := plan.Feed{
			Source: c.Name, Kind: c.Kind, Location: c.Location, History: c.Kind == schema.KindBigFix,
			Start: c.Start, HasStart: c.HasStart, RecheckDays: c.RecheckDays,
			DeepDays: c.RecheckDeep.Days, DeepEvery: c.RecheckDeep.Every,
		}
		names := nexthink.Feeds(portalTargets(c.Targets))
		if c.Kind == schema.KindBigFix {
			names = bigfix.Feeds(c.ComputerGroups)
		}
		for _, name := range names {
			f.Feed = name
			out = append(out, f)
		}
	}
	return out
}
