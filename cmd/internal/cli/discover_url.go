package cli

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meterhouse/meterhouse/cmd/internal/config"
	"github.com/meterhouse/meterhouse/cmd/internal/wire"
	"github.com/meterhouse/meterhouse/extract/nexthink"
	"github.com/meterhouse/meterhouse/schema"
)

// discoverURL prints the target for a pasted URL, and says whether its server is
// that of the named source, or of any when the name is "". It is for the time
// when the configuration is being written, so one that cannot be read is no
// reason to stop.
func (a *App) discoverURL(cmd *cobra.Command, source, pasted string) error {
	found, err := nexthink.TargetFromURL(pasted)
	if err != nil {
		return usagef("%w", err)
	}
	cfg, err := config.LoadForWarehouse(a.configPath, a.Env)
	switch {
	case found.Server == nil:
	case err != nil:
		a.say("The server of the URL, %s, is not compared: there is no configuration that can be read.", found.Server)
	default:
		if err := (&filters{source: source}).check(wire.Feeds(cfg.Sources)); err != nil {
			return err
		}
		a.say("%s", whoseServer(found.Server, source, cfg.Sources))
	}
	for _, note := range found.Notes {
		a.say("warning: %s", note)
	}
	t := found.Target
	a.say("Paste this below `targets:` of the source. Choose the name now, it stands in every row; `lists: [installed, underusage]` pulls both lists,\n" +
		"and `window_days` may hold the look-back window that is set in the metric.")
	_, err = fmt.Fprint(cmd.OutOrStdout(), config.TargetYAML(config.Target{
		Name: t.Name, Metric: t.Metric, Program: t.Program, Hierarchy: t.Hierarchy, Path: t.Path, Lists: t.Lists,
	}))
	if err != nil {
		return fmt.Errorf("writing the target: %w", err)
	}
	return nil
}

// whoseServer says which source has the server, or that none has.
func whoseServer(server *url.URL, source string, sources []config.Source) string {
	var others []string
	for _, s := range sources {
		if s.Kind != schema.KindNexthink || s.URL == nil || source != "" && s.Name != source {
			continue
		}
		if sameServer(s.URL, server) {
			return fmt.Sprintf("The server of the URL is that of source %q.", s.Name)
		}
		others = append(others, fmt.Sprintf("%q has %s", s.Name, s.URL.Host))
	}
	if len(others) == 0 {
		return fmt.Sprintf("warning: the server of the URL, %s, is not configured: no nexthink source is.", server)
	}
	return fmt.Sprintf("warning: the server of the URL, %s, is not that of a configured source: %s.", server, strings.Join(others, ", "))
}

// sameServer compares host and port.
func sameServer(x, y *url.URL) bool {
	return strings.EqualFold(x.Hostname(), y.Hostname()) && port(x) == port(y)
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	return map[string]string{"http": "80", "https": "443"}[u.Scheme]
}
