//go:build integration

// Package services finds the Kafka and the Redis of integration tests, or starts them: EBB_TEST_KAFKA and EBB_TEST_REDIS name
// running ones, else testcontainers-go starts the images EBB_TEST_KAFKA_IMAGE and EBB_TEST_REDIS_IMAGE, by default the
// public ones. Where neither is to be had the tests fail.
package services

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/redis/go-redis/v9"
	"github.com/testcontainers/testcontainers-go"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Variables that name a running service. Where one is empty, Main starts the service and sets it.
const (
	Kafka = "EBB_TEST_KAFKA"
	Redis = "EBB_TEST_REDIS"
)

const startTimeout = 2 * time.Minute

// Main runs a package's tests with the services that the variables stand for, and gives the exit code.
func Main(m *testing.M, variables ...string) int {
	ctx := context.Background()
	containers, err := start(ctx, variables)
	code := 1
	if err == nil {
		code = m.Run()
	}
	for _, c := range containers {
		err = errors.Join(err, testcontainers.TerminateContainer(c, testcontainers.StopContext(ctx), testcontainers.StopTimeout(0)))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

func start(ctx context.Context, variables []string) (containers []testcontainers.Container, err error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for _, variable := range variables {
		begin, answers := startKafka, kafkaAnswers
		if variable == Redis {
			begin, answers = StartRedis, RedisAnswers
		}
		address := os.Getenv(variable)
		if address == "" {
			var c testcontainers.Container
			c, address, err = begin(ctx)
			if c != nil {
				containers = append(containers, c)
			}
			if err != nil {
				return containers, fmt.Errorf("%s is empty; start a container: %w", variable, err)
			}
			if err := os.Setenv(variable, address); err != nil {
				return containers, err
			}
		}
		if err := answers(ctx, address); err != nil {
			return containers, err
		}
	}
	return containers, nil
}

// waitForStart is the broker's entry point: which address it must advertise is known only once its port is mapped.
const waitForStart = `while [ ! -s /tmp/start ]; do sleep 0.1; done; . /tmp/start; exec /etc/kafka/docker/run`

func startKafka(ctx context.Context) (testcontainers.Container, string, error) {
	c, err := testcontainers.Run(ctx, Setting("EBB_TEST_KAFKA_IMAGE", "apache/kafka:4.1.0"),
		testcontainers.WithExposedPorts("9092/tcp"),
		testcontainers.WithEntrypoint("bash", "-c", waitForStart),
		testcontainers.WithEnv(map[string]string{
			"KAFKA_NODE_ID": "1", "KAFKA_PROCESS_ROLES": "broker,controller", "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
			"KAFKA_CONTROLLER_QUORUM_VOTERS":         "1@localhost:9093",
			"KAFKA_LISTENER_SECURITY_PROTOCOL_MAP":   "CONTROLLER:PLAINTEXT,BROKER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
			"KAFKA_INTER_BROKER_LISTENER_NAME":       "BROKER",
			"KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1", "KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS": "8",
			"KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1", "KAFKA_TRANSACTION_STATE_LOG_NUM_PARTITIONS": "8",
			"KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1", "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
			"KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false", "KAFKA_LOG_RETENTION_MS": "-1", "KAFKA_HEAP_OPTS": "-Xms768m -Xmx768m",
		}))
	if err != nil {
		return made(c), "", err
	}
	address, err := endpoint(ctx, c, "9092/tcp")
	if err != nil {
		return c, "", err
	}
	// The broker also calls itself, to mark transactions, and its mapped port leads nowhere from the inside.
	listeners := fmt.Sprintf("export KAFKA_LISTENERS=PLAINTEXT://:9092,BROKER://:9094,CONTROLLER://:9093 "+
		"KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://%s,BROKER://localhost:9094\n", address)
	return c, address, c.CopyToContainer(ctx, []byte(listeners), "/tmp/start", 0o644)
}

// made is c, or nil where there is none: a nil of its type would not compare equal to nil.
func made(c *testcontainers.DockerContainer) testcontainers.Container {
	if c == nil {
		return nil
	}
	return c
}

// StartRedis starts a Redis that saves only when told to, on a port that stays the same over its restarts.
func StartRedis(ctx context.Context) (testcontainers.Container, string, error) {
	port, err := freePort(ctx)
	if err != nil {
		return nil, "", err
	}
	c, err := testcontainers.Run(ctx, Setting("EBB_TEST_REDIS_IMAGE", "redis:7"),
		testcontainers.WithExposedPorts("6379/tcp"),
		testcontainers.WithHostConfigModifier(func(h *container.HostConfig) {
			h.PortBindings = network.PortMap{
				network.MustParsePort("6379/tcp"): {{HostPort: strconv.Itoa(port)}},
			}
		}),
		testcontainers.WithCmd("redis-server", "--bind", "0.0.0.0", "--protected-mode", "no", "--save", "", "--appendonly", "no", "--dir", "/data"))
	if err != nil {
		return made(c), "", err
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

func kafkaAnswers(ctx context.Context, address string) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(address))
	if err != nil {
		return err
	}
	defer cl.Close()
	adm := kadm.NewClient(cl)
	return Until(ctx, "kafka answers at "+address, func() bool {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		// A fresh broker first has to create the topic of offsets.
		_, err := adm.FetchOffsets(ctx, "linetest")
		return err == nil
	})
}

// RedisAnswers waits for a Redis that was started or restarted.
func RedisAnswers(ctx context.Context, address string) error {
	cl := redis.NewClient(&redis.Options{Addr: address, MaxRetries: -1})
	defer cl.Close() //nolint:errcheck // nothing was written
	return Until(ctx, "redis answers at "+address, func() bool { return cl.Ping(ctx).Err() == nil })
}

// Until polls a condition as long as ctx allows.
func Until(ctx context.Context, what string, met func() bool) error {
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

// Setting is a variable of the environment, or what stands for it where it is empty.
func Setting(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}
