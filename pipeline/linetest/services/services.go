//go:build integration

package linetest_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/redis/go-redis/v9"
	"github.com/testcontainers/testcontainers-go"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const startTimeout = 2 * time.Minute

// services are the Kafka and the Redis that all tests share; each test uses topics and a group of its own.
type services struct {
	kafka, redis string // host:port
	containers   []testcontainers.Container
}

// startServices finds or starts both. It fails where neither addresses nor a container runtime are there.
func startServices(ctx context.Context) (*services, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	s := &services{kafka: os.Getenv("EBB_TEST_KAFKA"), redis: os.Getenv("EBB_TEST_REDIS")}
	if s.kafka == "" {
		if err := s.startKafka(ctx); err != nil {
			return s, fmt.Errorf("start kafka: %w", err)
		}
	}
	if s.redis == "" {
		c, address, err := startRedis(ctx)
		if c != nil {
			s.containers = append(s.containers, c)
		}
		if err != nil {
			return s, fmt.Errorf("start redis: %w", err)
		}
		s.redis = address
	}
	return s, errors.Join(s.kafkaAnswers(ctx), redisAnswers(ctx, s.redis))
}

func (s *services) stop(ctx context.Context) error {
	var err error
	for _, c := range s.containers {
		err = errors.Join(err, testcontainers.TerminateContainer(c, testcontainers.StopContext(ctx), testcontainers.StopTimeout(0)))
	}
	return err
}

// waitForStart is the broker's entry point: which address it must advertise is known only once its port is mapped.
const waitForStart = `while [ ! -s /tmp/start ]; do sleep 0.1; done; . /tmp/start; exec /etc/kafka/docker/run`

func (s *services) startKafka(ctx context.Context) error {
	c, err := testcontainers.Run(ctx, setting("EBB_TEST_KAFKA_IMAGE", "apache/kafka:4.1.0"),
		testcontainers.WithExposedPorts("9092/tcp"),
		testcontainers.WithEntrypoint("bash", "-c", waitForStart),
		testcontainers.WithEnv(map[string]string{
			"KAFKA_NODE_ID": "1", "KAFKA_PROCESS_ROLES": "broker,controller", "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
			"KAFKA_CONTROLLER_QUORUM_VOTERS":         "1@localhost:9093",
			"KAFKA_LISTENER_SECURITY_PROTOCOL_MAP":   "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
			"KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1", "KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS": "8",
			"KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1", "KAFKA_TRANSACTION_STATE_LOG_NUM_PARTITIONS": "8",
			"KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1", "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
			"KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false", "KAFKA_LOG_RETENTION_MS": "-1", "KAFKA_HEAP_OPTS": "-Xms768m -Xmx768m",
		}))
	if c != nil {
		s.containers = append(s.containers, c)
	}
	if err != nil {
		return err
	}
	if s.kafka, err = endpoint(ctx, c, "9092/tcp"); err != nil {
		return err
	}
	start := fmt.Sprintf("export KAFKA_LISTENERS=PLAINTEXT://:9092,CONTROLLER://:9093 KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://%s\n", s.kafka)
	return c.CopyToContainer(ctx, []byte(start), "/tmp/start", 0o644)
}

// startRedis starts a Redis that saves only when told to, on a port that stays the same over its restarts.
func startRedis(ctx context.Context) (testcontainers.Container, string, error) {
	port, err := freePort(ctx)
	if err != nil {
		return nil, "", err
	}
	c, err := testcontainers.Run(ctx, setting("EBB_TEST_REDIS_IMAGE", "redis:7"),
		testcontainers.WithExposedPorts("6379/tcp"),
		testcontainers.WithHostConfigModifier(func(h *container.HostConfig) {
			h.PortBindings = network.PortMap{
				network.MustParsePort("6379/tcp"): {{HostPort: strconv.Itoa(port)}},
			}
		}),
		testcontainers.WithCmd("redis-server", "--bind", "0.0.0.0", "--protected-mode", "no", "--save", "", "--appendonly", "no", "--dir", "/data"))
	if err != nil {
		if c == nil { // a typed nil would not compare equal to nil
			return nil, "", err
		}
		return c, "", err
	}
	address, err := endpoint(ctx, c, "6379/tcp")
	return c, address, err
}

func endpoint(ctx context.Context, c testcontainers.Container, port string) (string, error) {
	host, err := c.Host(ctx)
	if err != nil {
		return "", err
	}
	if host == "localhost" {
		host = "127.0.0.1" // may be ::1, where nothing listens
	}
	mapped, err := c.MappedPort(ctx, port)
	if err != nil {
		return "", err
	}
	return net.JoinHostPort(host, mapped.Port()), nil
}

func freePort(ctx context.Context) (int, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close() //nolint:errcheck // a TCP listener has a TCP address
}

func (s *services) kafkaAnswers(ctx context.Context) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(s.kafka))
	if err != nil {
		return err
	}
	defer cl.Close()
	adm := kadm.NewClient(cl)
	return until(ctx, "kafka answers at "+s.kafka, func() bool {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		// A fresh broker first has to create the topic of offsets.
		_, err := adm.FetchOffsets(ctx, "linetest")
		return err == nil
	})
}

func redisAnswers(ctx context.Context, address string) error {
	cl := redis.NewClient(&redis.Options{Addr: address, MaxRetries: -1})
	defer cl.Close()
	return until(ctx, "redis answers at "+address, func() bool { return cl.Ping(ctx).Err() == nil })
}

// until polls a condition as long as ctx allows.
func until(ctx context.Context, what string, met func() bool) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !met() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("waiting until %s: %w", what, ctx.Err())
		}
	}
	return nil
}

func setting(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}
