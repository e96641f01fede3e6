//go:build integration

package linetest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ebb/pipeline/linetest/services"
)

// patience is how long a test waits for something that takes a second or two.
const patience = 90 * time.Second

// process is a running ebb.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdout output
	stderr output
	ended  chan struct{}
}

// output collects what a process writes while others read it.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// start runs the program with extra variables. It is killed at the end of the test if it still runs, and its log is
// shown if the test failed.
func start(t *testing.T, variables []string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.CommandContext(context.Background(), program, args...), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	p.cmd.Env = append(os.Environ(), variables...)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		var exit *exec.ExitError
		if err := p.cmd.Wait(); err != nil && !errors.As(err, &exit) {
			p.stderr.Write([]byte(err.Error())) //nolint:errcheck // a buffer takes everything
		}
	}()
	t.Cleanup(func() {
		p.signal(syscall.SIGKILL)
		<-p.ended
		if t.Failed() {
			t.Logf("ebb %s\n%s", strings.Join(args, " "), tail(p.stderr.String(), 60))
		}
	})
	return p
}

// signal sends s; a process that has already ended is no error.
func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Fatal(err)
	}
}

// wait waits until the process ends by itself and returns how it did.
func (p *process) wait() syscall.WaitStatus {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.signal(syscall.SIGQUIT) // prints its stacks
		<-p.ended
		p.t.Fatalf("still running after %s:\n%s", patience, tail(p.stderr.String(), 400))
	}
	return p.cmd.ProcessState.Sys().(syscall.WaitStatus)
}

// summary is the last line that run --until-end prints on stdout.
type summary struct {
	Events, Alerts, Quarantined, Late, Duplicates int
	Seconds                                       float64
}

// finish waits until the process ends in order and returns its summary.
func (p *process) finish() summary {
	p.t.Helper()
	if s := p.wait(); s.ExitStatus() != 0 {
		p.t.Fatalf("exit status %d (signal %v):\n%s", s.ExitStatus(), s.Signal(), tail(p.stderr.String(), 60))
	}
	lines := strings.Split(strings.TrimSpace(p.stdout.String()), "\n")
	var s summary
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &s); err != nil {
		p.t.Fatalf("last line of stdout is no summary: %v\n%s", err, p.stdout.String())
	}
	return s
}

// says waits until the process has logged all the words in one line.
func (p *process) says(words ...string) {
	p.t.Helper()
	p.until("the log says "+strings.Join(words, " "), func() bool {
		for line := range strings.Lines(p.stderr.String()) {
			if containsAll(line, words) {
				return true
			}
		}
		return false
	})
}

// until waits for a condition that the process, which has to keep running, brings about.
func (p *process) until(what string, met func() bool) {
	p.t.Helper()
	ended := false
	eventually(p.t, what, func() bool {
		select {
		case <-p.ended:
			ended = true
		default:
		}
		return met() || ended
	})
	if ended && !met() {
		p.t.Fatalf("the process ended before %s:\n%s", what, tail(p.stderr.String(), 60))
	}
}

func containsAll(line string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(line, w) {
			return false
		}
	}
	return true
}

// eventually fails the test if the condition is not met in time.
func eventually(t *testing.T, what string, met func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := services.Until(ctx, what, met); err != nil {
		t.Fatal(err)
	}
}

func tail(s string, lines int) string {
	all := strings.Split(strings.TrimRight(s, "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
