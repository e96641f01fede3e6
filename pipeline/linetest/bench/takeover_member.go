package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"time"

	"ebb/pipeline/linetest/ports"
)

// member is a running ebb under an instance id of its own.
type member struct {
	name    string
	http    string // address
	leaves  bool   // started with --leave
	diary   diary
	process *exec.Cmd
	started time.Time
	ended   chan struct{} // closed after err is set
	err     error
}

// startMember starts ebb and does not wait until it is ready.
func (g *group) startMember(ctx context.Context, name string, leave bool) (*member, error) {
	address, err := ports.Address(ctx)
	if err != nil {
		return nil, err
	}
	var flags []string
	if leave {
		flags = append(flags, "--leave")
	}
	m := &member{name: name, http: address, leaves: leave, process: g.command(ctx, flags...), ended: make(chan struct{})}
	m.process.Env = append(
		m.process.Environ(),
		"EBB_KAFKA_INSTANCE_ID="+name,
		"EBB_HTTP_LISTEN="+address,
	)
	if d := g.outage.session; d > 0 {
		m.process.Env = append(m.process.Env, "EBB_KAFKA_SESSION_TIMEOUT="+d.String())
	}
	if d := g.outage.heartbeat; d > 0 {
		m.process.Env = append(m.process.Env, "EBB_KAFKA_HEARTBEAT="+d.String())
	}
	m.process.Stderr = &m.diary
	m.started = time.Now()
	if err := m.process.Start(); err != nil {
		return nil, err
	}
	go func() {
		m.err = m.process.Wait()
		close(m.ended)
	}()
	return m, nil
}

// kill ends the process as kill -9 does, and returns when it is gone.
func (m *member) kill() {
	_ = m.process.Process.Kill() // a process that has already ended needs no signal
	<-m.ended
}

// stop ends the process by SIGTERM, which must make it exit with 0.
func (m *member) stop() error {
	_ = m.process.Process.Signal(syscall.SIGTERM) // if it has already ended, that is reported below
	select {
	case <-m.ended:
	case <-time.After(patience):
		m.kill()
		return fmt.Errorf("%s took SIGTERM and still ran after %v\n%s", m.name, patience, m.diary.tail())
	}
	if m.err != nil {
		return fmt.Errorf("%s took SIGTERM badly: %w\n%s", m.name, m.err, m.diary.tail())
	}
	return nil
}

// alive is an error once the process has ended.
func (m *member) alive() error {
	select {
	case <-m.ended:
		return errors.Join(fmt.Errorf("%s has ended:\n%s", m.name, m.diary.tail()), m.err)
	default:
		return nil
	}
}

// said is a line of a member's log, and when it was read.
type said struct {
	at         time.Time
	Message    string
	Generation int32
	Partition  int32
	Partitions []int32
	Published  int64
	Took       float64 // ms
	Config     map[string]string
}

// Lines of the log that this program looks for.
const (
	saidStarting = "starting"
	saidJoined   = "joined group"
	saidGivenUp  = "generation given up"
	saidTaken    = "partition taken over"
)

// diary reads a process's log line by line.
type diary struct {
	mu    sync.Mutex
	part  []byte // of a line
	lines []said
	last  [][]byte // the last few lines, unchanged
}

// Write implements io.Writer.
func (d *diary) Write(b []byte) (int, error) {
	at := time.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.part = append(d.part, b...)
	for {
		line, rest, whole := bytes.Cut(d.part, []byte("\n"))
		if !whole {
			return len(b), nil
		}
		d.last = append(d.last[max(0, len(d.last)-29):], bytes.Clone(line))
		one := said{at: at, Partition: -1}
		if json.Unmarshal(line, &one) == nil { // a line that is no JSON belongs to a crash, and is kept in the tail
			d.lines = append(d.lines, one)
		}
		d.part = rest
	}
}

// tail is the end of the log, for an error.
func (d *diary) tail() []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return bytes.Join(append(slices.Clone(d.last), d.part), []byte("\n"))
}

// all lists the lines with this message after a moment.
func (d *diary) all(message string, after time.Time) (out []said) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.lines {
		if s.Message == message && s.at.After(after) {
			out = append(out, s)
		}
	}
	return out
}

// latest is the last line with this message in an interval.
func (d *diary) latest(message string, after, until time.Time) (said, bool) {
	all := d.all(message, after)
	for _, a := range slices.Backward(all) {
		if !a.at.After(until) {
			return a, true
		}
	}
	return said{}, false
}

// taken is the first line that reports the partition as taken over.
func (d *diary) taken(partition int32, after time.Time) (said, bool) {
	all := d.all(saidTaken, after)
	i := slices.IndexFunc(all, func(s said) bool { return s.Partition == partition })
	if i < 0 {
		return said{}, false
	}
	return all[i], true
}

// place is the member's present generation and its partitions, from the latest "joined group".
func (m *member) place() (generation int32, partitions []int32) {
	joined, ok := m.diary.latest(saidJoined, m.started, time.Now())
	if !ok {
		return 0, nil
	}
	return joined.Generation, joined.Partitions
}
