package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/procfs"
)

// services are a Kafka and a Redis of our own, as plain processes: nothing sits between them and the program.
type services struct {
	script, dir          string
	kafka, redis         string // addresses
	kafkaProc, redisProc procfs.Proc
}

func startServices(ctx context.Context, o *options, dir string) (s *services, err error) {
	ports, err := freePorts(ctx)
	if err != nil {
		return nil, err
	}
	s = &services{
		script: filepath.Join(o.shared, "testenv", "native"), dir: dir,
		kafka: fmt.Sprintf("127.0.0.1:%d", ports[0]), redis: fmt.Sprintf("127.0.0.1:%d", ports[2]),
	}
	up := exec.CommandContext(ctx, s.script, "up", dir)
	up.Env = append(
		up.Environ(),
		fmt.Sprintf("KAFKA_PORT=%d", ports[0]),
		fmt.Sprintf("REDIS_PORT=%d", ports[2]),
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
		_ = s.stop(context.WithoutCancel(ctx)) // the first error says more
		return nil, fmt.Errorf("start Kafka and Redis: %w", err)
	}
	return s, nil
}

// stop ends both and removes what they wrote. A signal to our process group, such as a second Ctrl-C, does not reach
// it.
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

// usedCPU is what both have used so far, user and system.
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

// freePorts finds three free ports: two in a row, for Kafka and its controller, and one for Redis.
func freePorts(ctx context.Context) (ports [3]int, err error) {
	var lc net.ListenConfig
	for range 100 {
		first, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return ports, err
		}
		ports[0] = first.Addr().(*net.TCPAddr).Port
		ports[1] = ports[0] + 1
		second, err := lc.Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(ports[1])))
		if err == nil {
			ports[2], err = freePort(ctx)
			_ = second.Close()
		}
		_ = first.Close()
		if err == nil {
			return ports, nil
		}
	}
	return ports, fmt.Errorf("find free ports: %w", err)
}

func freePort(ctx context.Context) (int, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}
