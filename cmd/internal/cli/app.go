// Package cli holds the commands, one file each. A command parses its words,
// has the other rooms do the work, and says what came of it: data on stdout,
// logs and progress on stderr.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// Exit codes. They are a contract with scripts.
const (
	exitOK          = 0
	exitCannotRun   = 1
	exitUsage       = 2
	exitIncomplete  = 3
	exitInterrupted = 130
)

// App is the program with all that it takes from the outside.
type App struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Signals carries the requests to stop: the first asks, the second insists.
	Signals <-chan os.Signal
	// Insisted is called at the second signal, or when the limit of the first has
	// passed: from then on signals shall have their usual effect, so that one more
	// ends the process whatever it does.
	Insisted func()
	// Env is asked for METERHOUSE_* and for the variables that the
	// configuration names.
	Env     func(string) string
	Version string

	stop       *stop
	configPath string
	verbose    bool
}

// Run executes one command line and returns the exit code.
func (a *App) Run(ctx context.Context, args []string) int {
	root := a.root()
	out := &checkedWriter{Writer: a.Stdout}
	root.SetArgs(args)
	root.SetIn(a.Stdin)
	root.SetOut(out)
	root.SetErr(a.Stderr)

	a.stop = newStop(ctx, a.Signals, a.Insisted)
	defer a.stop.release()
	err := root.ExecuteContext(a.stop.soft) //nolint:contextcheck // it comes from ctx, by way of the stop
	if err == nil && out.err != nil {
		err = fmt.Errorf("writing the answer: %w", out.err)
	}
	code := exitCode(err, a.stop)
	if err != nil && !errors.Is(err, errSaid) {
		fmt.Fprintln(a.Stderr, "meterhouse: "+err.Error())
	}
	return code
}

// checkedWriter remembers that data could not be written: a full disk must not
// look like a complete answer.
type checkedWriter struct {
	io.Writer
	err error
}

func (w *checkedWriter) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	if err != nil && w.err == nil {
		w.err = err
	}
	return n, err
}

// errSaid ends a command that has already told the user what happened.
var errSaid = errors.New("said")

// incomplete ends a command that ran, but whose slices are not all published.
var errIncomplete = fmt.Errorf("some slices are not published: %w", errSaid)

// usageError marks a mistake in the words of the command line.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

func exitCode(err error, s *stop) int {
	var (
		usage *usageError
		conf  *configError
	)
	switch {
	case err == nil:
		return exitOK
	case s.asked():
		return exitInterrupted
	case errors.As(err, &usage), errors.As(err, &conf):
		return exitUsage
	case errors.Is(err, errIncomplete):
		return exitIncomplete
	default:
		return exitCannotRun
	}
}

func (a *App) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "meterhouse",
		Short: "License usage and software metering, published in ClickHouse once and whole",
		Long: `Meterhouse pulls daily license usage (HCL BigFix Inventory, IBM License Metric
Tool) and software metering (Nexthink Portal) and publishes it in ClickHouse, one
day at a time, exactly once.

Begin with "meterhouse demo", which needs no server, or with "meterhouse init".

Exit codes: 0 everything asked for is published or unchanged; 1 it could not run;
2 usage or configuration; 3 it ran, but some slices failed or were refused;
130 interrupted.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE:          unknownCommand,
	}
	root.SuggestionsMinimumDistance = 2
	root.PersistentFlags().StringVarP(&a.configPath, "config", "c", "",
		"configuration file (default $METERHOUSE_CONFIG, else ./meterhouse.yaml)")
	root.PersistentFlags().BoolVarP(&a.verbose, "verbose", "v", false,
		"write the log, at the configured level, beside the progress")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		var number *strconv.NumError
		if errors.As(err, &number) {
			return usagef("%sit is not a whole number\nSee '%s --help'.", strings.TrimSuffix(err.Error(), number.Error()), cmd.CommandPath())
		}
		return usagef("%w\nSee '%s --help'.", err, cmd.CommandPath())
	})
	root.AddCommand(
		a.initCommand(), a.checkCommand(), a.discoverCommand(), a.migrateCommand(), a.planCommand(),
		a.syncCommand(), a.backfillCommand(), a.runCommand(), a.statusCommand(),
		a.diffCommand(), a.acceptCommand(), a.rollbackCommand(), a.pruneCommand(),
		a.replayCommand(), a.traceCommand(), a.archiveCommand(),
		a.queryCommand(), a.demoCommand(), a.simulateCommand(), a.versionCommand(),
	)
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() == "completion" {
			c.Args, c.RunE = cobra.ArbitraryArgs, unknownCommand // a shell that is not supported
		}
	}
	return root
}

func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	msg := fmt.Sprintf("there is no command %q", args[0])
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		msg += "; did you mean " + strings.Join(near, " or ") + "?"
	}
	return usagef("%s\nSee '%s --help'.", msg, cmd.CommandPath())
}

// noArgs refuses words that a command does not take.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%q is one word too many\nSee '%s --help'.", args[0], cmd.CommandPath())
	}
	return nil
}

// say writes a line for the person at the terminal.
func (a *App) say(format string, args ...any) { fmt.Fprintf(a.Stderr, format+"\n", args...) }

// isTerminal reports whether w is a terminal.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// colours reports whether data on stdout may have colours: on a terminal that
// shows them, unless the user does not want any.
func (a *App) colours() bool {
	return isTerminal(a.Stdout) && a.Env("NO_COLOR") == "" && a.Env("TERM") != "dumb"
}
