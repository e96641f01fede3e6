package main

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/backtest"
	"ebb/cmd/ebb/eventlog"
	"ebb/cmd/ebb/terminal"
	"ebb/cmd/ebb/view"
	"ebb/pipeline"
)

// checkFiles refuses files that could not be written at the end, and files that the report would overwrite.
func (f *backtestFlags) checkFiles() error {
	taken := map[string]string{f.events: "the log itself", f.pack: "the pack's file"} // what must not be overwritten
	files := []struct{ flag, name string }{{"--alerts", f.alerts}, {"--scores", f.scores}, {"--html", f.html}}
	for i, file := range files {
		if file.name == "" {
			continue
		}
		if err := canBeWritten(file.name, taken); err != nil {
			return err
		}
		for _, other := range files[:i] {
			if other.name != "" && filepath.Clean(file.name) == filepath.Clean(other.name) {
				return fmt.Errorf("%s and %s are the same file, %s", other.flag, file.flag, file.name)
			}
		}
	}
	return nil
}

// canBeWritten refuses a file that could not be written, or is taken for something else.
func canBeWritten(name string, taken map[string]string) error {
	if name == eventlog.Stdin {
		return errors.New("--alerts, --scores and --html take a file: standard output has the report itself")
	}
	if info, err := os.Stat(filepath.Dir(name)); err != nil || !info.IsDir() {
		return fmt.Errorf("%s cannot be written: there is no folder %s", name, filepath.Dir(name))
	}
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s cannot be written: %w", name, err)
	}
	if info.IsDir() {
		return fmt.Errorf("%s cannot be written: it is a folder", name)
	}
	for other, what := range taken {
		if o, err := os.Stat(other); other != eventlog.Stdin && err == nil && os.SameFile(info, o) {
			return fmt.Errorf("%s is %s, and would be overwritten", name, what)
		}
	}
	return nil
}

// write writes the requested files, then the report.
func (f *backtestFlags) write(out terminal.Screen, b *backtest.Run, o *backtest.Outcome) error {
	if name := f.alerts; name != "" {
		if err := toFile(name, nil, func(w io.Writer) error { return writeAlerts(w, b) }); err != nil {
			return err
		}
	}
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

// alertsHeader is the first line of what --alerts writes.
const alertsHeader = "customer_id,transition,tier,unix_seconds"

// writeAlerts writes a line for each alert.
func writeAlerts(w io.Writer, b *backtest.Run) error {
	out := csv.NewWriter(w)
	fields := strings.Split(alertsHeader, ",")
	_ = out.Write(fields) // Error reports the failure
	for a := range b.Alerts() {
		tenant, customer := pipeline.SplitKey([]byte(a.Key()))
		fields[0] = terminal.FullName(string(tenant), string(customer))
		fields[1], fields[2] = a.Transition.String(), a.Tier.String()
		fields[3] = strconv.FormatFloat(float64(a.At)/1000, 'f', -1, 64)
		_ = out.Write(fields)
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write alerts: %w", err)
	}
	return nil
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
