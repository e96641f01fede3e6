package main

import (
	"context"
	"errors"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/config"
	"ebb/cmd/ebb/terminal"
	"ebb/pipeline"
	"ebb/scoring/pack"
)

// Exit codes; 128 + n means that signal n cut the work short.
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

// config reads the configuration with the overrides of the command line.
func (a *app) config(flags ...config.Override) (*config.Config, error) {
	return config.Load(a.file, a.environ, os.ReadFile, flags...)
}

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
			"  ebb alerts --until-end          # what was decided",
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          unknownCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.PersistentFlags().
		StringVarP(&a.file, "config", "c", "", "configuration `FILE` (YAML); none: defaults and EBB_ variables")
	root.SetFlagErrorFunc(wrongFlag)
	wrapHelp(root, environ)
	for _, group := range []struct {
		title    string
		commands []*cobra.Command
	}{
		{
			"Try it, with nothing to install:",
			[]*cobra.Command{newDemoCommand(a), newBacktestCommand(a), newSimulateCommand()},
		},
		{"Run it:", []*cobra.Command{
			newCheckCommand(a), newRunCommand(a), newHealthCommand(a), newRebuildCommand(a), newRepairCommand(a),
			newReplayCommand(a), newReleaseCommand(a), newSilenceCommand(a),
			newEraseCommand(a), newReportCommand(a),
		}},
		{
			"What goes in and what comes out:",
			[]*cobra.Command{
				newProduceCommand(a), newAlertsCommand(a), newDecisionsCommand(a), newDeliverCommand(a), newExplainCommand(a),
				newDLQCommand(a),
			},
		},
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

// troubledError is what prevented a comparison. It has an exit code of its own, since 1 means "they differ", as in diff
// and cmp.
type troubledError struct{ error }

func (e troubledError) Unwrap() error { return e.error }

// endedBadly is an error of work that normally ends with a signal. It is reported even though a signal came.
type endedBadly struct{ error }

func (e endedBadly) Unwrap() error { return e.error }

// report prints err, once and in plain words, and returns its exit code.
func report(ctx context.Context, s terminal.Screen, cmd *cobra.Command, err error) int {
	if err == nil {
		return exitOK
	}
	if cause, ok := errors.AsType[advice.Stopped](context.Cause(ctx)); ok && !errors.As(err, new(endedBadly)) {
		if !errors.As(err, new(advice.Stopped)) {
			err = cause // errors that the end of the context caused are not reported
		}
		s.Say("", "  ", cmd.CommandPath()+": "+err.Error())
		return exitSignal + int(cause.Signal)
	}
	text := err.Error()
	_, _, do, refused := pipeline.Refused(err)
	if refused {
		text = strings.Replace(text, "; "+do, "", 1) // it gets a line of its own
	}
	if !errors.Is(err, errReported) {
		s.Say("", "  ", cmd.CommandPath()+": "+text)
	}
	if refused {
		s.Say("  ", "", do)
	}
	if advised, ok := errors.AsType[advice.Advised](err); ok {
		s.Say("  ", "", advised.Do)
	}
	switch {
	case errors.As(err, new(advice.UsageError)):
		s.Say("  ", "", "see: "+cmd.CommandPath()+" --help")
		return exitUsage
	case errors.As(err, new(config.Problems)), errors.As(err, new(pack.LoadError)), errors.As(err, new(troubledError)):
		return exitUsage
	case errors.As(err, new(*pipeline.HardStop)):
		return exitHardStop
	}
	return exitFailed
}

// errReported marks a failure that the command has already shown in its own output.
var errReported = errors.New("already reported")
