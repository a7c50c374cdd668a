// Command meterhouse pulls license usage and software metering out of the
// systems that measure it and publishes it in ClickHouse.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/meterhouse/meterhouse/cmd/internal/cli"
	"github.com/meterhouse/meterhouse/cmd/internal/config"
)

// version is set by the linker; without it the build information speaks.
var version string

func main() {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	app := cli.App{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Signals: signals, Insisted: func() { signal.Stop(signals) }, Env: config.Env, Version: cli.Version(version),
	}
	os.Exit(app.Run(context.Background(), os.Args[1:]))
}
