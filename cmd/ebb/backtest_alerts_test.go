package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ebb/cmd/ebb/backtest"
	"ebb/cmd/ebb/eventlog"
)

// alertRows are the rows of what --alerts wrote, without the header.
func alertRows(t *testing.T, name string) [][]string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil || len(rows) == 0 || strings.Join(rows[0], ",") != alertsHeader {
		t.Fatalf("%v, %.80q", err, text)
	}
	return rows[1:]
}

// TestBacktestAlerts: --alerts writes the lapses of the whole log in order of time, those judged among them.
func TestBacktestAlerts(t *testing.T) {
	log, out := shopLog(t, 200), filepath.Join(t.TempDir(), "alerts.csv")
	o := run(t, nil, nil, "backtest", log, "--horizon", "30d", "--json", "--alerts", out).want(t, exitOK)
	a := backtestReport(t, o.stdout).Alerts
	judged, transitions, last := int64(0), map[string]int{}, 0.0
	for _, row := range alertRows(t, out) {
		at, err := strconv.ParseFloat(row[3], 64)
		if err != nil || at < last {
			t.Fatalf("%v after %v", row, last)
		}
		last = at
		transitions[row[1]]++
		ms := time.UnixMilli(int64(at * 1000))
		if row[1] == "raised" && !ms.Before(a.From) && !ms.After(a.Until) {
			judged++
		}
	}
	if want := a.Rules[0].Classes[0].Alerts; judged != want {
		t.Errorf("%d raised while alerts are judged, want %d", judged, want)
	}
	if transitions["raised"] == 0 || transitions["escalated"] == 0 || transitions["recovered"] == 0 {
		t.Errorf("%v", transitions)
	}
}

// TestBacktestUntil: a log that is cut by --until gives what a log gives that ends there, and so does standard input
// that goes on.
func TestBacktestUntil(t *testing.T) {
	head, tail := &strings.Builder{}, &strings.Builder{}
	fmt.Fprintln(head, eventlog.CSVHeader)
	until := time.Date(2021, 6, 1, 0, 0, 0, 0, time.UTC)
	for i := range 3000 {
		at := time.Date(2020, 9, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(i) * 3 * time.Hour)
		line := fmt.Sprintf("c%d,%d,purchase,1\n", i*i%(40+i/9), at.Unix())
		if at.Before(until) {
			head.WriteString(line)
		} else {
			tail.WriteString(line)
		}
	}
	whole := writeLog(t, "whole.csv", head.String()+tail.String())
	args := []string{"backtest", "--horizon", "30d", "--activity", "purchase", "--json"}
	report := func(stdin string, more ...string) *backtest.Outcome {
		return backtestReport(t, run(t, nil, strings.NewReader(stdin), append(args, more...)...).want(t, exitOK).stdout)
	}
	ignore := cmp.Options{
		cmpopts.IgnoreFields(backtest.Outcome{}, "Log", "Seconds", "MiB"), cmpopts.IgnoreUnexported(backtest.Date{}),
		cmp.Comparer(func(a, b backtest.Figure) bool { return a == b || !a.Known() && !b.Known() }),
	}
	want := report("", writeLog(t, "head.csv", head.String()))
	if want.Alerts.Rules[0].Classes[0].Alerts == 0 {
		t.Fatal("no alerts")
	}
	got := report("", whole, "--until", "2021-06-01")
	if diff := cmp.Diff(want, got, ignore); diff != "" {
		t.Errorf("(-cut +until):\n%s", diff)
	}
	// The end of standard input is taken to be the time itself, three hours after its last event.
	piped := report(head.String()+tail.String(), "-", "--until", "2021-06-01")
	if !piped.Alerts.End.Equal(until) || piped.Alerts.Silences != want.Alerts.Silences ||
		len(piped.Dates) != 1 || !piped.Dates[0].At.Equal(until.AddDate(0, 0, -30)) {
		t.Errorf("%+v, %d dates", piped.Alerts, len(piped.Dates))
	}
	o := run(t, nil, strings.NewReader(head.String()), append(args, "-", "--until", "2022-01-01")...).want(t, exitUsage)
	if !strings.Contains(o.stderr, "standard input ends on 2021-05-31T21:00:00Z, before the time of --until") {
		t.Error(o.stderr)
	}
}

// TestBacktestAlertsAlone: where nothing can be measured, the alerts are written all the same, and the report says why
// there is nothing else.
func TestBacktestAlertsAlone(t *testing.T) {
	log := &strings.Builder{}
	fmt.Fprintln(log, eventlog.CSVHeader)
	for i := range 100 {
		fmt.Fprintf(log, "c%d,%d,purchase,1\n", min(i, i%40), 1_600_000_000+i*86_400)
	}
	for name, test := range map[string]struct{ log, why string }{
		"short log":      {writeLog(t, "short.csv", log.String()), "is too short for a horizon of 90d"},
		"standard input": {"-", "standard input is read once"},
	} {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "alerts.csv")
			args := []string{"backtest", test.log, "--activity", "purchase", "--alerts", out}
			page := filepath.Join(t.TempDir(), "page.html")
			o := run(t, nil, strings.NewReader(log.String()), append(args, "--html", page)...).want(t, exitOK)
			if said := strings.Join(strings.Fields(o.stdout), " "); !strings.Contains(said, test.why) {
				t.Errorf("%q is not said:\n%s", test.why, o.stdout)
			}
			raised := slices.ContainsFunc(alertRows(t, out), func(row []string) bool { return row[1] == "raised" })
			if !raised {
				t.Error("no alert was raised")
			}
			if text, err := os.ReadFile(page); err != nil || !bytes.Contains(text, []byte("too short to judge alerts")) {
				t.Errorf("page: %v", err)
			}
			o = run(t, nil, strings.NewReader(log.String()), append(args, "--json")...).want(t, exitOK)
			if r := backtestReport(t, o.stdout); r.Alerts != nil || len(r.Dates) != 0 || r.Events != 100 {
				t.Errorf("%+v", r)
			}
		})
	}
}
