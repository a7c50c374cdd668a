package cli

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/meterhouse/meterhouse/cmd/internal/config"
	"github.com/meterhouse/meterhouse/cmd/internal/wire"
	"github.com/meterhouse/meterhouse/etl/run"
	"github.com/meterhouse/meterhouse/extract"
)

func (a *App) discoverCommand() *cobra.Command {
	var source, pasted string
	cmd := &cobra.Command{
		Use:   "discover {--source NAME | --url 'URL'}",
		Short: "Show what a server offers, or make a target of a portal's URL",
		Long: `With --source: prints the server's own description of what can be pulled from it, as
it came. Of a bigfix source these are the schemas of the endpoints that Meterhouse
asks; a column that is asked for and not named there is warned of on stderr, where
the server's version stands, too.

With --url, for a Nexthink Portal, which describes nothing: prints the target to paste
into the configuration for what the URL asks for. Open
https://PORTAL/api/softwaremetering/v1 in a browser, pick metric, hierarchy, program
and node, follow a link such as Installed (json), and copy the URL of the page. The
portal is not asked; --source names the source that the URL should belong to.`,
		Example: "  meterhouse discover --source bfi-emea | jq .\n" +
			"  meterhouse discover --url 'https://portal.example.com/api/softwaremetering/v1/details?metric=...'",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case pasted != "":
				return a.discoverURL(cmd, source, pasted)
			case source == "":
				return usagef("discover needs --source or --url\nSee '%s --help'.", cmd.CommandPath())
			}
			cfg, _, err := a.loadConfig(config.Load, false)
			if err != nil {
				return err
			}
			if err := (&filters{source: source}).check(wire.Feeds(cfg.Sources)); err != nil {
				return err
			}
			return a.discover(cmd, cfg, source)
		},
	}
	cmd.Flags().StringVar(&source, "source", "", "the source to ask, or that the URL belongs to")
	cmd.Flags().StringVar(&pasted, "url", "", "URL that a portal's discovery tool shows, in single quotes")
	return cmd
}

// discover shows what the server of a source offers.
func (a *App) discover(cmd *cobra.Command, cfg *config.Config, name string) error {
	sources, err := wire.Sources(cfg.Sources)
	if err != nil {
		return err //nolint:wrapcheck // names the source
	}
	source := sources[slices.IndexFunc(sources, func(s run.Source) bool { return s.Name == name })]
	api, ok := source.API.(extract.Discoverer)
	if !ok {
		return usagef("source %q is of kind %s, whose servers describe nothing; the URL of its discovery tool's details can be given with --url", name, source.Kind)
	}
	findings, err := api.Discover(cmd.Context(), cmd.OutOrStdout())
	for _, f := range findings {
		result := ""
		if f.Warn {
			result = "warning: "
		}
		a.say("%s%s, %s: %s", result, name, f.What, f.Says)
	}
	return err //nolint:wrapcheck // the source's own error
}
