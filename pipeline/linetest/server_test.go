//go:build integration

package linetest_test

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"ebb/pipeline/linetest/services"
)

// server is a Kafka or a Redis of one test, which may be killed and started again.
type server struct {
	testcontainers.Container
	t       *testing.T
	address string
	wait    func(ctx context.Context, address string) error
}

func newRedis(t *testing.T) *server {
	t.Helper()
	return newServer(t, services.StartRedis, services.RedisAnswers)
}

func newKafka(t *testing.T) *server {
	t.Helper()
	return newServer(t, services.StartKafka, services.KafkaAnswers)
}

func newServer(
	t *testing.T,
	start func(context.Context) (testcontainers.Container, string, error),
	wait func(context.Context, string) error,
) *server {
	t.Helper()
	c, address, err := start(t.Context())
	if c != nil {
		testcontainers.CleanupContainer(t, c, testcontainers.StopTimeout(0))
	}
	if err != nil {
		t.Fatal(err)
	}
	s := &server{Container: c, t: t, address: address, wait: wait}
	s.answers()
	return s
}

func (s *server) answers() {
	s.t.Helper()
	if err := s.wait(s.t.Context(), s.address); err != nil {
		s.t.Fatal(err)
	}
}

// down ends the server as kill -9 does.
func (s *server) down() {
	s.t.Helper()
	now := time.Duration(0)
	if err := s.Stop(s.t.Context(), &now); err != nil {
		s.t.Fatal(err)
	}
}

// up starts it again, on its stored data.
func (s *server) up() {
	s.t.Helper()
	if err := s.Start(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	s.answers()
}

func (s *server) restart() {
	s.t.Helper()
	s.down()
	s.up()
}

func (s *server) do(command ...string) {
	s.t.Helper()
	code, out, err := s.Exec(s.t.Context(), command)
	if err != nil {
		s.t.Fatal(err)
	}
	if code != 0 {
		text, _ := io.ReadAll(out)
		s.t.Fatalf("%v in the container: exit code %d\n%s", command, code, text)
	}
}

// keep copies all of its data.
func (s *server) keep() {
	s.t.Helper()
	s.do("redis-cli", "save")
	s.do("cp", "/data/dump.rdb", "/data/older.rdb")
}

// putBack ends the server as kill -9 does and starts it on the older copy, like a failover to a replica that lags.
func (s *server) putBack() {
	s.t.Helper()
	s.do("cp", "/data/older.rdb", "/data/dump.rdb")
	s.restart()
}

// pause stops all of its processes as SIGSTOP does, and unpause lets them go on.
func (s *server) pause()   { s.freeze(true) }
func (s *server) unpause() { s.freeze(false) }

func (s *server) freeze(stop bool) {
	s.t.Helper()
	cl, err := testcontainers.NewDockerClientWithOpts(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	defer cl.Close()
	if stop {
		_, err = cl.ContainerPause(s.t.Context(), s.GetContainerID(), client.ContainerPauseOptions{})
	} else {
		_, err = cl.ContainerUnpause(s.t.Context(), s.GetContainerID(), client.ContainerUnpauseOptions{})
	}
	if err != nil {
		s.t.Fatal(err)
	}
}
