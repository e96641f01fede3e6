package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/eventlog"
	"ebb/scoring/scoringtest/golden"
)

// diffFiles are the two packs that the tests compare.
const diffFiles = "testdata/packs_diff_a.yaml testdata/packs_diff_b.yaml"

// TestPacksDiff shows the output of packs diff: testdata/packs_diff.golden is made to be read.
func TestPacksDiff(t *testing.T) {
	log := shopLog(t, 250)
	var shown strings.Builder
	for _, c := range []struct {
		name, args string
		code       int
	}{
		{"what is declared", diffFiles, exitFailed},
		{"a pack with itself", "testdata/packs_diff_b.yaml testdata/packs_diff_b.yaml", exitOK},
		{"on a log", diffFiles + " --events LOG --at 2025-09-01", exitFailed},
		{"a pack with itself on a log", "testdata/packs_diff_a.yaml testdata/packs_diff_a.yaml --events LOG", exitOK},
	} {
		args := strings.Fields("packs diff " + strings.ReplaceAll(c.args, "LOG", log))
		o := run(t, nil, nil, args...).want(t, c.code)
		fmt.Fprintf(&shown, "## %s\n$ ebb packs diff %s\n%s%s\n", c.name, c.args, o.stdout, o.stderr)
		if wide := tooWide(o.stdout, 80); len(wide) > 0 {
			t.Errorf("%s: too wide\n%s", c.name, strings.Join(wide, ""))
		}
	}
	golden.File(t, "packs_diff.golden", shown.String())
}

// TestPacksDiffJSON: the output for machines, and a log from a pipe.
func TestPacksDiffJSON(t *testing.T) {
	log := shopLog(t, 100)
	args := append([]string{"packs", "diff"}, strings.Fields(diffFiles)...)
	args = append(args, "--json", "--examples", "1", "--events")
	file := run(t, nil, nil, append(args, log)...).want(t, exitFailed).stdout
	in, err := os.Open(log)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	piped := run(t, nil, in, append(args, "-")...).want(t, exitFailed).stdout
	var said [2]map[string]any
	for i, text := range []string{file, piped} {
		if err := json.Unmarshal([]byte(text), &said[i]); err != nil {
			t.Fatal(err)
		}
		said[i]["decided"].(map[string]any)["log"] = "LOG"
	}
	indented, err := json.MarshalIndent(said[0], "", " ")
	if err != nil {
		t.Fatal(err)
	}
	golden.File(t, "packs_diff.json", string(indented)+"\n")
	again, err := json.MarshalIndent(said[1], "", " ")
	if err != nil || string(again) != string(indented) {
		t.Errorf("standard input differs from the file: %v\n%s", err, again)
	}
}

// TestPacksDiffTrouble: whatever prevents the comparison has exit code 2, since 1 means that the packs differ.
func TestPacksDiffTrouble(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	bad := write(
		"bad.csv",
		eventlog.CSVHeader+"\nc1,1600000000,Order Completed,1\nc1,yesterday,Order Completed,1\nc1,1600800000,Order "+
			"Completed,1\n",
	)
	empty := write("empty.csv", eventlog.CSVHeader+"\n")
	broken := write("broken.yaml", "name: broken\n")
	see := "\n  see: ebb packs diff --help\n"
	tests := []struct {
		args   string
		code   int
		stderr string
	}{
		{"retail", exitUsage, "it takes two packs, A and B, found 1" + see},
		{"retail nosuch", exitUsage, ""},
		{"retail " + broken, exitUsage, ""},
		{"retail saas --at 2025-01-01", exitUsage, "--at needs --events, a log to compare on" + see},
		{"retail saas --events nowhere.csv", exitUsage, "open nowhere.csv: no such file or directory\n"},
		{"retail saas --events " + empty, exitUsage, empty + " holds no events\n"},
		{
			"retail saas --events " + bad,
			exitUsage,
			bad + ":3: the time is neither RFC 3339 nor seconds or milliseconds since 1970\n" +
				"  mend the line, or leave out what cannot be used with --skip-bad\n",
		},
		{"retail saas --skip-bad --events " + bad, exitUsage, "no event in " + bad + " is activity for the pack saas\n" +
			"  say which event types are with --activity, such as --activity purchase; --activity '*' takes all\n"},
		{
			"retail retail --skip-bad --at 2021-01-01 --events " + bad,
			exitUsage,
			"2021-01-01 lies outside the log, which begins on 2020-09-13 and ends on 2020-09-22" + see,
		},
		{"retail retail --skip-bad --events " + bad, exitOK, ""},
	}
	for _, test := range tests {
		t.Run(test.args, func(t *testing.T) {
			got := run(t, nil, nil, append([]string{"packs", "diff"}, strings.Fields(test.args)...)...).want(t, test.code)
			if test.stderr != "" && got.stderr != "ebb packs diff: "+test.stderr {
				t.Errorf("stderr %q, want %q", got.stderr, test.stderr)
			}
			if test.code == exitUsage && (got.stdout != "" || got.stderr == "") {
				t.Errorf("stdout %q, stderr %q", got.stdout, got.stderr)
			}
		})
	}
}

// TestPacksDiffStopped: Ctrl-C ends it while a slow standard input is read.
func TestPacksDiffStopped(t *testing.T) {
	ctx, stop := context.WithCancelCause(t.Context())
	stdin := newSilentInput()
	var stdout, stderr output
	p := process{
		args:   []string{"packs", "diff", "retail", "saas", "--events", "-"},
		stdin:  stdin,
		stdout: &stdout,
		stderr: &stderr,
	}
	code := make(chan int)
	go func() { code <- p.run(ctx, func(int) { panic("second signal") }) }()
	<-stdin.asked
	stop(advice.Stopped{Signal: syscall.SIGINT})
	if c := <-code; c != 130 || stderr.String() != "ebb packs diff: stopped by Ctrl-C\n" || stdout.String() != "" {
		t.Errorf("exit code %d\n%s%s", c, stdout.String(), stderr.String())
	}
}

// TestPacksDiffOrder: where two packs declare the same in another order, and the order matters, the output shows it.
func TestPacksDiffOrder(t *testing.T) {
	dir := t.TempDir()
	write := func(name, factors string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		text := "name: p\nversion: 1\nhorizon: 30d\nactivity: [a]\nsignals: {s: {types: [x, y]}}\nfeatures: {f: {kind: " +
			"count, of: s, within: 30d}}\nfactors: [" + factors + "]\n"
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	one, two := "{code: incident, feature: f, curve: [[0, 0], [1, 0.5]]}", "{code: dispute_open, feature: f, curve: "+
		"[[0, 0], [1, 0.5]]}"
	a, b := write("a.yaml", one+", "+two), write("b.yaml", two+", "+one)
	if o := run(t, nil, nil, "packs", "diff", a, b).want(t, exitFailed); !strings.Contains(o.stdout, "order") {
		t.Error(o.stdout)
	}
}

// TestMissingArguments: commands that read no standard input do not mention it.
func TestMissingArguments(t *testing.T) {
	for _, command := range []string{"packs validate", "inspect"} {
		o := run(t, nil, nil, strings.Fields(command)...).want(t, exitUsage)
		if !strings.Contains(o.stderr, "is missing") || strings.Contains(o.stderr, "standard input") {
			t.Error(o.stderr)
		}
	}
}
