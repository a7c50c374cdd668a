package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/meterhouse/meterhouse/schema"
)

func (a *App) simulateCommand() *cobra.Command {
	var o estateOptions
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Serve simulated sources, to try a configuration against",
		Long: `Serves a simulated BigFix Inventory and a simulated Nexthink Portal on loopback,
with TLS and authentication like the real ones, until it is interrupted. It writes
a configuration that reaches them, with its secrets and CA files, into --dir.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := os.MkdirAll(o.dir, 0o700); err != nil {
				return fmt.Errorf("making the folder for the configuration: %w", err)
			}
			file := filepath.Join(o.dir, "meterhouse.yaml")
			if text, err := os.ReadFile(file); err == nil && !strings.HasPrefix(string(text), simulatedMark) { //nolint:gosec // the user names the folder
				return fmt.Errorf("%s was not written by a simulation and is left as it is; name another folder with --dir", file)
			}
			o.now = time.Now
			o.start = schema.DayOf(o.now(), time.UTC) - demoDays
			e, err := startEstate(cmd.Context(), o)
			if err != nil {
				return err
			}
			defer e.close()
			a.say("Simulated BigFix Inventory: %s\nSimulated Nexthink Portal:  %s\nIn another terminal:\n"+
				"  meterhouse --config %s check\n  meterhouse --config %s sync\nCtrl-C ends the simulation.",
				e.bigfix.URL, e.nexthink.URL, e.configFile, e.configFile)
			<-cmd.Context().Done()
			return nil
		},
	}
	cmd.Flags().StringVar(&o.dir, "dir", "simulated", "folder for the configuration, its secrets and CA files")
	cmd.Flags().StringVar(&o.bigfixAddr, "bigfix", "127.0.0.1:0", "address of the simulated BigFix Inventory")
	cmd.Flags().StringVar(&o.nexthinkAddr, "nexthink", "127.0.0.1:0", "address of the simulated Nexthink Portal")
	cmd.Flags().IntVar(&o.rows, "rows", 500, "rows of license usage on a working day")
	cmd.Flags().IntVar(&o.devices, "devices", 2000, "devices that the portal knows")
	return cmd
}
