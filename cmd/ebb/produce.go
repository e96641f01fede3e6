package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/config"
	"ebb/cmd/ebb/connect"
	"ebb/cmd/ebb/eventlog"
	"ebb/cmd/ebb/produce"
	"ebb/cmd/ebb/terminal"
)

// produceFlags is the command line of produce.
type produceFlags struct {
	brokers, topic string
	rate           float64
	progress       string
	skipBad        bool
	force          bool
	history        bool
	json           bool
}

func newProduceCommand(a *app) *cobra.Command {
	var f produceFlags
	cmd := &cobra.Command{
		Use:   "produce FILE...",
		Short: "Send event logs to the input topic",
		Long: `Send event logs to the input topic, in the order of the files and their lines.

A log is NDJSON (a JSON object a line, in ebb's flat envelope, another, or one that input.mapping reads) or CSV with the header
` + eventlog.CSVHeader + `. Either may be gzipped; "-" is standard input. Records are keyed by
customer, so that one partition sees all of a customer's events, and carry the event's time as their timestamp.

Lines that ebb run could not use, by the same configuration and pack, are refused. An event without an id gets one that is made
of what its line says (none from standard input): the same line is known again, in whatever file it is sent, and lines of one
file that are alike are told apart.`,
		Example: "  ebb produce purchases.csv.gz\n" +
			"  ebb simulate --customers 1000 | ebb produce -\n" +
			"  ebb produce --history last-year.csv.gz      # fills state, alerts nothing\n" +
			"  ebb produce --topic clicks --rate 5000 --skip-bad january.ndjson",
		Args: arguments(1, anyNumber, "FILE"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.produce(cmd, &f, args) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.brokers, "brokers", "", "brokers, `HOST:PORT`, separated by commas (default: kafka.brokers)")
	flags.StringVar(&f.topic, "topic", "", "`TOPIC` to write to (default: kafka.input)")
	flags.Float64Var(&f.rate, "rate", 0, "`N` events per second at most (default: no limit)")
	flags.StringVar(
		&f.progress,
		"progress",
		"auto",
		"`HOW` to show progress on standard error: auto (a bar on a terminal), plain or none",
	)
	flags.BoolVar(&f.skipBad, "skip-bad", false, "count lines that cannot be used and go on")
	flags.BoolVar(&f.force, "force", false, "send also what the topic's retention will delete at once")
	flags.BoolVar(
		&f.history,
		"history",
		false,
		"mark the events as a backfill: they fill customers' state and raise no alert by themselves",
	)
	flags.BoolVar(&f.json, "json", false, "print the summary as JSON")
	return cmd
}

// produce sends the files and prints the outcome.
func (a *app) produce(cmd *cobra.Command, f *produceFlags, files []string) error {
	if err := f.check(); err != nil {
		return advice.Usage(err)
	}
	cfg, err := a.config(config.Overrides("brokers", "kafka.brokers", f.brokers, "topic", "kafka.input", f.topic)...)
	if err != nil {
		return err
	}
	if err := findFiles(files); err != nil {
		return err
	}
	bar := newProgress(terminal.NewScreen(cmd.ErrOrStderr(), a.environ), f.progress)
	defer bar.done()
	summary, err := produce.Files(cmd.Context(), files, produce.Options{
		Config: cfg, Rate: f.rate, SkipBad: f.skipBad, Force: f.force, History: f.history,
		Stdin: terminal.StoppableReader(cmd.Context(), cmd.InOrStdin()), Progress: bar.at,
	})
	bar.done()
	if summary == nil {
		return connect.WithCreate(err, a.checkCommand(f.brokers, f.topic))
	}
	if f.json {
		return errors.Join(err, json.NewEncoder(cmd.OutOrStdout()).Encode(summary))
	}
	return errors.Join(err, showProduced(cmd.OutOrStdout(), summary))
}

func (f *produceFlags) check() error {
	switch {
	case f.rate < 0:
		return fmt.Errorf("--rate must be above 0, found %g", f.rate)
	case f.progress != "auto" && f.progress != "plain" && f.progress != "none":
		return fmt.Errorf("--progress is auto, plain or none, found %q", f.progress)
	}
	return nil
}

// findFiles reports a missing file before anything waits for brokers.
func findFiles(names []string) error {
	for _, name := range names {
		if _, err := os.Stat(name); err != nil && name != eventlog.Stdin {
			return fmt.Errorf("open %s: %s", name, advice.FileCause(err))
		}
	}
	return nil
}

// showProduced writes the summary line.
func showProduced(w io.Writer, s *produce.Summary) error {
	skipped := ""
	if s.Skipped > 0 {
		skipped = fmt.Sprintf(", %s bad lines skipped", advice.Grouped(s.Skipped))
	}
	if s.NoMoney > 0 {
		skipped += fmt.Sprintf(", %s without a value, which is no money", advice.Grouped(s.NoMoney))
	}
	if s.Anonymous > 0 {
		skipped += fmt.Sprintf(", %s of visitors, which count for nothing", advice.Grouped(s.Anonymous))
	}
	_, err := fmt.Fprintf(
		w,
		"%s to %s (%s) in %.1f s, %s events/s%s\n%s",
		advice.Count(
			s.Events,
			"event",
		),
		s.Topic,
		advice.Plural(s.Partitions, "partition"),
		s.Seconds,
		advice.Grouped(int64(s.Rate)),
		skipped,
		producedInVain(s),
	)
	return err
}

// producedInVain is a line for each thing that ebb reads and that does not lead to the right alerts.
func producedInVain(s *produce.Summary) (lines string) {
	if s.Late*100 > s.Events {
		lines = fmt.Sprintf(
			"%s of them more than a day older than one before them: ebb takes them for late, and who was silent between them "+
				"goes unnoticed; send logs in order of time (ebb backtest --events shows how to sort one)\n",
			advice.Grouped(s.Late),
		)
	}
	if s.Nameless != "" {
		lines += fmt.Sprintf(
			"none of them is of a type that the pack %s names: to ebb they are no activity; see pack.activity (docs/events.md)\n",
			s.Nameless,
		)
	}
	return lines
}
