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
	var source string
	cmd := &cobra.Command{
		Use:   "discover --source NAME",
		Short: "Show what a source's server says that it offers",
		Long: `Prints the server's own description of what can be pulled from it, as it came. Of a
bigfix source these are the schemas of the endpoints that Meterhouse asks; a column
that is asked for and not named there is warned of on stderr, where the server's
version stands, too.`,
		Example: "  meterhouse discover --source bfi-emea | jq .",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if source == "" {
				return usagef("discover needs --source")
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
	cmd.Flags().StringVar(&source, "source", "", "the source to ask")
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
		return usagef("source %q is of kind %s, whose servers describe nothing", name, source.Kind)
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
