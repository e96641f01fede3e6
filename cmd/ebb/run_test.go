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

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"
)

// TestRunWaitsForItsServers: the process waits for a missing Redis, alive and not ready, with one line in the log.
func TestRunWaitsForItsServers(t *testing.T) {
	s := startServices(t, "events", "ebb.alerts", "events.dlq", "ebb.control", "ebb.packs", "ebb.decisions")
	s.redis.Close()
	var stdout, stderr output
	p := process{
		args: []string{"run"}, environ: append(s.environ, "EBB_HTTP_LISTEN=127.0.0.1:0", "EBB_LOG_FORMAT=json"),
		stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr,
	}
	code := make(chan int)
	go func() { code <- p.run(t.Context(), func(int) { panic("second signal") }) }()

	listening := regexp.MustCompile(`"listen":"(127\.0\.0\.1:\d+)"`)
	var address string
	eventually(t, "it serves its health", func() bool {
		m := listening.FindStringSubmatch(stderr.String())
		if m != nil {
			address = m[1]
		}
		return m != nil
	})
	eventually(t, "it waits", func() bool { return strings.Contains(stderr.String(), "cannot start yet") })
	status, body := ask(t, address, "/readyz")
	if status != http.StatusServiceUnavailable || !strings.Contains(body, "Redis") {
		t.Errorf("readyz %d %s", status, body)
	}
	if status, body := ask(t, address, "/livez"); status != http.StatusOK {
		t.Errorf("livez %d %s", status, body)
	}
	if err := s.redis.Restart(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is ready", func() bool {
		status, _ := ask(t, address, "/readyz")
		return status == http.StatusOK
	})
	if err := syscall.Kill(syscall.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if got := <-code; got != exitOK {
		t.Errorf("exit code %d\n%s", got, stderr.String())
	}
	if n := strings.Count(stderr.String(), "cannot start yet"); n != 1 {
		t.Errorf("%d lines say that it waits:\n%s", n, stderr.String())
	}
}

func ask(t testing.TB, address, path string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(
		t.Context(),
		http.MethodGet,
		fmt.Sprintf("http://%s%s", address, path),
		http.NoBody,
	)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// TestRunToldToStopWhileItWaits: a signal ends the waiting in peace.
func TestRunToldToStopWhileItWaits(t *testing.T) {
	s := startServices(t, "events", "ebb.alerts", "events.dlq", "ebb.control", "ebb.packs", "ebb.decisions")
	s.redis.Close()
	var stdout, stderr output
	p := process{
		args:    []string{"run"},
		environ: append(s.environ, `EBB_HTTP_LISTEN=`),
		stdin:   strings.NewReader(""),
		stdout:  &stdout,
		stderr:  &stderr,
	}
	code := make(chan int)
	go func() { code <- p.run(t.Context(), func(int) { panic("second signal") }) }()
	eventually(t, "it waits", func() bool { return strings.Contains(stderr.String(), "cannot start yet") })
	if err := syscall.Kill(syscall.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if got := <-code; got != exitOK {
		t.Errorf("exit code %d\n%s", got, stderr.String())
	}
}

// TestRunUntilEndIsToldAtOnce: a missing server is an error at once, as it is for rebuild.
func TestRunUntilEndIsToldAtOnce(t *testing.T) {
	s := startServices(t, "events", "ebb.alerts", "events.dlq", "ebb.control", "ebb.packs", "ebb.decisions")
	at := s.redis.Addr()
	s.redis.Close()
	o := run(t, s.environ, strings.NewReader(""), "run", "--until-end").want(t, exitFailed)
	want := "ebb run: no answer from Redis at " + at + ": connection refused\n" +
		"  start it, or name another with EBB_REDIS_ADDRESSES or redis.addresses; a secured one needs redis.tls, " +
		"redis.username and a password\n"
	if !strings.HasSuffix(o.stderr, want) {
		t.Errorf("stderr:\n%s", o.stderr)
	}
	o = run(
		t,
		[]string{"EBB_REDIS_ADDRESSES=" + miniredis.RunT(t).Addr(), "EBB_KAFKA_BROKERS=127.0.0.1:1"},
		nil,
		"rebuild",
		"--from",
		"earliest",
	).want(t, exitFailed)
	want = "ebb rebuild: no answer from Kafka at 127.0.0.1:1: connection refused\n" +
		"  start it, or name another with EBB_KAFKA_BROKERS or kafka.brokers; a secured one needs kafka.tls and kafka.sasl\n"
	if diff := cmp.Diff(want, o.stderr); diff != "" {
		t.Error(diff)
	}
}

// TestRunRefusesMissingTopics: without its topics ebb does not start; one line of the log has the code, all of them, and
// what to type, and the exit code is that of a hard stop.
func TestRunRefusesMissingTopics(t *testing.T) {
	config := filepath.Join(t.TempDir(), "ebb.yaml")
	if err := os.WriteFile(config, []byte("kafka: {input: clicks}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startServices(t, "clicks", "ebb.packs", "ebb.decisions")
	environ := append(s.environ, "EBB_HTTP_LISTEN=", "EBB_LOG_FORMAT=json", "EBB_PACK=any")
	for _, args := range [][]string{{"run", "-c", config}, {"run", "--until-end", "-c", config}} {
		got := run(t, environ, nil, args...).want(t, exitHardStop)
		var said []string
		for line := range strings.Lines(got.stderr) {
			if strings.Contains(line, `"level":"error"`) {
				said = append(said, line)
			}
		}
		want := `"found":"topics ebb.alerts, clicks.dlq, ebb.control do not exist at `
		if len(said) != 1 || !strings.Contains(said[0], `"code":"topic_missing"`) || !strings.Contains(said[0], want) ||
			!strings.Contains(said[0], `"do":"create what is missing: ebb check --create -c `+config+`"`) {
			t.Errorf("%v: %s", args, got.stderr)
		}
	}
	run(t, environ, nil, "check", "--create", "-c", config)
	run(t, environ, nil, "run", "--until-end", "-c", config).want(t, exitOK)
}
