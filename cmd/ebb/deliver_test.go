package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/twmb/franz-go/pkg/kgo"
)

// hook is an endpoint that verifies what it gets and notes the ids.
type hook struct {
	*httptest.Server
	environ []string // that leads ebb deliver to it

	mu     sync.Mutex
	ids    []string
	bodies []string
	status int
}

const hookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

func startHook(t *testing.T) *hook {
	t.Helper()
	h := &hook{status: http.StatusNoContent}
	verifier, err := standardwebhooks.NewWebhook(hookSecret)
	if err != nil {
		t.Fatal(err)
	}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = verifier.Verify(body, r.Header)
		}
		if err != nil {
			t.Errorf("request: %v", err)
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.ids, h.bodies = append(h.ids, r.Header.Get("webhook-id")), append(h.bodies, string(body))
		w.WriteHeader(h.status)
	}))
	t.Cleanup(h.Close)
	secrets := filepath.Join(t.TempDir(), "secrets")
	if err := os.WriteFile(secrets, []byte(hookSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	h.environ = []string{
		"EBB_DELIVER_URL=" + h.URL + "/ebb?token=hush", "EBB_DELIVER_SECRETS_FILE=" + secrets, "EBB_LOG_FORMAT=json",
		"EBB_DELIVER_LISTEN=127.0.0.1:0", "EBB_KAFKA_SESSION_TIMEOUT=6s",
	}
	return h
}

func (h *hook) taken() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.ids)
}

// TestDeliver: alerts come to the endpoint, health says how it is, a signal ends it, and a restart sends nothing again.
func TestDeliver(t *testing.T) {
	s, h := startServices(t, "ebb.alerts", "ebb.alerts.dlq"), startHook(t)
	alert := func(id string) {
		t.Helper()
		record := &kgo.Record{Topic: "ebb.alerts", Key: []byte("c"), Value: fmt.Appendf(nil, `{"id":%q}`, id)}
		if err := s.client(t).ProduceSync(t.Context(), record).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	listening := regexp.MustCompile(`"listen":"(127\.0\.0\.1:\d+)"`)
	for round := range 2 {
		alert(fmt.Sprintf("a%d", round))
		var stdout, stderr output
		environ := append(slices.Clone(s.environ), h.environ...)
		p := process{
			args:    []string{"deliver"},
			environ: environ,
			stdin:   strings.NewReader(""),
			stdout:  &stdout,
			stderr:  &stderr,
		}
		code := make(chan int)
		go func() { code <- p.run(t.Context(), func(int) { panic("second signal") }) }()
		eventually(t, "the alert is taken", func() bool { return len(h.taken()) > round })
		address := listening.FindStringSubmatch(stderr.String())[1]
		eventually(t, "it is ready", func() bool {
			status, _ := ask(t, address, "/readyz")
			return status == http.StatusOK
		})
		health := run(t, []string{"EBB_DELIVER_LISTEN=" + address}, nil, "health", "--deliver", "--ready").want(t, exitOK)
		if !strings.Contains(health.stdout, "ebb.deliver") || !strings.Contains(health.stdout, "running") {
			t.Errorf("health: %s", health.stdout)
		}
		if _, metrics := ask(
			t,
			address,
			"/metrics",
		); !strings.Contains(
			metrics,
			`ebb_deliver_attempt_seconds_count{outcome="delivered"}`,
		) {
			t.Errorf("metrics:\n%s", metrics)
		}
		if err := syscall.Kill(syscall.Getpid(), syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if got := <-code; got != exitOK {
			t.Errorf("exit code %d\n%s", got, stderr.String())
		}
		if strings.Contains(stderr.String(), "hush") || strings.Contains(stderr.String(), hookSecret) {
			t.Errorf("a secret is told:\n%s", stderr.String())
		}
	}
	if got := h.taken(); !slices.Equal(got, []string{"a0", "a1"}) {
		t.Errorf("taken: %v", got)
	}
}

// TestDeliverTest: the sample is sent once, and what the endpoint says of it is shown.
func TestDeliverTest(t *testing.T) {
	h := startHook(t)
	got := run(t, h.environ, nil, "deliver", "test").want(t, exitOK)
	if !strings.HasPrefix(got.stdout, "taken in ") || !strings.Contains(got.stdout, h.taken()[0]) {
		t.Errorf("stdout: %s", got.stdout)
	}
	h.status = http.StatusUnauthorized
	got = run(t, h.environ, nil, "deliver", "test").want(t, exitFailed)
	if !strings.Contains(got.stderr, "401 Unauthorized") || strings.Contains(got.stderr, "hush") || len(h.taken()) != 2 {
		t.Errorf("stderr: %s", got.stderr)
	}
}

// TestDeliverCannotStart without an endpoint, its secrets, or its topics.
func TestDeliverCannotStart(t *testing.T) {
	s, h := startServices(t, "ebb.alerts"), startHook(t)
	for _, c := range []struct {
		environ []string
		code    int
		want    string
	}{
		{nil, exitUsage, "there is no endpoint: set deliver.url (EBB_DELIVER_URL), or use --url"},
		{[]string{"EBB_DELIVER_URL=https://crm/"}, exitUsage, "deliver.secrets_file: must name a file of secrets"},
		{
			[]string{"EBB_DELIVER_URL=https://crm/", "EBB_DELIVER_SECRETS_FILE=/nowhere"},
			exitFailed,
			"deliver.secrets_file: open /nowhere: no such file or directory",
		},
		{append(slices.Clone(s.environ), h.environ...), exitFailed, `there is no topic "ebb.alerts.dlq"`},
	} {
		got := run(t, c.environ, nil, "deliver").want(t, c.code)
		if !strings.Contains(got.stderr, c.want) {
			t.Errorf("want %q, stderr:\n%s", c.want, got.stderr)
		}
	}
}
