package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ebb/cmd/ebb/eventlog"
)

// TestBacktestSorts: of a log in the wrong order backtest says that it is, whatever the dates look like, and the
// command that it gives sorts it.
func TestBacktestSorts(t *testing.T) {
	start := time.Date(2024, 1, 1, 12, 0, 0, 0, time.UTC)
	lines := func(format func(i int, at time.Time) string) []string {
		all := make([]string, 120)
		for i := range all {
			all[i] = format(i, start.AddDate(0, 0, 5*i))
		}
		return all
	}
	csv := lines(func(i int, at time.Time) string { return fmt.Sprintf("c%d,%d,purchase,1", i%7, at.Unix()) })
	newestFirst := slices.Clone(csv)
	slices.Reverse(newestFirst)
	byCustomer := slices.Sorted(slices.Values(csv))
	dates := lines(func(i int, at time.Time) string {
		return fmt.Sprintf(`"c%d";"%s";"purchase";"1"`, i%7, at.Format(time.RFC3339))
	})
	slices.Reverse(dates)
	json := lines(func(i int, at time.Time) string {
		return fmt.Sprintf(`{"type":"track","event":"purchase","userId":"c%d","timestamp":%q}`, i%7, at.Format(time.RFC3339))
	})
	slices.Reverse(json)
	paris := lines(func(i int, at time.Time) string {
		zone := time.FixedZone("", 3600*(1+i%2))
		return fmt.Sprintf(`c%d,%s,purchase,1`, i%7, at.In(zone).Format(time.RFC3339))
	})
	slices.Reverse(paris)
	for name, text := range map[string]string{
		"newest first.csv": eventlog.CSVHeader + "\n" + strings.Join(newestFirst, "\n") + "\n",
		"by_customer.csv":  eventlog.CSVHeader + "\n" + strings.Join(byCustomer, "\n") + "\n",
		"packed.csv.gz":    eventlog.CSVHeader + "\n" + strings.Join(newestFirst, "\n") + "\n",
		"dates.csv":        strings.ReplaceAll(eventlog.CSVHeader, ",", ";") + "\n" + strings.Join(dates, "\n") + "\n",
		"paris.csv":        eventlog.CSVHeader + "\n" + strings.Join(paris, "\n") + "\n",
		"segment.ndjson":   strings.Join(json, "\n") + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			log := writeLog(t, name, text)
			for _, at := range [][]string{nil, {"--at", "2024-10-01"}} {
				got := run(
					t,
					nil,
					nil,
					append([]string{"backtest", "--activity", "purchase", "--events", log}, at...)...).want(t, exitFailed)
				if !strings.Contains(got.stderr, "is not in order of time: by line ") || got.stdout != "" {
					t.Fatalf("stderr %s", got.stderr)
				}
				if name == "paris.csv" { // as texts they are in another order
					if !strings.Contains(got.stderr, "its dates have offsets") || strings.Contains(got.stderr, "> sorted") {
						t.Error(got.stderr)
					}
					continue
				}
				if strings.HasSuffix(name, ".ndjson") {
					needJQ(t)
				}
				advised := strings.Split(strings.TrimSpace(got.stderr), "\n")
				sort := exec.CommandContext(t.Context(), "sh", "-c", advised[len(advised)-1])
				sort.Dir = t.TempDir()
				if out, err := sort.CombinedOutput(); err != nil {
					t.Fatalf("%s: %v\n%s", advised[len(advised)-1], err, out)
				}
				run(
					t,
					nil,
					nil,
					"backtest",
					"--activity",
					"purchase",
					"--events",
					filepath.Join(sort.Dir, "sorted"+filepath.Ext(strings.TrimSuffix(name, ".gz"))),
				).want(t, exitOK)
			}
		})
	}
}

// TestBacktestLimitOfLateEvents: one event in a hundred may come more than a day late, in a small log too, and where
// they all come at the end.
func TestBacktestLimitOfLateEvents(t *testing.T) {
	start := time.Date(2024, 1, 1, 12, 0, 0, 0, time.UTC).Unix()
	for late, code := range map[int]int{0: exitOK, 3: exitOK, 4: exitFailed} {
		var b strings.Builder
		b.WriteString(eventlog.CSVHeader + "\n")
		for i := range 300 {
			at := start + int64(i)*2*86_400
			if i >= 300-late {
				at -= 50 * 86_400
			}
			fmt.Fprintf(&b, "c%d,%d,purchase,1\n", i%7, at)
		}
		got := run(
			t,
			nil,
			nil,
			"backtest",
			"--activity",
			"purchase",
			"--events",
			writeLog(t, "l.csv", b.String()),
		).want(t, code)
		if code != exitOK && !strings.Contains(got.stderr, "4 of 300 events are more than a day older than one before them") {
			t.Errorf("%d late: %s", late, got.stderr)
		}
	}
}

// needJQ fails a test of an advised command where jq is not installed.
func needJQ(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("jq"); err != nil {
		t.Fatalf("install jq, with which the advised command sorts: %v", err)
	}
}

// TestBacktestSortsNoOffsets: the command that sorts JSON sorts no times with different offsets, since as texts they are
// in another order, and says so.
func TestBacktestSortsNoOffsets(t *testing.T) {
	needJQ(t)
	for name, c := range map[string]struct {
		times []string
		sorts bool
	}{
		"numbers":   {[]string{"1300000000.5", "1200000000", "1100000000"}, true},
		"zulu":      {[]string{`"2024-03-01T10:00:00.250Z"`, `"2024-02-01T10:00:00Z"`, `"2024-01-01T10:00:00.1Z"`}, true},
		"one":       {[]string{`"2024-03-01T10:00:00+0100"`, `"2024-02-01 10:00:00+0100"`, `"2024-01-01T10:00+0100"`}, true},
		"different": {[]string{`"2024-03-01T10:00:00+01:00"`, `"2024-02-01T10:00:00+02:00"`, `"2024-01-01T10:00:00Z"`}, false},
		"mixed":     {[]string{`"2024-03-01T10:00:00Z"`, "1200000000", "1100000000"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			for i, at := range c.times {
				fmt.Fprintf(&b, "{\"id\":\"%d\",\"customer\":\"c\",\"type\":\"purchase\",\"time\":%s}\n", i, at)
			}
			log := writeLog(t, "it's.ndjson", b.String())
			got := run(t, nil, nil, "backtest", "--activity", "purchase", "--events", log).want(t, exitFailed)
			advised := strings.Split(strings.TrimSpace(got.stderr), "\n")
			sort := exec.CommandContext(t.Context(), "sh", "-c", advised[len(advised)-1])
			sort.Dir = t.TempDir()
			out, err := sort.CombinedOutput()
			sorted, _ := os.ReadFile(filepath.Join(sort.Dir, "sorted.ndjson"))
			switch {
			case !c.sorts && (err == nil || !strings.Contains(string(out), "times with different offsets") || len(sorted) > 0):
				t.Errorf("%s: %v: %s\n%s", advised, err, out, sorted)
			case c.sorts && (err != nil || !strings.HasPrefix(string(sorted), `{"id":"2"`)):
				t.Errorf("%s: %v: %s\n%s", advised, err, out, sorted)
			}
		})
	}
}

// TestDemoRefusesDisorder: a log that runs backwards shows nothing of what ebb does; demo says so, as backtest does.
func TestDemoRefusesDisorder(t *testing.T) {
	var b strings.Builder
	b.WriteString(eventlog.CSVHeader + "\n")
	for i := range 100 {
		fmt.Fprintf(&b, "c%d,%d,purchase,1\n", i%7, 1_700_000_000-i*86_400*2)
	}
	log := writeLog(t, "l.csv", b.String())
	got := run(t, nil, nil, "demo", "--for", "0", "--events", log, "--activity", "purchase").want(t, exitFailed)
	if !strings.Contains(got.stderr, "99 of 100 events are more than a day older") ||
		!strings.Contains(got.stderr, "> sorted.csv") || got.stdout != "" {
		t.Errorf("stderr %s\nstdout %s", got.stderr, got.stdout)
	}
	got = run(t, nil, strings.NewReader(b.String()), "demo", "--for", "0", "--events", "-").want(t, exitFailed)
	if !strings.Contains(got.stderr, "head -n 1 LOG") {
		t.Error(got.stderr)
	}
}
