package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ebb/pipeline/linetest/chaos/breakable"
	"ebb/pipeline/linetest/ports"
)

// services are a Kafka and a Redis of our own, as plain processes, with clients that see what ebb's do not.
type services struct {
	script, dir  string
	env          []string
	kafka, store string // addresses

	client *kgo.Client
	admin  *kadm.Client
	redis  *redis.Client
}

// retention makes the broker look at once for what it no longer has to keep.
const retention = `
log.retention.check.interval.ms=500
log.initial.task.delay.ms=500
`

func startServices(ctx context.Context, shared, dir string) (s *services, err error) {
	free, err := ports.Free(ctx, 3) // Kafka's controller takes the port behind its own
	if err != nil {
		return nil, err
	}
	s = &services{
		script: filepath.Join(shared, "testenv", "native"), dir: dir,
		kafka: ports.On(free[0]), store: ports.On(free[2]),
		env: []string{
			fmt.Sprintf("KAFKA_PORT=%d", free[0]), fmt.Sprintf("REDIS_PORT=%d", free[2]), "KAFKA_HEAP=512m",
			"REDIS_ARGS=--save '' --appendonly no",
		},
	}
	defer func() {
		if err != nil {
			_ = s.stop(context.WithoutCancel(ctx)) // the first error says more
		}
	}()
	for _, args := range [][]string{{"up", dir}, {"kill9", "kafka", dir}} {
		if err = s.call(ctx, args...); err != nil {
			return nil, err
		}
	}
	if err = s.configure(retention); err != nil {
		return nil, err
	}
	if err = s.call(ctx, "start", "kafka", dir); err != nil {
		return nil, err
	}
	return s, s.connect(ctx)
}

// configure adds to the broker's settings.
func (s *services) configure(lines string) (err error) {
	f, err := os.OpenFile(filepath.Join(s.dir, "kafka.properties"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if _, err = f.WriteString(lines); err != nil {
		_ = f.Close() // the first error says more
		return err
	}
	return f.Close()
}

func (s *services) connect(ctx context.Context) (err error) {
	if s.client, err = kgo.NewClient(kgo.SeedBrokers(s.kafka), kgo.MetadataMinAge(100*time.Millisecond)); err != nil {
		return err
	}
	s.admin = kadm.NewClient(s.client)
	s.redis = redis.NewClient(&redis.Options{Addr: s.store})
	if err := s.redis.Ping(ctx).Err(); err != nil {
		return err
	}
	return breakable.Until(ctx, time.Minute, "Kafka answers", func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		_, err := s.admin.FetchOffsets(ctx, "nobody")
		return err
	})
}

// stop ends both and removes what they wrote.
func (s *services) stop(ctx context.Context) error {
	if s.client != nil {
		s.client.Close()
		_ = s.redis.Close() // nothing is lost
	}
	return s.call(ctx, "down", s.dir)
}

// call runs the script. A signal to our process group, such as a second Ctrl-C, does not reach it.
func (s *services) call(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, s.script, args...)
	cmd.Env = append(os.Environ(), s.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", s.script, strings.Join(args, " "), err, out)
	}
	return nil
}

// quota limits what clients that call themselves as ebb does may write or read; 0: no limit.
func (s *services) quota(ctx context.Context, key string, bytesPerSecond float64) error {
	name := "ebb"
	altered, err := s.admin.AlterClientQuotas(ctx, []kadm.AlterClientQuotaEntry{{
		Entity: kadm.ClientQuotaEntity{{Type: "client-id", Name: &name}},
		Ops:    []kadm.AlterClientQuotaOp{{Key: key, Value: bytesPerSecond, Remove: bytesPerSecond == 0}},
	}})
	if err != nil {
		return err
	}
	for _, a := range altered {
		if a.Err != nil {
			return fmt.Errorf("set %s: %w", key, a.Err)
		}
	}
	return nil
}

// The keys of quotas.
const (
	writing  = "producer_byte_rate"
	reading  = "consumer_byte_rate"
	requests = "request_percentage" // of the time of one thread
)
