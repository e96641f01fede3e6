//go:build integration

package webhook_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ebb/sinks/delivery"
	"ebb/sinks/webhook"
)

// example is the receiver that docs/deliver.md shows, as a process.
type example struct {
	t                       *testing.T
	program, address, state string
	cmd                     *exec.Cmd
}

func startExample(t *testing.T) *example {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") // for its port
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	dir := t.TempDir()
	e := &example{
		t:       t,
		program: filepath.Join(dir, "receiver"),
		address: l.Addr().String(),
		state:   filepath.Join(dir, "state"),
	}
	if out, err := exec.Command("go", "build", "-o", e.program, "ebb/docs/deliver/go").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	e.start()
	t.Cleanup(e.kill)
	return e
}

func (e *example) start() {
	e.t.Helper()
	e.cmd = exec.Command(e.program)
	e.cmd.Env = append(os.Environ(), "EBB_SECRET="+secret, "STATE_FILE="+e.state, "LISTEN="+e.address)
	e.cmd.Stderr = os.Stderr
	if err := e.cmd.Start(); err != nil {
		e.t.Fatal(err)
	}
}

func (e *example) kill() {
	_ = e.cmd.Process.Kill()
	_ = e.cmd.Wait()
}

// lines are what has taken effect.
func (e *example) lines() []string {
	e.t.Helper()
	text, err := os.ReadFile(e.state)
	if err != nil {
		e.t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

// deliver sends an alert until it is taken.
func (e *example) deliver(to *webhook.Endpoint, id string) {
	e.t.Helper()
	a := delivery.Alert{ID: id, Body: []byte(`{"id":"` + id + `","customer":"Zoë"}`)}
	for deadline := time.Now().Add(30 * time.Second); ; <-time.After(20 * time.Millisecond) {
		err := to.Send(e.t.Context(), &a)
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			e.t.Fatal(err)
		}
	}
}

// TestDocumentReceivesInGo: what docs/deliver.md tells receivers to copy has each alert take effect once, also when it
// is killed in the middle of a line, and takes nothing that is not signed.
func TestDocumentReceivesInGo(t *testing.T) {
	e := startExample(t)
	to := open(t, webhook.Config{URL: "http://" + e.address})
	for _, id := range []string{"a", "b", "a", "b"} {
		e.deliver(to, id)
	}
	e.kill()
	state, err := os.OpenFile(e.state, os.O_WRONLY|os.O_APPEND, 0)
	if err == nil {
		_, err = state.WriteString(`c {"id":"c",`)
	}
	if err != nil {
		t.Fatal(err)
	}
	_ = state.Close()
	e.start()
	for _, id := range []string{"b", "c", "c", "d"} {
		e.deliver(to, id)
	}
	stranger := open(t, webhook.Config{URL: "http://" + e.address, Secrets: secrets(t, secretOf("c"))})
	if f := failure(t, stranger.Send(t.Context(), &delivery.Alert{ID: "e", Body: []byte("{}")})); f.Class != "status_4xx" {
		t.Errorf("an alert of a stranger: %v", f)
	}
	var ids []string
	for _, line := range e.lines() {
		id, body, _ := strings.Cut(line, " ")
		ids = append(ids, id)
		if body != `{"id":"`+id+`","customer":"Zoë"}` {
			t.Errorf("it has kept %s", line)
		}
	}
	if got := strings.Join(ids, ""); got != "abcd" {
		t.Errorf("these have taken effect: %s", got)
	}
}
