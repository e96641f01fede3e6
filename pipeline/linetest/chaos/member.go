package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"ebb/pipeline/linetest/chaos/breakable"
)

// member is a place in the group: a processor that is started, killed, stopped and started again under one instance id.
type member struct {
	name          string
	command       []string // program and arguments
	kafka, redis  *breakable.Link
	found         func(finding)
	heard         func(line []byte)
	log           *memberLog
	busy          sync.Mutex  // locked by the fault that holds it
	wanted        atomic.Bool // it should be up
	faults        atomic.Bool // it may be kept from ending in order
	expected      *atomic.Pointer[stop]
	refusedStarts atomic.Int64

	mu   sync.Mutex
	life *life // nil while it is down
}

// life is one process of a member.
type life struct {
	cmd    *exec.Cmd
	asked  atomic.Bool // to end, or killed
	ended  chan struct{}
	err    error // once ended
	began  time.Time
	worked atomic.Bool // it has logged that it reached the group
}

// finding is something that must not happen, with the evidence.
type finding struct {
	At     time.Time `json:"at"`
	Who    string    `json:"who"`
	What   string    `json:"what"`
	Detail string    `json:"detail"`
}

func newMember(name, dir string, command []string, found func(finding)) (*member, error) {
	log, err := os.OpenFile(filepath.Join(dir, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	m := &member{name: name, command: command, found: found, log: &memberLog{file: log}}
	m.log.line = m.read
	return m, nil
}

// start starts the member, unless it is up.
func (m *member) start(ctx context.Context) error {
	m.wanted.Store(true)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.life != nil {
		return nil
	}
	l := &life{
		cmd:   exec.CommandContext(context.WithoutCancel(ctx), m.command[0], m.command[1:]...),
		ended: make(chan struct{}),
		began: time.Now(),
	}
	l.cmd.Stderr, l.cmd.Stdout = m.log, m.log
	breakable.Detach(l.cmd)
	m.log.note("started")
	if err := l.cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", m.name, err)
	}
	m.life = l
	go m.attend(ctx, l)
	return nil
}

// attend waits for the end of a life. An end that nothing requested is a finding, unless the process could not even
// begin because a service was away. Then it is started again, as a supervisor would do.
func (m *member) attend(ctx context.Context, l *life) {
	l.err = l.cmd.Wait()
	m.mu.Lock()
	if m.life == l {
		m.life = nil
	}
	m.mu.Unlock()
	close(l.ended)
	switch {
	case l.asked.Load():
		m.judge(l)
	case !l.worked.Load() && l.cmd.ProcessState.ExitCode() == 1:
		m.refusedStarts.Add(1)
		select {
		case <-time.After(500 * time.Millisecond):
			if !m.wanted.Load() {
				return
			}
			if err := m.start(ctx); err != nil {
				m.found(finding{time.Now(), m.name, "cannot be started", err.Error()})
			}
		case <-ctx.Done():
		}
	case m.expected.Load() != nil: // whoever expects it starts the member again
	default:
		m.found(finding{time.Now(), m.name, "ended by itself: " + l.cmd.ProcessState.String(), m.log.tail()})
	}
}

// judge checks how a process ended on request: killed, in order, before it had begun, or, where there are faults, with
// its drain cut short because the timeout passed or its partitions were lost on the way.
func (m *member) judge(l *life) {
	status := l.cmd.ProcessState.Sys().(syscall.WaitStatus) //nolint:forcetypeassert // Unix returns this type
	killed := status.Signaled() && status.Signal() == syscall.SIGKILL
	if killed || status.ExitStatus() == 0 || !l.worked.Load() || m.expected.Load() != nil {
		return // one that has just stopped as expected may be asked to end as well
	}
	const stopped = 128 + int(syscall.SIGTERM)
	if m.faults.Load() && (status.ExitStatus() == stopped || strings.Contains(m.log.tail(), "shutdown_timeout passed")) {
		return
	}
	m.found(finding{time.Now(), m.name, "ended badly when asked to: " + l.cmd.ProcessState.String(), m.log.tail()})
}

// up reports whether the member runs.
func (m *member) up() bool { return m.current() != nil }

func (m *member) current() *life {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.life
}

// kill ends the member as kill -9 does.
func (m *member) kill() {
	if l := m.signal(syscall.SIGKILL, true); l != nil {
		<-l.ended
	}
}

// terminate signals the member to end, and kills it if it does not.
func (m *member) terminate() {
	l := m.signal(syscall.SIGTERM, true)
	if l == nil {
		return
	}
	select {
	case <-l.ended:
	case <-time.After(drainPatience):
		m.found(finding{time.Now(), m.name, fmt.Sprintf("did not end within %v of SIGTERM", drainPatience), m.log.tail()})
		m.signal(syscall.SIGQUIT, true) // prints its stacks
		<-l.ended
	}
}

// drainPatience is longer than the members' shutdown_timeout plus the time to close.
const drainPatience = 40 * time.Second

// freeze stops the member; thaw lets it go on.
func (m *member) freeze() { m.signal(syscall.SIGSTOP, false) }
func (m *member) thaw()   { m.signal(syscall.SIGCONT, false) }

// stayDown keeps a member that cannot begin from being started again.
func (m *member) stayDown() { m.wanted.Store(false) }

// signal sends s to the present life, if there is one, and returns it.
func (m *member) signal(s syscall.Signal, ends bool) *life {
	l := m.current()
	if l == nil {
		return nil
	}
	if ends {
		l.asked.Store(true)
	}
	m.log.note(s.String())
	if err := l.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		m.found(finding{time.Now(), m.name, "cannot be sent " + s.String(), err.Error()})
	}
	return l
}

// read takes in one line of the log.
func (m *member) read(line []byte) {
	if l := m.current(); l != nil && bytes.Contains(line, []byte(`"generation"`)) {
		l.worked.Store(true)
	}
	m.heard(line)
	if bytes.Contains(line, []byte("partition stopped")) && !m.expected.Load().reports(line) {
		m.found(finding{time.Now(), m.name, "a partition stopped", string(line)})
	}
}

// memberLog writes a member's log to its file, and keeps the end of it.
type memberLog struct {
	file *os.File
	line func([]byte)

	mu   sync.Mutex
	last [][]byte // lines
	rest []byte   // of the line that is not complete
}

const tailLines = 25

func (l *memberLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	l.rest = append(l.rest, p...)
	var lines [][]byte
	for {
		line, rest, whole := bytes.Cut(l.rest, []byte("\n"))
		if !whole {
			break
		}
		lines, l.rest = append(lines, bytes.Clone(line)), rest
	}
	l.keep(lines...)
	l.mu.Unlock()
	for _, line := range lines {
		l.line(line)
	}
	return l.file.Write(p)
}

// note adds a line of the test to the log.
func (l *memberLog) note(what string) {
	line := fmt.Sprintf(`{"chaos":%q,"time":%q}`, what, time.Now().UTC().Format(time.RFC3339Nano))
	l.mu.Lock()
	defer l.mu.Unlock()
	l.keep([]byte(line))
	fmt.Fprintln(l.file, line)
}

func (l *memberLog) keep(lines ...[]byte) {
	l.last = append(l.last, lines...)
	l.last = l.last[max(0, len(l.last)-tailLines):]
}

func (l *memberLog) tail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(bytes.Join(l.last, []byte("\n")))
}
