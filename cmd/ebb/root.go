package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"ebb/pipeline"
)

// Exit codes; 128 + n says that signal n cut the work short.
const (
	exitOK       = 0
	exitFailed   = 1
	exitUsage    = 2
	exitHardStop = 3
	exitSignal   = 128
)

// app is what the commands share: the environment and the flags of every command.
type app struct {
	environ []string
	file    string // -c
}

// config reads the configuration with what the command line overrides.
func (a *app) config(flags ...flagValue) (*Config, error) {
	return loadConfig(a.file, a.environ, readFile, flags...)
}

// readFile is how the configuration's files are read.
func readFile(name string) ([]byte, error) { return os.ReadFile(name) }

// newRootCommand builds the whole command tree. environ is the process's environment.
func newRootCommand(environ []string) *cobra.Command {
	a := &app{environ: environ}
	root := &cobra.Command{
		Use:   "ebb",
		Short: "Churn-risk alerts from a stream of customer events",
		Long: `ebb reads customer events from Kafka, keeps what it knows of each customer in Redis, and publishes an alert to Kafka when
a customer is about to leave, silence included. Every event counts once, every alert is sent once.`,
		Example: "  ebb demo                        # watch it work, nothing to install\n" +
			"  ebb check --create              # are Kafka and Redis fit for it?\n" +
			"  ebb run                         # process events into alerts\n" +
			"  ebb produce purchases.csv.gz    # an event log into the input topic\n" +
			"  ebb alerts --from-start         # what was decided",
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          unknownCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.PersistentFlags().StringVarP(&a.file, "config", "c", "", "configuration `FILE` (YAML); none: defaults and EBB_ variables")
	root.SetFlagErrorFunc(wrongFlag)
	wrapHelp(root, environ)
	for _, group := range []struct {
		title    string
		commands []*cobra.Command
	}{
		{"Try it, with nothing to install:", []*cobra.Command{newDemoCommand(a), newBacktestCommand(a), newSimulateCommand()}},
		{"Run it:", []*cobra.Command{newCheckCommand(a), newRunCommand(a), newHealthCommand(a), newRebuildCommand(a)}},
		{"What goes in and what comes out:", []*cobra.Command{newProduceCommand(a), newAlertsCommand(a), newExplainCommand(a), newDLQCommand(a)}},
		{"What makes a customer at risk:", []*cobra.Command{newInspectCommand(a), newPacksCommand(a)}},
	} {
		root.AddGroup(&cobra.Group{ID: group.title, Title: group.title})
		for _, cmd := range group.commands {
			cmd.GroupID = group.title
			root.AddCommand(cmd)
		}
	}
	checkHelp(root)
	return root
}

// usageError is a command line that cannot be carried out.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// troubledError is what kept a comparison from being made: exit code 1 is taken by "they differ", as in diff and cmp.
type troubledError struct{ error }

func (e troubledError) Unwrap() error { return e.error }

// advisedError is an error with what to do about it.
type advisedError struct {
	error
	do string // one or more lines, commands among them
}

func (e advisedError) Unwrap() error { return e.error }

// advise adds what to do to err.
func advise(err error, format string, args ...any) error {
	return advisedError{err, fmt.Sprintf(format, args...)}
}

// stoppedBy is the signal that cut the work short, as the cause of a cancelled context.
type stoppedBy struct{ signal syscall.Signal }

func (e stoppedBy) Error() string {
	if e.signal == syscall.SIGINT {
		return "stopped by Ctrl-C"
	}
	return "stopped by SIGTERM"
}

// endedBadly is what went wrong in a work that a signal ends in peace, and is told although there was one.
type endedBadly struct{ error }

func (e endedBadly) Unwrap() error { return e.error }

// stopCause is the signal behind a cancelled context, else the context's own error.
func stopCause(ctx context.Context) error { return context.Cause(ctx) }

// report prints err, once and in plain words, and returns the exit code it stands for.
func report(ctx context.Context, s screen, cmd *cobra.Command, err error) int {
	if err == nil {
		return exitOK
	}
	if cause, ok := errors.AsType[stoppedBy](context.Cause(ctx)); ok && !errors.As(err, new(endedBadly)) {
		if !errors.As(err, new(stoppedBy)) {
			err = cause // what the end of the context broke is not worth telling
		}
		s.say("", "  ", cmd.CommandPath()+": "+err.Error())
		return exitSignal + int(cause.signal)
	}
	text := err.Error()
	denied, refused := errors.AsType[*pipeline.Denied](err)
	if refused {
		text = strings.Replace(text, "; "+denied.Do, "", 1) // it has a line of its own
	}
	if !errors.Is(err, errReported) {
		s.say("", "  ", cmd.CommandPath()+": "+text)
	}
	if refused {
		s.say("  ", "", denied.Do)
	}
	if advised, ok := errors.AsType[advisedError](err); ok {
		s.say("  ", "", advised.do)
	}
	switch {
	case errors.As(err, new(usageError)):
		s.say("  ", "", "see: "+cmd.CommandPath()+" --help")
		return exitUsage
	case errors.As(err, new(configProblems)), errors.As(err, new(troubledError)):
		return exitUsage
	case errors.As(err, new(*pipeline.HardStop)):
		return exitHardStop
	}
	return exitFailed
}

// errReported marks a failure that the command has already shown in its own output.
var errReported = errors.New("already reported")
