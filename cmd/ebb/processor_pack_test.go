package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// begun is a run of ebb run that goes on until the test ends it.
type begun struct {
	stderr *output
	code   chan int
}

func beginRun(t *testing.T, environ []string, args ...string) *begun {
	t.Helper()
	b := &begun{stderr: &output{}, code: make(chan int, 1)}
	p := process{
		args:    append([]string{"run"}, args...),
		environ: environ,
		stdin:   strings.NewReader(""),
		stdout:  io.Discard,
		stderr:  b.stderr,
	}
	go func() { b.code <- p.run(t.Context(), func(int) { panic("second signal") }) }()
	return b
}

// logs waits for a line of the log that holds all of these, beyond the earlier ones.
func (b *begun) logs(t *testing.T, what string, parts ...string) {
	t.Helper()
	eventually(t, what+" in "+b.stderr.String(), func() bool {
		for line := range strings.Lines(b.stderr.String()) {
			all := true
			for _, part := range parts {
				all = all && strings.Contains(line, part)
			}
			if all {
				return true
			}
		}
		return false
	})
}

// signal sends a signal to this process, which ends the process unless something has registered for it.
func signalSelf(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(syscall.Getpid(), s); err != nil {
		t.Fatal(err)
	}
}

func (b *begun) end(t *testing.T) {
	t.Helper()
	signalSelf(t, syscall.SIGTERM)
	if got := <-b.code; got != exitOK {
		t.Errorf("exit code %d\n%s", got, b.stderr.String())
	}
}

// TestHangupWithAShippedPack: the process goes on, and logs that there is nothing to load.
func TestHangupWithAShippedPack(t *testing.T) {
	s := startServices(t, "events", "ebb.alerts", "events.dlq", "ebb.control", "ebb.packs", "ebb.decisions")
	b := beginRun(t, append(s.environ, "EBB_HTTP_LISTEN=127.0.0.1:0", "EBB_LOG_FORMAT=json"))
	b.logs(t, "it serves its health", "serving health")
	signalSelf(t, syscall.SIGHUP)
	b.logs(t, "it has no file", "no file to load anew", `"pack":"retail"`)
	b.end(t)
}

// TestPackIsLoadedAnew: log and metrics show where a pack begins. A pack without a record of its own yet can be taken
// back. A refusal names the pack's file.
func TestPackIsLoadedAnew(t *testing.T) {
	s := startServices(t, "events", "ebb.alerts", "events.dlq", "ebb.control", "ebb.packs", "ebb.decisions")
	file := filepath.Join(t.TempDir(), "shop.yaml")
	write := func(version string) {
		t.Helper()
		err := os.WriteFile(
			file,
			[]byte("name: shop\nversion: \""+version+"\"\nhorizon: "+version+"0d\nactivity: [buy]\n"),
			0o600,
		)
		if err != nil {
			t.Fatal(err)
		}
	}
	write("3")
	b := beginRun(t, append(s.environ, "EBB_HTTP_LISTEN=127.0.0.1:0", "EBB_LOG_FORMAT=json"), "--pack", file)
	b.logs(t, "it serves its health", "serving health")
	address := regexp.MustCompile(`"listen":"(127\.0\.0\.1:\d+)"`).FindStringSubmatch(b.stderr.String())[1]
	s.feed(t, 1, 5, visit("buy"))
	b.logs(t, "the first begins", "pack begins", "shop 3", `"partition":1`, `"offset":0`)

	load := func(version, what string) {
		t.Helper()
		before := strings.Count(b.stderr.String(), what)
		write(version)
		signalSelf(t, syscall.SIGHUP)
		eventually(t, version+": "+what, func() bool { return strings.Count(b.stderr.String(), what) > before })
	}
	load("5", "loaded anew")
	load("4", "loaded anew") // pack 5 has had no record
	load("2", "its version 2 is not newer than 3")
	b.logs(t, "it names the file", "cannot be used", file)
	load("5", "loaded anew")
	s.feed(t, 1, 1, visit("again"))
	b.logs(t, "the newer one begins", "pack begins", "shop 5", `"partition":1`, `"offset":5`)
	load("4", "its version 4 is not newer than 5")
	eventually(t, "the metrics show it", func() bool {
		status, body := ask(t, address, "/metrics")
		return status == http.StatusOK && strings.Contains(body, `name="shop",partition="1",version="5"} 1`) &&
			!strings.Contains(body, fmt.Sprintf(`partition="1",version=%q`, "3"))
	})
	b.end(t)
}
