package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// member is a process of the program, with what it has said since.
type member struct {
	config  string // file
	cmd     *exec.Cmd
	file    *os.File
	address string
	ended   chan struct{}
	unwatch context.CancelFunc

	mu      sync.Mutex
	lines   []remark // of its log
	answers []remark // of /readyz, where one differs from that before
}

// remark is something that the program has said.
type remark struct {
	at     time.Time
	status int // of HTTP; 0: there was no answer, or it is a line of the log
	text   string
}

const ready = http.StatusOK

func startMember(ctx context.Context, log, address string, command []string) (*member, error) {
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	m := &member{
		cmd: exec.CommandContext(ctx, command[0], command[1:]...), file: file, address: address,
		ended: make(chan struct{}), unwatch: cancel,
	}
	m.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // we end it ourselves
	out, in := io.Pipe()
	m.cmd.Stdout, m.cmd.Stderr = in, in
	if err := m.cmd.Start(); err != nil {
		cancel()
		return nil, fmt.Errorf("start %s: %w", command[0], err)
	}
	read := make(chan struct{})
	go func() { defer close(read); m.read(out) }()
	go func() {
		defer close(m.ended)
		_ = m.cmd.Wait() // its state says how it ended
		_ = in.Close()
		<-read
	}()
	go m.watch(ctx)
	return m, nil
}

// read takes in the log.
func (m *member) read(out io.Reader) {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		m.mu.Lock()
		m.lines = append(m.lines, remark{at: time.Now(), text: lines.Text()})
		m.mu.Unlock()
		fmt.Fprintln(m.file, lines.Text())
	}
	_ = m.file.Close() // what it said is kept in memory as well
}

// watch asks /readyz several times a second.
func (m *member) watch(ctx context.Context) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		case <-m.ended:
			return
		}
		r := m.ask(ctx)
		m.mu.Lock()
		if n := len(m.answers); n == 0 || m.answers[n-1].status != r.status || m.answers[n-1].text != r.text {
			m.answers = append(m.answers, r)
		}
		m.mu.Unlock()
	}
}

func (m *member) ask(ctx context.Context) (r remark) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r.at = time.Now()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+m.address+"/readyz", http.NoBody)
	if err != nil {
		return r
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return r
	}
	defer func() { _ = resp.Body.Close() }()
	var body bytes.Buffer
	if _, err := body.ReadFrom(resp.Body); err != nil {
		return r
	}
	r.status, r.text = resp.StatusCode, strings.TrimSpace(body.String())
	return r
}

// now is the latest answer of /readyz.
func (m *member) now() (r remark) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := len(m.answers); n > 0 {
		r = m.answers[n-1]
	}
	return r
}

// since are the lines of the log and the answers of /readyz since an instant.
func (m *member) since(at time.Time) (lines, answers []remark) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return after(m.lines, at), after(m.answers, at)
}

func after(all []remark, at time.Time) (later []remark) {
	for _, r := range all {
		if !r.at.Before(at) {
			later = append(later, r)
		}
	}
	return later
}

// tail is the end of the log.
func (m *member) tail(n int) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var lines []string
	for _, l := range m.lines[max(0, len(m.lines)-n):] {
		lines = append(lines, l.text)
	}
	return strings.Join(lines, "\n")
}

// exited reports whether the process has ended, and with which status.
func (m *member) exited() (status int, ended bool) {
	select {
	case <-m.ended:
		return m.cmd.ProcessState.ExitCode(), true
	default:
		return 0, false
	}
}

// kill ends the process as kill -9 does.
func (m *member) kill() {
	m.unwatch() // ends it
	<-m.ended
}

// leave asks the process, where it runs, to end in order.
func (m *member) leave(ctx context.Context) error {
	if _, ended := m.exited(); ended {
		return nil
	}
	if err := m.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-m.ended:
		return nil
	case <-time.After(40 * time.Second):
		return fmt.Errorf("it did not end when asked to: %s", m.tail(5))
	case <-ctx.Done():
		return ctx.Err()
	}
}
