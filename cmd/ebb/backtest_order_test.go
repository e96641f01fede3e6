package main

import (
	"fmt"
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
	for name, text := range map[string]string{
		"newest first.csv": eventlog.CSVHeader + "\n" + strings.Join(newestFirst, "\n") + "\n",
		"by_customer.csv":  eventlog.CSVHeader + "\n" + strings.Join(byCustomer, "\n") + "\n",
		"packed.csv.gz":    eventlog.CSVHeader + "\n" + strings.Join(newestFirst, "\n") + "\n",
		"dates.csv":        strings.ReplaceAll(eventlog.CSVHeader, ",", ";") + "\n" + strings.Join(dates, "\n") + "\n",
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
				if strings.HasSuffix(name, ".ndjson") { // sorted by a program that is not everywhere
					if !strings.Contains(got.stderr, "jq -s -c 'sort_by(.timestamp // .originalTimestamp // .sentAt)[]' "+log) {
						t.Error(got.stderr)
					}
					continue
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
					filepath.Join(sort.Dir, "sorted.csv"),
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
