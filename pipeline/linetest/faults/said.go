package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"ebb/pipeline/linetest/chaos/breakable"
)

// bound is within which time a fault has to be said.
const bound = time.Minute

// sign is how a fault is said: a code, or a state of /readyz.
type sign string

func (s sign) in(text string) bool {
	if state, ok := strings.CutPrefix(string(s), "state "); ok {
		return strings.Contains(text, `"state":"`+state+`"`)
	}
	return strings.Contains(text, `"code":"`+string(s)+`"`) || strings.Contains(text, string(s)+": ")
}

// done notes that the fault was done just now.
func (t *trial) done() { t.injected = time.Now() }

// says waits until a member says one of the signs, in its log or in /readyz, and is not ready. It fills the row.
func (t *trial) says(m *member, signs ...sign) error {
	err := breakable.Until(
		t.ctx,
		bound-time.Since(t.injected),
		fmt.Sprintf("it says %q", signs),
		func(context.Context) error {
			found, at, ok := m.said(t.injected, signs)
			if !ok {
				status, ended := m.exited()
				return fmt.Errorf("not said; ended: %v, status %d; readyz: %s; log:\n%s", ended, status, m.now().text, m.tail(8))
			}
			t.row.Sign, t.row.Seconds = string(found), max(t.row.Seconds, at.Sub(t.injected).Seconds())
			return nil
		},
	)
	t.tell(m)
	if err != nil {
		return err
	}
	return breakable.Until(t.ctx, 5*time.Second, "it is not ready", func(context.Context) error {
		status, ended := m.exited()
		switch now := m.now(); {
		case ended:
			t.row.Ready = fmt.Sprintf("ended, status %d", status)
		case now.status == ready:
			return fmt.Errorf("it is ready, though it says what is wrong: %s", now.text)
		default:
			t.row.Ready = "not ready"
		}
		return nil
	})
}

// said finds the first of what it has said since an instant that bears one of the signs.
func (m *member) said(since time.Time, signs []sign) (found sign, at time.Time, ok bool) {
	lines, answers := m.since(since)
	for _, all := range [][]remark{lines, answers} {
		for _, r := range all {
			for _, s := range signs {
				if s.in(r.text) && (!ok || r.at.Before(at)) {
					found, at, ok = s, r.at, true
				}
			}
		}
	}
	return found, at, ok
}

// tell shows what was said since the fault, to whoever judges the words.
func (t *trial) tell(m *member) {
	if t.verbose == nil {
		return
	}
	lines, answers := m.since(t.injected)
	for _, r := range lines {
		fmt.Fprintf(t.verbose, "  %5.1f s  %s\n", r.at.Sub(t.injected).Seconds(), r.text)
	}
	for _, r := range answers {
		if r.status != ready {
			fmt.Fprintf(t.verbose, "  %5.1f s  readyz %d %s\n", r.at.Sub(t.injected).Seconds(), r.status, r.text)
		}
	}
}

// stopped is what the log says of a partition that stopped, with what to do.
type stopped struct {
	Message string `json:"message"`
	Code    string `json:"code"`
	Found   string `json:"found"`
	Do      string `json:"do"`
}

// aside is a warning that goes beside what is wrong.
const aside = "brokers hold requests up by a quota"

// advice is what the latest line says that has some.
func (m *member) advice() (s stopped) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, l := range m.lines {
		var one stopped
		if json.Unmarshal([]byte(l.text), &one) == nil && one.Do != "" && one.Message != aside {
			s = one
		}
	}
	return s
}

// typed finds the commands in an advice.
var typed = regexp.MustCompile(`\bebb [a-z]+(?: --[a-z-]+(?: [a-z0-9][^ ,;)]*)?)*`)

// types runs the first command of what the program advises, as it stands, with the configuration and a yes to its
// question.
func (t *trial) types(m *member) (command string, err error) {
	advice := m.advice()
	if command = typed.FindString(advice.Do); command == "" {
		return "", fmt.Errorf("%s advises no command: %q", advice.Code, advice.Do)
	}
	// The transaction of a process that has just ended may be open until its timeout.
	return command, breakable.Until(t.ctx, bound, command+" is done", func(context.Context) error {
		out, err := t.ebbs(m, command)
		if err != nil {
			err = fmt.Errorf("%w\n%s", err, out)
		}
		return err
	})
}

// ebbs runs a command of the program.
func (t *trial) ebbs(m *member, command string) (output string, err error) {
	args := append(strings.Fields(command)[1:], "-c", m.config)
	if strings.HasPrefix(command, "ebb rebuild") {
		args = append(args, "--yes")
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(t.ctx, t.program, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	if t.verbose != nil {
		fmt.Fprintf(t.verbose, "  $ %s\n%s", command, out.String())
	}
	return out.String(), err
}
