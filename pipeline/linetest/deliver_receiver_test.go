//go:build integration

package linetest_test

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// hookSecret signs what comes to the receiver.
const hookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// Variables of the receiver's process: its address, the file of its effects, and the share of requests that fail.
const (
	hookAddress = "EBB_TEST_HOOK_ADDRESS"
	hookFile    = "EBB_TEST_HOOK_FILE"
	hookFailing = "EBB_TEST_HOOK_FAILING"
)

// hook is a receiver in a process of its own, which is this test's program. What has taken effect is in a file, a line
// each: the time, the id and the body.
type hook struct {
	t       *testing.T
	address string
	file    string
	failing string
	cmd     *exec.Cmd
}

func startHook(t *testing.T, failing string) *hook {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") // for its port, which it keeps when it is killed
	if err != nil {
		t.Fatal(err)
	}
	h := &hook{t: t, address: l.Addr().String(), file: t.TempDir() + "/effects", failing: failing}
	_ = l.Close()
	h.start()
	t.Cleanup(h.kill)
	return h
}

func (h *hook) start() {
	h.t.Helper()
	h.cmd = exec.Command(os.Args[0])
	h.cmd.Stderr = os.Stderr
	h.cmd.Env = append(os.Environ(), hookAddress+"="+h.address, hookFile+"="+h.file, hookFailing+"="+h.failing)
	if err := h.cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
}

func (h *hook) kill() {
	_ = h.cmd.Process.Signal(syscall.SIGKILL)
	_ = h.cmd.Wait()
}

// effect is an alert that has taken effect at the receiver.
type effect struct{ id, body string }

func (h *hook) effects() (all []effect) {
	h.t.Helper()
	text, err := os.ReadFile(h.file)
	if err != nil && !os.IsNotExist(err) {
		h.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		id, body, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		all = append(all, effect{id, body})
	}
	return all
}

// serveHook is the receiver's process: it verifies, has each id take effect once, and fails as it is told. It may be
// killed at any moment, and does not end by itself.
func serveHook(address string) {
	var failing float64
	if _, err := fmt.Sscan(os.Getenv(hookFailing), &failing); err != nil {
		panic(err)
	}
	file, err := os.OpenFile(os.Getenv(hookFile), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		panic(err)
	}
	r := &receiving{file: file, failing: failing, known: map[string]bool{}}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		id, _, _ := strings.Cut(lines.Text(), " ")
		r.known[id] = true
	}
	panic(http.ListenAndServe(address, r))
}

type receiving struct {
	failing float64

	mu    sync.Mutex
	file  *os.File
	known map[string]bool
}

// ServeHTTP is a receiver as docs/deliver.md describes it, but for its failures: an error, a reset, an answer that comes
// too late or not at all, each before or after the effect.
func (r *receiving) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	verifier, err := standardwebhooks.NewWebhook(hookSecret)
	if err == nil {
		err = verifier.Verify(body, req.Header)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	fails := rand.Float64() < r.failing
	if fails && rand.IntN(2) == 0 {
		r.fail(w, req)
		return
	}
	r.take(req.Header.Get("webhook-id"), body)
	if fails {
		r.fail(w, req)
	}
}

// take has the alert take effect, unless its id is known: both in one write.
func (r *receiving) take(id string, body []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known[id] {
		return
	}
	r.known[id] = true
	if _, err := fmt.Fprintf(r.file, "%s %s\n", id, body); err != nil {
		panic(err)
	}
}

func (r *receiving) fail(w http.ResponseWriter, req *http.Request) {
	switch rand.IntN(5) {
	case 0:
		w.WriteHeader(http.StatusInternalServerError)
	case 1:
		w.WriteHeader([]int{400, 401, 404, 410, 302}[rand.IntN(5)])
	case 2:
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(http.StatusTooManyRequests)
	case 3:
		if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
			_ = conn.(*net.TCPConn).SetLinger(0)
			_ = conn.Close()
		}
	case 4:
		select {
		case <-time.After(time.Duration(200+rand.IntN(400)) * time.Millisecond): // around the sender's timeout
			w.WriteHeader(http.StatusServiceUnavailable)
		case <-req.Context().Done():
		}
	}
}
