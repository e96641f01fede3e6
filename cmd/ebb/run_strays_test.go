package main

import (
	"strings"
	"syscall"
	"testing"
)

// TestRunNoticesStrays: a customer with events in two partitions is logged once, by its hash.
func TestRunNoticesStrays(t *testing.T) {
	s := startServices(t, "events", "ebb.alerts", "events.dlq", "ebb.control", "ebb.packs", "ebb.decisions")
	var stdout, stderr output
	p := process{
		args: []string{"run"}, environ: append(s.environ, "EBB_HTTP_LISTEN=", "EBB_LOG_FORMAT=json", "EBB_PACK=any"),
		stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr,
	}
	code := make(chan int)
	go func() { code <- p.run(t.Context(), func(int) { panic("second signal") }) }()
	const said = "events come in several partitions"
	s.place(t, map[string][]int32{"stray": {1, 3}})
	eventually(t, "it is noticed", func() bool {
		s.place(t, map[string][]int32{"stray": {1}}) // a customer is drawn when an event comes
		return strings.Contains(stderr.String(), said)
	})
	if err := syscall.Kill(syscall.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if got := <-code; got != exitOK {
		t.Errorf("exit code %d", got)
	}
	if log := stderr.String(); strings.Count(log, said) != 1 || !strings.Contains(log, `"partitions":[1,3]`) ||
		strings.Contains(log, `"stray"`) {
		t.Errorf("log:\n%s", log)
	}
}
