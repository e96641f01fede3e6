package main

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/backtest"
	"ebb/cmd/ebb/connect"
	"ebb/cmd/ebb/eventlog"
	"ebb/cmd/ebb/terminal"
	"ebb/cmd/ebb/view"
	"ebb/pipeline"
)

// backtestFlags is the command line of backtest.
type backtestFlags struct {
	packFlags
	events, active, at string
	scores, html       string
	skipBad, json      bool
}

func newBacktestCommand(a *app) *cobra.Command {
	var f backtestFlags
	cmd := &cobra.Command{
		Use:   "backtest --events FILE",
		Short: "Measure on a log what the score is worth",
		Long: `Measure on an event log of the past how well ebb tells who stops coming, beside rules that need no training: who has been
silent longest (recency), the rank sum of recency, frequency and money (RFM), and "silent for 30 days".

At each date the customers active before it (--active) are scored by the events up to it, and churned are those without activity
for a horizon after it. AUC is the chance that of two customers the one who churned was scored higher: 0.5 is a coin. Probabilities are
judged cold, as the score gives them, and self-calibrated, as the stream has learnt from its own outcomes by that date.

Alerts of lapses are measured over the whole log, as ebb would have raised them, and those of other kinds are not. An alert was right if the customer did nothing for a horizon
after it. Of the silences that lasted longer than a horizon those count as caught in which the alert came before it had passed; the lead is
how long before.

The log is read once, in order of time, as ebb produce takes it; memory grows with customers, not with events. Every figure is
defined in docs/backtest.md.`,
		Example: "  ebb backtest --events purchases.csv.gz --activity purchase\n" +
			"  ebb backtest --events log.csv --activity buy --friction fault --horizon 60d\n" +
			"  ebb backtest --events log.ndjson --at 2025-06-01,2025-09-01 --html report.html\n" +
			"  ebb simulate | ebb backtest --events - --at 2026-01-01 --json | jq .mean",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.backtest(cmd, &f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.events, "events", "", "the event log `FILE`: NDJSON or CSV, plain or gzipped, - for standard input")
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
		"`DATES` to measure at, such as 2025-06-01, separated by commas (default: up to three, spread over the log)",
	)
	flags.StringVar(&f.scores, "scores", "", "`FILE` to write every customer's score to, as CSV: "+scoresHeader)
	flags.StringVar(&f.html, "html", "", "`FILE` to write a page with charts to, which needs nothing else")
	flags.BoolVar(&f.skipBad, "skip-bad", false, "count lines that cannot be used and go on")
	flags.BoolVar(&f.json, "json", false, "print the report as JSON")
	return cmd
}

func (a *app) backtest(cmd *cobra.Command, f *backtestFlags) error {
	if f.events == "" {
		return advice.Usage(
			advice.Add(errors.New("--events is missing"), "name the log to measure on, or - for standard input"),
		)
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
	opts.Pack = pack
	opts.Log = &eventlog.Pass{
		Name: f.events, Input: &cfg.Input, SkipBad: f.skipBad,
		Stdin: terminal.StoppableReader(cmd.Context(), cmd.InOrStdin()), Progress: reading.At,
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
	return f.write(terminal.NewScreen(cmd.OutOrStdout(), a.environ), &backtest.Outcome{
		Report:  report,
		Log:     f.events,
		Skipped: opts.Log.Skipped(), Anonymous: opts.Log.Anonymous(),
		Seconds: time.Since(began).Seconds(),
		MiB:     memoryTaken() >> 20,
	})
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
	if f.at != "" {
		opts.Dates, err = parseDates(f.at)
	}
	return opts, err
}

// checkFiles refuses files that could not be written at the end, and files that the report would overwrite.
func (f *backtestFlags) checkFiles() error {
	taken := map[string]string{f.events: "the log itself", f.pack: "the pack's file"} // what must not be overwritten
	for _, name := range []string{f.scores, f.html} {
		switch name {
		case "":
			continue
		case eventlog.Stdin:
			return errors.New("--scores and --html take a file: standard output has the report itself")
		}
		if info, err := os.Stat(filepath.Dir(name)); err != nil || !info.IsDir() {
			return fmt.Errorf("%s cannot be written: there is no folder %s", name, filepath.Dir(name))
		}
		switch info, err := os.Stat(name); {
		case err != nil: // there is none yet
		case info.IsDir():
			return fmt.Errorf("%s cannot be written: it is a folder", name)
		default:
			for other, what := range taken {
				if o, err := os.Stat(other); other != eventlog.Stdin && err == nil && os.SameFile(info, o) {
					return fmt.Errorf("%s is %s, and would be overwritten", name, what)
				}
			}
		}
	}
	if f.scores != "" && filepath.Clean(f.scores) == filepath.Clean(f.html) {
		return fmt.Errorf("--scores and --html are the same file, %s", f.html)
	}
	return nil
}

// write writes the requested files, then the report.
func (f *backtestFlags) write(out terminal.Screen, o *backtest.Outcome) error {
	if name := f.scores; name != "" {
		if err := toFile(name, nil, func(w io.Writer) error { return writeScores(w, o.Report) }); err != nil {
			return err
		}
	}
	if name := f.html; name != "" {
		if err := toFile(name, nil, func(w io.Writer) error { return o.WriteHTML(w, view.LogName(o.Log)) }); err != nil {
			return err
		}
	}
	if f.json {
		return json.NewEncoder(out).Encode(o)
	}
	return view.Backtest(out, o)
}

// scoresHeader is the first line of what --scores writes.
const scoresHeader = "at,customer_id,score,churned"

// writeScores writes a line for each customer scored: the score in log-odds, churned as 1 or 0.
func writeScores(w io.Writer, r *backtest.Report) error {
	out := csv.NewWriter(w)
	fields := strings.Split(scoresHeader, ",")
	_ = out.Write(fields) // Error reports the failure
	for _, d := range r.Dates {
		fields[0] = advice.FormatDate(d.At)
		for s := range d.Scored() {
			tenant, customer := pipeline.SplitKey([]byte(s.Key))
			fields[1] = terminal.FullName(string(tenant), string(customer))
			fields[2], fields[3] = strconv.FormatFloat(s.Score, 'g', -1, 64), "0"
			if s.Churned {
				fields[3] = "1"
			}
			_ = out.Write(fields)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write scores: %w", err)
	}
	return nil
}

// memoryTaken is how many bytes the process has taken from the system.
func memoryTaken() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys)
}

// parseDates reads dates separated by commas, midnight UTC unless they name another time, and puts them in order.
func parseDates(text string) ([]time.Time, error) {
	var dates []time.Time
	for item := range strings.SplitSeq(text, ",") {
		item = strings.TrimSpace(item)
		t, err := time.Parse(time.DateOnly, item)
		if err != nil {
			if t, err = time.Parse(time.RFC3339, item); err != nil {
				return nil, fmt.Errorf("--at wants dates such as 2025-06-01 or 2025-06-01T12:00:00Z, found %q", item)
			}
		}
		dates = append(dates, t.UTC())
	}
	slices.SortFunc(dates, time.Time.Compare)
	return slices.Compact(dates), nil
}
