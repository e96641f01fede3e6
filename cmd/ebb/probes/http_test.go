package probes_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/probes"
)

// serve starts a server on a free port.
func serve(t *testing.T, cfg probes.Config) *probes.Server {
	t.Helper()
	cfg.Key, cfg.Listen = "http.listen", "127.0.0.1:0"
	if cfg.Registry == nil {
		cfg.Registry = prometheus.NewRegistry()
	}
	s, err := probes.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// get requests a path and returns status and body.
func get(t *testing.T, s *probes.Server, path string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.Addr()+path, http.NoBody)
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

func TestHTTPAnswers(t *testing.T) {
	var dead, ready atomic.Bool
	registry := prometheus.NewRegistry()
	registered := prometheus.NewCounter(prometheus.CounterOpts{Name: "ebb_test_total", Help: "Test."})
	registry.MustRegister(registered)
	registered.Add(7)
	s := serve(t, probes.Config{
		Registry: registry,
		Live: func() error {
			if dead.Load() {
				return errors.New("partition 3 has not turned for 2m")
			}
			return nil
		},
		Ready: func() probes.Readiness {
			if !ready.Load() {
				return probes.Readiness{Reason: "not a member of the group yet", Group: "ebb"}
			}
			return probes.Readiness{
				Ready:      true,
				Group:      "ebb",
				Generation: 4,
				Partitions: []probes.PartitionState{{Partition: 0, State: "running", Next: 12, Lag: new(int64(3))}},
			}
		},
	})
	defer func() {
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	check := func(path string, status int, body string) {
		t.Helper()
		gotStatus, gotBody := get(t, s, path)
		if diff := cmp.Diff(body, strings.TrimSpace(gotBody)); gotStatus != status || diff != "" {
			t.Errorf("%s: status %d, want %d\n%s", path, gotStatus, status, diff)
		}
	}
	check("/livez", 200, `{"live":true}`)
	check("/readyz", 503, `{"ready":false,"reason":"not a member of the group yet","group":"ebb","partitions":[]}`)
	dead.Store(true)
	ready.Store(true)
	check("/livez", 503, `{"live":false,"reason":"partition 3 has not turned for 2m"}`)
	check(
		"/readyz",
		200,
		`{"ready":true,"group":"ebb","generation":4,"partitions":[{"partition":0,"state":"running","next":12,"lag":3}]}`,
	)
	check("/", 404, "404 page not found")
	if status, body := get(t, s, "/metrics"); status != 200 || !strings.Contains(body, "ebb_test_total 7") {
		t.Errorf("status %d, metrics:\n%s", status, body)
	}
}

func TestHTTPAddressInUse(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = probes.Start(
		t.Context(),
		probes.Config{Key: "http.listen", Listen: l.Addr().String(), Registry: prometheus.NewRegistry()},
	)
	var advised advice.Advised
	if !errors.As(err, &advised) || !strings.Contains(err.Error(), "address already in use") ||
		!strings.Contains(advised.Do, "EBB_HTTP_LISTEN") {
		t.Errorf("error: %v", err)
	}
}

// TestHTTPCloseIsBounded: an answer under way is finished; one that takes too long is cut off.
func TestHTTPCloseIsBounded(t *testing.T) {
	asked, release := make(chan bool), make(chan bool)
	s := serve(t, probes.Config{Live: func() error {
		asked <- true
		<-release
		return nil
	}})
	failed := make(chan error)
	go func() {
		req, err := http.NewRequestWithContext(
			context.WithoutCancel(t.Context()),
			http.MethodGet,
			"http://"+s.Addr()+"/livez",
			nil,
		)
		if err == nil {
			var res *http.Response
			if res, err = http.DefaultClient.Do(req); err == nil {
				err = res.Body.Close()
			}
		}
		failed <- err
	}()
	<-asked
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := s.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("close: %v", err)
	}
	if err := <-failed; err == nil {
		t.Error("the request that took too long was answered")
	}
	close(release)
}
