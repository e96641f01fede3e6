package main

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/backtest"
	"ebb/cmd/ebb/connect"
	"ebb/cmd/ebb/eventlog"
	"ebb/cmd/ebb/terminal"
)

// backtestFlags is the command line of backtest.
type backtestFlags struct {
	packFlags
	events, active, at string
	until              string
	end                time.Time // --until; zero: not given
	alerts             string
	scores, html       string
	skipBad, json      bool
}

func newBacktestCommand(a *app) *cobra.Command {
	var f backtestFlags
	cmd := &cobra.Command{
		Use:   "backtest LOG",
		Short: "Measure on a log what alerts would be like",
		Long: `Measure on an event log of the past what ebb's alerts would be like: how many, when, and how often right.

Every silence is followed, from one activity to the next, after a burn-in of a horizon, at most a tenth of the log. An alert
was right if the customer did nothing for a horizon after it; who was silent for more than two horizons has left, and was
named by a day if the alert came within so many days of the last activity. What the log ends too early to show is left out.
All of it by class of customer, beside rules that need no training: silent for 30 days, silent for a third of a horizon, and
the rank sum of recency, frequency and money (RFM), as many a week; and for other thresholds than the pack's, to choose its
"raise" from. Alerts of lapses are measured, those of other kinds are not.

Beside it, how well the score ranks: at each date the customers active before it (--active) are scored by the events up to it,
and churned are those without activity for a horizon after it. AUC is the chance that of two customers the one who churned was
scored higher: 0.5 is a coin. Probabilities are judged cold, as the score gives them, and self-calibrated, as the stream has
learnt from its own outcomes by that date.

The log is read once, in order of time, as ebb produce takes it; memory grows with customers, not with events. Every figure is
defined in docs/backtest.md.`,
		Example: "  ebb backtest purchases.csv.gz --activity purchase\n" +
			"  ebb backtest log.csv --activity buy --friction fault --horizon 60d\n" +
			"  ebb backtest log.ndjson --until 2025-10-01 --alerts out.csv --html page.html\n" +
			"  ebb simulate | ebb backtest - --until 2026-06-01 --json | jq .alerts.rules",
		Args: arguments(0, 1, "LOG"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.backtest(cmd, &f, args) },
	}
	flags := cmd.Flags()
	flags.StringVar(
		&f.events,
		"events",
		"",
		"the event log `FILE`, as LOG: NDJSON or CSV, plain or gzipped, - for standard input",
	)
	f.add(cmd)
	flags.StringVar(
		&f.active,
		"active",
		"",
		"score who was active within this `TIME` before a date, such as 180d (default: twice the horizon)",
	)
	flags.StringVar(
		&f.at,
		"at",
		"",
		"`DATES` to measure at, such as 2025-06-01, separated by commas (default: up to three, spread over the log; of standard input a horizon before --until)",
	)
	flags.StringVar(
		&f.until,
		"until",
		"",
		"`TIME` at which the log ends, such as 2025-10-01: later events are left out (default: its last event)",
	)
	flags.StringVar(&f.alerts, "alerts", "", "`FILE` to write the alerts of the whole log to, as CSV: "+alertsHeader)
	flags.StringVar(&f.scores, "scores", "", "`FILE` to write every customer's score to, as CSV: "+scoresHeader)
	flags.StringVar(&f.html, "html", "", "`FILE` to write a page with charts to, which needs nothing else")
	flags.BoolVar(&f.skipBad, "skip-bad", false, "count lines that cannot be used and go on")
	flags.BoolVar(&f.json, "json", false, "print the report as JSON")
	return cmd
}

func (a *app) backtest(cmd *cobra.Command, f *backtestFlags, args []string) error {
	if err := f.name(args); err != nil {
		return advice.Usage(err)
	}
	cfg, err := a.config(f.overrides()...)
	if err != nil {
		return err
	}
	pack, err := connect.LoadPack(cfg)
	if err != nil {
		return advice.Usage(err)
	}
	reading := terminal.NewReading(terminal.NewScreen(cmd.ErrOrStderr(), a.environ))
	defer reading.End()
	opts, err := f.options()
	if err != nil {
		return advice.Usage(err)
	}
	opts.Pack, opts.Guard = pack, cfg.Sources.Guarded()
	opts.Log = &eventlog.Pass{
		Name: f.events, Input: &cfg.Input, SkipBad: f.skipBad,
		Stdin: terminal.StoppableReader(cmd.Context(), cmd.InOrStdin()), Progress: reading.At, Until: f.end,
	}
	b, err := backtest.Prepare(cmd.Context(), opts)
	if err != nil {
		return err
	}
	began := time.Now()
	report, err := b.Measure(cmd.Context())
	if err != nil {
		return err
	}
	reading.End()
	return f.write(terminal.NewScreen(cmd.OutOrStdout(), a.environ), b, &backtest.Outcome{
		Report:     report,
		Unmeasured: b.Unmeasured,
		Log:        f.events,
		Skipped:    opts.Log.Skipped(),
		Anonymous:  opts.Log.Anonymous(),
		Seconds:    time.Since(began).Seconds(),
		MiB:        memoryTaken() >> 20,
	})
}

// name takes the log's name from the argument or from --events.
func (f *backtestFlags) name(args []string) error {
	switch {
	case len(args) == 0 && f.events == "":
		return advice.Add(errors.New("LOG is missing"), "name the log to measure on, or - for standard input")
	case len(args) > 0 && f.events != "":
		return fmt.Errorf("the log is named twice, %s and --events %s", args[0], f.events)
	case len(args) > 0:
		f.events = args[0]
	}
	return nil
}

// options reads the flags that select what is measured.
func (f *backtestFlags) options() (opts backtest.Options, err error) {
	if err := f.checkFiles(); err != nil {
		return opts, err
	}
	if f.active != "" {
		if opts.Active, err = advice.ParseDuration(f.active); err != nil || opts.Active <= 0 {
			return opts, fmt.Errorf("--active must be a span such as 180d, found %q", f.active)
		}
	}
	if f.until != "" {
		if f.end, err = parseDate("--until", f.until); err != nil {
			return opts, err
		}
	}
	if f.at != "" {
		opts.Dates, err = parseDates(f.at)
	}
	opts.List = f.alerts != ""
	return opts, err
}

// memoryTaken is how many bytes the process has taken from the system.
func memoryTaken() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys)
}

// parseDates reads dates separated by commas, and puts them in order.
func parseDates(text string) ([]time.Time, error) {
	var dates []time.Time
	for item := range strings.SplitSeq(text, ",") {
		t, err := parseDate("--at", strings.TrimSpace(item))
		if err != nil {
			return nil, err
		}
		dates = append(dates, t)
	}
	slices.SortFunc(dates, time.Time.Compare)
	return slices.Compact(dates), nil
}

// parseDate reads a date of a flag, midnight UTC unless it names another time.
func parseDate(flag, text string) (time.Time, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		if t, err = time.Parse(time.RFC3339, text); err != nil {
			return t, fmt.Errorf("%s wants dates such as 2025-06-01 or 2025-06-01T12:00:00Z, found %q", flag, text)
		}
	}
	return t.UTC(), nil
}
