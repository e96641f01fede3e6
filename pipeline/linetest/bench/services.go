package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/procfs"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ebb/pipeline/linetest/ports"
)

// services are a Kafka and a Redis for the measurement, as plain processes: nothing is between them and the program.
type services struct {
	script, dir          string
	kafka, redis         string // addresses
	kafkaProc, redisProc procfs.Proc
}

func startServices(ctx context.Context, o *options, dir string) (s *services, err error) {
	free, err := ports.Free(ctx, 3) // Kafka's controller uses the port after its own
	if err != nil {
		return nil, err
	}
	s = &services{
		script: filepath.Join(o.shared, "testenv", "native"), dir: dir,
		kafka: ports.On(free[0]), redis: ports.On(free[2]),
	}
	up := exec.CommandContext(ctx, s.script, "up", dir)
	up.Env = append(
		up.Environ(),
		fmt.Sprintf("KAFKA_PORT=%d", free[0]),
		fmt.Sprintf("REDIS_PORT=%d", free[2]),
		"KAFKA_HEAP=1g",
	)
	if o.AOF {
		up.Env = append(up.Env, "REDIS_ARGS=") // the script's own: an append-only file
	} else {
		up.Env = append(up.Env, "REDIS_ARGS=--save '' --appendonly no")
	}
	up.Stderr = os.Stderr
	if err = up.Run(); err == nil {
		s.kafkaProc, err = s.process("kafka")
	}
	if err == nil {
		s.redisProc, err = s.process("redis")
	}
	if err != nil {
		_ = s.stop(context.WithoutCancel(ctx)) // the first error contains more
		return nil, fmt.Errorf("start Kafka and Redis: %w", err)
	}
	return s, nil
}

// stop ends both and removes their files. A signal to this process group, such as a second Ctrl-C, does not reach it.
func (s *services) stop(ctx context.Context) error {
	down := exec.CommandContext(ctx, s.script, "down", s.dir)
	down.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if out, err := down.CombinedOutput(); err != nil {
		return fmt.Errorf("stop Kafka and Redis: %w: %s", err, out)
	}
	return nil
}

func (s *services) process(name string) (p procfs.Proc, err error) {
	b, err := os.ReadFile(filepath.Join(s.dir, name+".pid"))
	if err != nil {
		return p, err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return p, err
	}
	return procfs.NewProc(pid)
}

// usedCPU is how much CPU both have used so far, user and system.
type usedCPU struct{ kafka, redis time.Duration }

func (s *services) cpu() (u usedCPU, err error) {
	kafka, err := s.kafkaProc.Stat()
	if err != nil {
		return u, fmt.Errorf("read Kafka's CPU time: %w", err)
	}
	redis, err := s.redisProc.Stat()
	if err != nil {
		return u, fmt.Errorf("read Redis's CPU time: %w", err)
	}
	seconds := func(f float64) time.Duration { return time.Duration(f * float64(time.Second)) }
	return usedCPU{seconds(kafka.CPUTime()), seconds(redis.CPUTime())}, nil
}

// createTopic creates a topic that keeps everything: the events of a log are years old.
func createTopic(ctx context.Context, cl *kgo.Client, partitions int, topic string) error {
	forever := "-1"
	settings := map[string]*string{"retention.ms": &forever}
	_, err := kadm.NewClient(cl).CreateTopic(ctx, int32(partitions), 1, settings, topic)
	return err
}
