package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/meterhouse/meterhouse/cmd/internal/config"
)

func (a *App) initCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "init",
		Short: "Write a commented starter configuration",
		Long:  `Writes a starter configuration to --config, $METERHOUSE_CONFIG, or ./meterhouse.yaml. An existing file is left alone.`,
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			path := config.Path(a.configPath, a.Env)
			f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // the user names the file
			if errors.Is(err, fs.ErrExist) {
				return fmt.Errorf("%s is already there and is left as it is; move it away, or name another file with --config", path)
			}
			if err != nil {
				return fmt.Errorf("writing the starter configuration: %w", err)
			}
			if _, err = f.WriteString(config.Starter()); err != nil {
				_ = f.Close()
				return fmt.Errorf("writing the starter configuration: %w", err)
			}
			if err := f.Close(); err != nil {
				return fmt.Errorf("writing the starter configuration: %w", err)
			}
			a.say("Wrote %s. Edit it, put the secrets into the files that it names, then run:\n"+
				"  meterhouse check\n  meterhouse sync", path)
			return nil
		},
	}
}
