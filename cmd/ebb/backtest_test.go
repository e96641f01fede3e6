package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/backtest"
	"ebb/cmd/ebb/eventlog"
	"ebb/cmd/ebb/shop"
	"ebb/scoring/scoringtest/golden"
)

// shopLog writes the events of a seeded shop in which about so many customers come again and again. Twice as many come
// once or a few times.
func shopLog(t testing.TB, loyal int) string {
	t.Helper()
	s, err := shop.New(shop.Config{Customers: 3 * loyal, Seed: 5})
	if err != nil {
		t.Fatal(err)
	}
	var b []byte
	for ev := range s.Events() {
		b = append(shop.AppendJSON(b, &ev), '\n')
	}
	return writeLog(t, "shop.ndjson.gz", string(b))
}

// backtestReport is the output of --json.
func backtestReport(t testing.TB, stdout string) *backtest.Outcome {
	t.Helper()
	o := &backtest.Outcome{}
	if err := json.Unmarshal([]byte(stdout), o); err != nil {
		t.Fatal(err)
	}
	return o
}

// TestBacktestGolden: the report of a small shop, as JSON and for people. How long it took is left out.
func TestBacktestGolden(t *testing.T) {
	log := shopLog(t, 160)
	o := run(t, nil, nil, "backtest", "--events", log, "--horizon", "30d", "--json").want(t, exitOK)
	var report map[string]any
	if err := json.Unmarshal([]byte(o.stdout), &report); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"log", "seconds", "memory_mib"} {
		if report[key] == nil {
			t.Errorf("no %s in the report", key)
		}
		delete(report, key)
	}
	alerts := report["alerts"].(map[string]any)
	scores := alerts["what_if_scores"].([]any)
	if len(scores) != 19 {
		t.Errorf("%d scores to open alerts at, want 5 to 95", len(scores))
	}
	alerts["what_if_scores"] = scores[11:12] // one is enough to read
	indented, err := json.MarshalIndent(report, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	golden.File(t, "backtest.json", string(indented)+"\n")

	o = run(t, nil, nil, "backtest", "--events", log, "--horizon", "30d").want(t, exitOK)
	text, took, _ := strings.Cut(o.stdout, "\n\n"+regexp.MustCompile(`[0-9,]+ events in `).FindString(o.stdout))
	if !regexp.MustCompile(`^[0-9.]+ s, [0-9,]+ a second; [0-9]+ MiB\n$`).MatchString(took) {
		t.Errorf("ends with %q", took)
	}
	for line := range strings.Lines(text) {
		if n := displayWidth(strings.TrimRight(line, "\n")); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	golden.File(t, "backtest.txt", text+"\n")
}

// TestBacktestScores: the AUC of the scores that were written is the one reported, and standard input gives the same
// report as the file.
func TestBacktestScores(t *testing.T) {
	log, scores := shopLog(t, 200), filepath.Join(t.TempDir(), "scores.csv")
	args := []string{"backtest", "--horizon", "30d", "--at", "2025-11-01,2025-08-01", "--json"}
	file := run(t, nil, nil, append(args, "--events", log, "--scores", scores)...).want(t, exitOK)
	packed, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	piped := run(t, nil, bytes.NewReader(packed), append(args, "--events", "-")...).want(t, exitOK)
	report := backtestReport(t, file.stdout)
	ignore := cmp.Options{
		cmpopts.IgnoreFields(backtest.Outcome{}, "Log", "Seconds", "MiB"), cmpopts.IgnoreFields(backtest.Report{}, "Alerts"),
		cmpopts.IgnoreUnexported(backtest.Date{}), cmpopts.EquateNaNs(),
	}
	if diff := cmp.Diff(report, backtestReport(t, piped.stdout), ignore); diff != "" {
		t.Errorf("(-file +standard input):\n%s", diff)
	}

	text, err := os.ReadFile(scores)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil || strings.Join(rows[0], ",") != scoresHeader {
		t.Fatalf("%v, header %v", err, rows[0])
	}
	for _, d := range report.Dates {
		var stayed, churned []float64
		for _, r := range rows[1:] {
			score, err := strconv.ParseFloat(r[2], 64)
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case r[0] != d.At.Format(time.DateOnly):
			case r[3] == "1":
				churned = append(churned, score)
			default:
				stayed = append(stayed, score)
			}
		}
		right := 0.0
		for _, a := range churned {
			for _, b := range stayed {
				if a > b {
					right++
				} else if a == b {
					right += 0.5
				}
			}
		}
		auc := right / float64(len(churned)*len(stayed))
		if math.Abs(auc-float64(d.Scores[0].AUC)) > 1e-6 || len(churned) != d.Churned {
			t.Errorf("%v: AUC %v of %d who churned, want %v of %d", d.At, auc, len(churned), d.Scores[0].AUC, d.Churned)
		}
	}
}

// TestBacktestPage: the page is complete, and loads nothing from elsewhere.
func TestBacktestPage(t *testing.T) {
	page := filepath.Join(t.TempDir(), "report.html")
	run(t, nil, nil, "backtest", "--events", shopLog(t, 150), "--horizon", "30d", "--html", page).want(t, exitOK)
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if found := regexp.MustCompile(`(?i)https?:|<script|<link|@import|url\(|NaN|ZgotmplZ|<no value>`).
		FindAll(text, -1); found != nil {
		t.Errorf("the page holds %q", found)
	}
	decoder := xml.NewDecoder(bytes.NewReader(text))
	decoder.Strict, decoder.AutoClose, decoder.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	charts, depth := 0, 0
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			depth++
			if e.Name.Local == "figure" {
				charts++
			}
		case xml.EndElement:
			depth--
		}
	}
	if depth != 0 || charts != 3*3+3+3 {
		t.Errorf("%d charts, %d elements left open", charts, depth)
	}
}

func TestBacktestErrors(t *testing.T) {
	year := &bytes.Buffer{}
	fmt.Fprintln(year, eventlog.CSVHeader)
	for d := range 365 {
		fmt.Fprintf(year, "c%d,%d,purchase,1\n", d%50, 1_600_000_000+d*86_400)
	}
	log := writeLog(t, "year.csv", year.String())
	bad := writeLog(t, "bad.csv", year.String()+"c1,yesterday,purchase,1\nc2,1631500000,purchase,1\n")
	mixed := &bytes.Buffer{}
	fmt.Fprintln(mixed, eventlog.CSVHeader)
	for d := range 3000 {
		fmt.Fprintf(mixed, "c%d,%d,purchase,1\n", d%50, 1_600_000_000+d*7919%3000*86_400)
	}
	disordered := writeLog(t, "mixed.csv", mixed.String())
	instant := writeLog(t, "instant.csv", "customer_id,ts_unix_seconds,event_type,value\nc-1,1735689600,purchase,1\n")
	pack := writeLog(t, "mine.yaml", "name: mine\nversion: \"1\"\nhorizon: 90d\nactivity: [purchase]\n")
	see := "\n  see: ebb backtest --help\n"
	tests := []struct {
		args   string
		code   int
		stderr string
	}{
		{"", exitUsage, "LOG is missing\n  name the log to measure on, or - for standard input" + see},
		{"one.csv two.csv", exitUsage, "it takes one LOG, found \"two.csv\" behind it" + see},
		{log + " --events " + log, exitUsage, "the log is named twice, " + log + " and --events " + log + see},
		{
			log + " --until soon",
			exitUsage,
			"--until wants dates such as 2025-06-01 or 2025-06-01T12:00:00Z, found \"soon\"" + see,
		},
		{
			log + " --until 2020-09-01",
			exitUsage,
			log + " begins on 2020-09-13T12:26:40Z, not before the time of --until" + see,
		},
		{
			log + " --alerts " + log,
			exitUsage,
			log + " is the log itself, and would be overwritten" + see,
		},
		{"--events nowhere.csv", exitFailed, "open nowhere.csv: no such file or directory\n"},
		{
			"--events " + log + " --at soon",
			exitUsage,
			"--at wants dates such as 2025-06-01 or 2025-06-01T12:00:00Z, found \"soon\"" + see,
		},
		{"--events " + log + " --active 0d", exitUsage, "--active must be a span such as 180d, found \"0d\"" + see},
		{
			"--events " + log + " --at 2021-08-01",
			exitUsage,
			"2021-08-01 has no full horizon of 90d after it: the log ends on 2021-09-12\n" +
				"  the last possible date is 2021-06-15; a shorter --horizon allows later ones" + see,
		},
		{
			"--events " + log + " --at 2020-09-01",
			exitUsage,
			"2020-09-01 lies before the first event, of 2020-09-13T12:26:40Z: nobody was active then" + see,
		},
		{
			"--events " + log + " --horizon 200d",
			exitUsage,
			"the log, from 2020-09-13 to 2021-09-12, is too short for a horizon of 200d: it takes one to know the customers " +
				"and one to see what becomes of them\n" +
				"  choose a shorter --horizon, of at most 182d, or name a date with --at" + see,
		},
		{"--events " + log + " --activity visit", exitFailed, "no event in " + log + " is activity for the pack retail\n" +
			"  say which event types are with --activity, such as --activity purchase; --activity '*' takes all\n"},
		{"--events " + log + " --pack nosuch", exitUsage, ""},
		{
			"--events " + log + " --html nowhere/report.html",
			exitUsage,
			"nowhere/report.html cannot be written: there is no folder nowhere" + see,
		},
		{
			"--events " + log + " --html -",
			exitUsage,
			"--alerts, --scores and --html take a file: standard output has the report itself" + see,
		},
		{"--events " + log + " --html " + log, exitUsage, log + " is the log itself, and would be overwritten" + see},
		{
			"--events " + log + " --pack " + pack + " --html " + pack,
			exitUsage,
			pack + " is the pack's file, and would be overwritten" + see,
		},
		{
			"--events " + log + " --scores " + filepath.Dir(log),
			exitUsage,
			filepath.Dir(log) + " cannot be written: it is a folder" + see,
		},
		{
			"--events " + log + " --html report.html --scores ./report.html",
			exitUsage,
			"--scores and --html are the same file, report.html" + see,
		},
		{
			"--events " + instant,
			exitUsage,
			"the log, from 2025-01-01 to 2025-01-01, is too short for a horizon of 90d: it takes one to know the customers " +
				"and one to see what becomes of them\n" +
				"  the shortest horizon is 1d: take a log of more days" + see,
		},
		{
			"--events -",
			exitUsage,
			"standard input is read once, so when it ends is not known beforehand\n" +
				"  say how far it goes with --until, or name the dates to measure at with --at" + see,
		},
		{"--events " + bad, exitFailed, bad + ":367: the time is neither RFC 3339 nor seconds or milliseconds since 1970\n" +
			"  mend the line, or leave out what cannot be used with --skip-bad\n"},
		{"--events " + disordered + " --horizon 30d --at 2025-01-01", exitFailed, ""},
	}
	for _, test := range tests {
		t.Run(test.args, func(t *testing.T) {
			got := run(
				t,
				nil,
				strings.NewReader(""),
				append([]string{"backtest"}, strings.Fields(test.args)...)...).want(t, test.code)
			diff := cmp.Diff("ebb backtest: "+test.stderr, got.stderr)
			if test.stderr != "" && diff != "" || got.stdout != "" {
				t.Errorf("stdout %q, stderr (-want +got):\n%s", got.stdout, diff)
			}
		})
	}
	t.Run("a log out of order", func(t *testing.T) {
		got := run(
			t,
			nil,
			nil,
			"backtest",
			"--events",
			disordered,
			"--horizon",
			"30d",
			"--at",
			"2021-01-01",
		).want(t, exitFailed)
		if !strings.Contains(got.stderr, "is not in order of time: by line ") ||
			!strings.Contains(got.stderr, "sort it by time") {
			t.Errorf("stderr %q", got.stderr)
		}
	})
	t.Run("lines that cannot be used", func(t *testing.T) {
		got := run(t, nil, nil, "backtest", "--events", bad, "--skip-bad", "--horizon", "30d", "--json").want(t, exitOK)
		if o := backtestReport(t, got.stdout); o.Skipped != 1 || o.Events != 366 {
			t.Errorf("%d lines skipped, %d events", o.Skipped, o.Events)
		}
	})
	t.Run("standard input that ends too early", func(t *testing.T) {
		got := run(t, nil, year, "backtest", "--events", "-", "--at", "2021-08-01").want(t, exitUsage)
		if !strings.Contains(got.stderr, "the last possible date is 2021-06-15") {
			t.Errorf("stderr %q", got.stderr)
		}
	})
}

// TestBacktestStopped: Ctrl-C ends it while a slow standard input is read.
func TestBacktestStopped(t *testing.T) {
	ctx, stop := context.WithCancelCause(t.Context())
	stdin := newSilentInput()
	var stdout, stderr output
	p := process{
		args:   []string{"backtest", "--events", "-", "--at", "2021-01-01"},
		stdin:  stdin,
		stdout: &stdout,
		stderr: &stderr,
	}
	code := make(chan int)
	go func() { code <- p.run(ctx, func(int) { panic("second signal") }) }()
	<-stdin.asked
	stop(advice.Stopped{Signal: syscall.SIGINT})
	if c := <-code; c != 130 || stderr.String() != "ebb backtest: stopped by Ctrl-C\n" || stdout.String() != "" {
		t.Errorf("exit code %d\n%s%s", c, stdout.String(), stderr.String())
	}
}
