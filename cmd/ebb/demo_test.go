package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/demo"
	"ebb/cmd/ebb/eventlog"
	"ebb/cmd/ebb/view"
)

// demoLines parses the output of demo --json: alerts, and the summary as the last line.
func demoLines(t *testing.T, stdout string) (alerts []view.Alert, summary demo.Summary) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	for i, line := range lines {
		if i == len(lines)-1 {
			if err := json.Unmarshal([]byte(line), &summary); err != nil {
				t.Fatalf("summary %q: %v", line, err)
			}
			continue
		}
		var v view.Alert
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatalf("alert %q: %v", line, err)
		}
		alerts = append(alerts, v)
	}
	return alerts, summary
}

func TestDemoForPeople(t *testing.T) {
	o := run(t, nil, strings.NewReader(""), "demo", "--for", "0", "--customers", "1000").want(t, 0)
	for _, part := range []string{
		"a simulated shop (seed 1): 1,000 customers", "Kafka and Redis run inside this process", "usually back every", " raised ",
		"simulated customers left for good. ", "about visitors who had not bought", "Right: not back within 90d", "regulars",
		"a regular with ", "critical 80", "▲", "ebb demo --events LOG.csv",
	} {
		if !strings.Contains(o.stdout, part) {
			t.Errorf("nothing says %q in\n…%s", part, o.stdout[max(0, len(o.stdout)-2000):])
		}
	}
	if strings.Contains(o.stdout, "\x1b") || o.stderr != "" {
		t.Errorf("colour or bar where there is no terminal, or something on standard error:\n%.300q\n%s", o.stdout, o.stderr)
	}
}

// TestDemoOfABusiness: a pack is shown on the business that it is for, with the causes of that business.
func TestDemoOfABusiness(t *testing.T) {
	o := run(t, nil, strings.NewReader(""), "demo", "--for", "0", "--pack", "saas", "--customers", "300").want(t, 0)
	for _, part := range []string{"a simulated software vendor (seed 1): 300 customers", "pack saas", "10,000 and more a year"} {
		if !strings.Contains(o.stdout, part) {
			t.Errorf("nothing says %q in\n…%s", part, o.stdout[max(0, len(o.stdout)-2000):])
		}
	}
}

func TestDemoOnALog(t *testing.T) {
	var log bytes.Buffer
	fmt.Fprintln(&log, eventlog.CSVHeader)
	for week := range 80 {
		for c := range 60 { // enough for each partition to have some who stay, whose events advance its time
			if c < 30 || week < 20 { // half of the customers stop after 20 weeks
				fmt.Fprintf(&log, "c%d,%d,purchase,9.50\n", c, 1_600_000_000+week*7*86_400+c*60)
			}
		}
	}
	o := run(
		t,
		nil,
		&log,
		"demo",
		"--for",
		"0",
		"--events",
		"-",
		"--activity",
		"purchase",
		"--horizon",
		"30d",
		"--json",
	).want(t, 0)
	alerts, got := demoLines(t, o.stdout)
	if got.Events != 3000 || got.Simulated || got.Truth != nil {
		t.Errorf("summary %+v of a log of 3,000 events whose leavers nobody knows", got)
	}
	silent := map[string]bool{}
	for _, a := range alerts {
		silent[a.Customer] = a.Transition != "recovered"
	}
	for c := range 60 {
		if name := fmt.Sprintf("c%d", c); silent[name] != (c >= 30) {
			t.Errorf("%s is silent: %v, want %v", name, silent[name], c >= 30)
		}
	}
}

func TestDemoStoppedEarly(t *testing.T) {
	ctx, stop := context.WithCancelCause(t.Context())
	var stdout, stderr output
	p := process{
		args:   []string{"demo", "--for", "2m", "--json"},
		stdin:  strings.NewReader(""),
		stdout: &stdout,
		stderr: &stderr,
	}
	code := make(chan int, 1)
	go func() { code <- p.run(ctx, func(int) { panic("second signal") }) }()
	eventually(t, "the first alert is shown", func() bool { return strings.Contains(stdout.String(), `"raised"`) })
	stop(advice.Stopped{Signal: syscall.SIGINT})
	if c := <-code; c != 0 {
		t.Fatalf("exit code %d\n%s", c, stderr.String())
	}
	if _, s := demoLines(t, stdout.String()); !s.Stopped {
		t.Errorf("the summary does not say that the demo was stopped: %+v", s)
	}
}

// TestDemoStoppedWhileItReads: a log that is slow to come on standard input does not hold up Ctrl-C.
func TestDemoStoppedWhileItReads(t *testing.T) {
	ctx, stop := context.WithCancelCause(t.Context())
	stdin, writer := io.Pipe()
	defer writer.Close()
	var stdout, stderr output
	p := process{args: []string{"demo", "--events", "-"}, stdin: stdin, stdout: &stdout, stderr: &stderr}
	code := make(chan int, 1)
	go func() { code <- p.run(ctx, func(int) { panic("second signal") }) }()
	if _, err := io.WriteString(writer, eventlog.CSVHeader+"\n"); err != nil {
		t.Fatal(err)
	}
	stop(advice.Stopped{Signal: syscall.SIGINT})
	select {
	case c := <-code:
		if c != 130 || !strings.Contains(stderr.String(), "stopped by Ctrl-C") {
			t.Errorf("exit code %d\n%s", c, stderr.String())
		}
	case <-time.After(20 * time.Second):
		t.Fatal("still reading")
	}
}
