package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ebb/cmd/ebb/advice"
	"ebb/pipeline"
	"ebb/pipeline/decode"
)

// TestSimulate writes a shop that the line's own decoder accepts, and its truth.
func TestSimulate(t *testing.T) {
	truth := filepath.Join(t.TempDir(), "left.csv")
	got := run(
		t,
		nil,
		nil,
		"simulate",
		"--customers",
		"300",
		"--days",
		"400",
		"--seed",
		"3",
		"--truth",
		truth,
	).want(t, exitOK)
	d, e, customers, events := decode.New(0), pipeline.Event{}, map[string]bool{}, int64(0)
	for line := range strings.Lines(got.stdout) {
		d.Decode(&pipeline.Record{Value: []byte(line)}, &e)
		anonymous := e.Envelope == pipeline.Segment
		if e.Code != pipeline.Usable || len(e.ID) == 0 || anonymous != bytes.HasPrefix(e.Customer, []byte("a-")) ||
			e.HasValue != (string(e.Currency[:]) == "EUR") {
			t.Fatalf("%s: %v", line, e.Code)
		}
		customers[string(e.Customer)] = true
		events++
	}
	rows, err := csv.NewReader(bufio.NewReader(openFile(t, truth))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	left := 0
	for _, row := range rows[1:] {
		if customers[row[0]] {
			left++
		}
	}
	if len(customers) != 300+150 || left != len(rows)-1 || left < 60 {
		t.Errorf("%d customers and visitors, %d of %d in the truth among them", len(customers), left, len(rows)-1)
	}
	want := "simulated: " + advice.Grouped(
		events,
	) + " events of 300 customers, to 2026-02-04; " + advice.Grouped(
		int64(left),
	) + " of them left; feeds were cut 3 times\n"
	if got.stderr != want {
		t.Errorf("stderr %q, want %q", got.stderr, want)
	}
}

func openFile(t *testing.T, name string) *os.File {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// TestSimulateOutput: a file holds the same as standard output, for either pack, and the same seed gives the same log.
func TestSimulateOutput(t *testing.T) {
	name := filepath.Join(t.TempDir(), "shop.ndjson")
	toFile := run(t, nil, nil, "simulate", "--events", "5000", "--pack", "any", "-o", name).want(t, exitOK)
	toStdout := run(t, nil, nil, "simulate", "--events", "5000", "--seed", "1").want(t, exitOK)
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if toFile.stdout != "" || string(b) != toStdout.stdout || bytes.Count(b, []byte("\n")) != 5000 {
		t.Errorf(
			"%d bytes in the file with %d lines, %d on standard output",
			len(b),
			bytes.Count(b, []byte("\n")),
			len(toStdout.stdout),
		)
	}
}

func TestSimulateTooFew(t *testing.T) {
	got := run(t, nil, nil, "simulate", "--events", "1000000", "--customers", "2", "--days", "10").want(t, exitOK)
	if !strings.HasSuffix(got.stderr, "fewer than the 1,000,000 events asked for: give it more customers or more days\n") {
		t.Errorf("stderr %q", got.stderr)
	}
}

func TestSimulateRefused(t *testing.T) {
	for _, c := range []struct {
		args, want string
	}{
		{"--pack shop", `ebb simulate: --pack is any or one of retail, saas, creator, marketplace, marketplace_seller, found "shop"`},
		{"--customers -5", "ebb simulate: customers must be between 1 and 50000000, found -5"},
		{"--days 0", "ebb simulate: --days must be above 0, found 0"},
		{"--events -1", "ebb simulate: events must not be negative, found -1"},
		{"-o same --truth same", "ebb simulate: --output and --truth are the same file, same"},
		{"extra", `ebb simulate: it takes flags alone, found "extra"`},
	} {
		got := run(t, nil, nil, append([]string{"simulate"}, strings.Fields(c.args)...)...).want(t, exitUsage)
		if diff := cmp.Diff(c.want+"\n  see: ebb simulate --help\n", got.stderr); diff != "" || got.stdout != "" {
			t.Errorf("%s: want (-), got (+):\n%s", c.args, diff)
		}
	}
	got := run(t, nil, nil, "simulate", "-o", filepath.Join(t.TempDir(), "no", "such", "folder")).want(t, exitFailed)
	if !strings.HasPrefix(got.stderr, "ebb simulate: create file: ") {
		t.Errorf("stderr %q", got.stderr)
	}
}

// stopAfter cancels after so many bytes.
type stopAfter struct {
	bytes.Buffer
	bytes int
	stop  func()
}

func (w *stopAfter) Write(b []byte) (int, error) {
	if w.Len() > w.bytes {
		w.stop()
	}
	return w.Buffer.Write(b)
}

// TestSimulateStopped: Ctrl-C ends it soon, with whole lines written.
func TestSimulateStopped(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	out := &stopAfter{bytes: 1 << 20, stop: func() { cancel(advice.Stopped{Signal: syscall.SIGINT}) }}
	cmd := newSimulateCommand()
	cmd.SetArgs([]string{"--events", "100000000", "--customers", "2000", "--days", "36000"})
	cmd.SetOut(out)
	cmd.SetErr(new(bytes.Buffer))
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	if err := cmd.ExecuteContext(ctx); !errors.As(err, new(advice.Stopped)) {
		t.Errorf("error %v", err)
	}
	if n := out.Len(); n < 1<<20 || n > 4<<20 || !bytes.HasSuffix(out.Bytes(), []byte("}\n")) {
		t.Errorf("%d bytes, ending %q", n, out.Bytes()[max(0, n-20):])
	}
}

// TestSimulateReaderGone: a reader that closes the pipe causes no failure.
func TestSimulateReaderGone(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	p := process{args: []string{"simulate"}, stdin: strings.NewReader(""), stdout: w, stderr: &stderr}
	if code := p.run(t.Context(), func(int) { panic("second signal") }); code != exitOK || stderr.Len() > 0 {
		t.Errorf("exit code %d, stderr %q", code, stderr.String())
	}
}
