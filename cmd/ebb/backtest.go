package main

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ebb/cmd/ebb/backtest"
	"ebb/pipeline"
	"ebb/scoring/pack"
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
	flags.StringVar(&f.active, "active", "", "score who was active within this `TIME` before a date, such as 180d (default: twice the horizon)")
	flags.StringVar(&f.at, "at", "", "`DATES` to measure at, such as 2025-06-01, separated by commas (default: up to three, spread over the log)")
	flags.StringVar(&f.scores, "scores", "", "`FILE` to write every customer's score to, as CSV: "+scoresHeader)
	flags.StringVar(&f.html, "html", "", "`FILE` to write a page with charts to, which needs nothing else")
	flags.BoolVar(&f.skipBad, "skip-bad", false, "count lines that cannot be used and go on")
	flags.BoolVar(&f.json, "json", false, "print the report as JSON")
	return cmd
}

// backtesting is one run of backtest.
type backtesting struct {
	logPass
	flags  *backtestFlags
	pack   *pack.Pack
	active time.Duration
	dates  []time.Time
	until  time.Time // of the alerts that are measured
}

// backtestOutcome is the report, and how the run went.
type backtestOutcome struct {
	*backtest.Report
	Log     string  `json:"log"`
	Skipped int64   `json:"skipped"` // lines that could not be used
	Seconds float64 `json:"seconds"`
	MiB     int64   `json:"memory_mib"` // taken from the system
}

// name is the log in words.
func (o *backtestOutcome) name() string { return logInWords(o.Log) }

// logInWords is how a log is called.
func logInWords(name string) string {
	if name == stdinName {
		return "standard input"
	}
	return filepath.Base(name)
}

func (a *app) backtest(cmd *cobra.Command, f *backtestFlags) error {
	if f.events == "" {
		return usageError{advise(errors.New("--events is missing"), "name the log to measure on, or - for standard input")}
	}
	cfg, err := a.config(f.overrides()...)
	if err != nil {
		return err
	}
	pack, err := loadPack(cfg)
	if err != nil {
		return usageError{err}
	}
	b := &backtesting{flags: f, pack: pack, logPass: logPass{
		name: f.events, mapping: &cfg.Input.Mapping, skipBad: f.skipBad,
		stdin: newStoppableReader(cmd.Context(), cmd.InOrStdin()), screen: newScreen(cmd.ErrOrStderr(), a.environ),
	}}
	if err := b.settle(cmd.Context()); err != nil {
		return err
	}
	began := time.Now()
	report, err := b.measure(cmd.Context())
	if err != nil {
		return err
	}
	return b.write(newScreen(cmd.OutOrStdout(), a.environ), &backtestOutcome{
		Report: report, Log: f.events, Skipped: b.bad, Seconds: time.Since(began).Seconds(), MiB: memoryTaken() >> 20,
	})
}

// write writes the files that were asked for, then the report.
func (b *backtesting) write(out screen, o *backtestOutcome) error {
	if name := b.flags.scores; name != "" {
		if err := toFile(name, nil, func(w io.Writer) error { return writeScores(w, o.Report) }); err != nil {
			return err
		}
	}
	if name := b.flags.html; name != "" {
		if err := toFile(name, nil, func(w io.Writer) error { return o.WriteHTML(w, o.name()) }); err != nil {
			return err
		}
	}
	if b.flags.json {
		return json.NewEncoder(out).Encode(o)
	}
	return (&backtestText{out, o}).print()
}

// scoresHeader is the first line of what --scores writes.
const scoresHeader = "at,customer_id,score,churned"

// writeScores writes a line for each customer scored: the score in log-odds, churned as 1 or 0.
func writeScores(w io.Writer, r *backtest.Report) error {
	out := csv.NewWriter(w)
	fields := strings.Split(scoresHeader, ",")
	_ = out.Write(fields) // Error tells
	for _, d := range r.Dates {
		fields[0] = formatDate(d.At)
		for s := range d.Scored() {
			tenant, customer := pipeline.SplitKey([]byte(s.Key))
			fields[1] = fullName(string(tenant), string(customer))
			fields[2], fields[3] = shortest(s.Score), "0"
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
