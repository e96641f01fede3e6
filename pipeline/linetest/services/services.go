//go:build integration

// Package services finds the Kafka and the Redis of integration tests, or starts them: EBB_TEST_KAFKA and
// EBB_TEST_REDIS name running ones, else testcontainers-go starts the images EBB_TEST_KAFKA_IMAGE,
// EBB_TEST_OLD_KAFKA_IMAGE and EBB_TEST_REDIS_IMAGE, by default the public ones. Where neither is available the tests
// fail. Command with starts them once for the tests of several packages. The services are shared: a test that stops or
// configures a service starts its own.
package services

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/testcontainers/testcontainers-go"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Variables that name a running service. Where one is empty, With starts the service and sets it.
const (
	Kafka = "EBB_TEST_KAFKA"
	Redis = "EBB_TEST_REDIS"
)

const startTimeout = 5 * time.Minute

// Main runs a package's tests with the services named by the variables, and returns the exit code.
func Main(m *testing.M, variables ...string) int {
	return With(context.Background(), m.Run, variables...)
}

// With runs something with the services named by the variables, and returns its exit code, or 1 where they are not
// available.
func With(ctx context.Context, run func() int, variables ...string) int {
	containers, err := start(ctx, variables)
	code := 1
	if err == nil {
		code = run()
	}
	for _, c := range containers {
		stop := testcontainers.StopContext(context.WithoutCancel(ctx))
		err = errors.Join(err, testcontainers.TerminateContainer(c, stop, testcontainers.StopTimeout(0)))
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
		begin, answers := StartKafka, KafkaAnswers
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

// KafkaImage is the image of the newest Kafka that ebb is tested with.
func KafkaImage() string { return Setting("EBB_TEST_KAFKA_IMAGE", "apache/kafka:4.1.0") }

// OldKafkaImage is the image of the oldest Kafka whose clusters the kill test runs on.
func OldKafkaImage() string { return Setting("EBB_TEST_OLD_KAFKA_IMAGE", "apache/kafka:3.9.1") }

// RedisImage is the image of Redis.
func RedisImage() string { return Setting("EBB_TEST_REDIS_IMAGE", "redis:7") }

// StartKafka starts a broker that keeps records of any age, at an address that stays the same over its restarts.
func StartKafka(ctx context.Context) (testcontainers.Container, string, error) {
	return StartKafkaOf(ctx, KafkaImage())
}

// StartKafkaOf is StartKafka with a choice of the version.
func StartKafkaOf(ctx context.Context, image string) (testcontainers.Container, string, error) {
	// The broker also connects to itself, to mark transactions, and its mapped port may lead nowhere from the inside.
	return run(ctx, image, "9092/tcp", func(address string) testcontainers.CustomizeRequestOption {
		settings := KafkaSettings()
		settings["KAFKA_LISTENERS"] = "PLAINTEXT://:9092,BROKER://:9094,CONTROLLER://:9093"
		settings["KAFKA_ADVERTISED_LISTENERS"] = "PLAINTEXT://" + address + ",BROKER://localhost:9094"
		settings["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"] = "CONTROLLER:PLAINTEXT,BROKER:PLAINTEXT,PLAINTEXT:PLAINTEXT"
		return testcontainers.WithEnv(settings)
	})
}

// KafkaSettings are those of a broker that is its own controller and has a listener BROKER for itself. The caller adds
// what it listens on.
func KafkaSettings() map[string]string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	id[0] &= 0x7f           // then in base64 it never begins with "-", which the broker's tools read as an option
	return map[string]string{
		"KAFKA_INTER_BROKER_LISTENER_NAME": "BROKER",
		"CLUSTER_ID":                       base64.RawURLEncoding.EncodeToString(id[:]),
		"KAFKA_NODE_ID":                    "1", "KAFKA_PROCESS_ROLES": "broker,controller",
		"KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER", "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
		"KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1", "KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS": "8",
		"KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1", "KAFKA_TRANSACTION_STATE_LOG_NUM_PARTITIONS": "8",
		"KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1", "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
		"KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false", "KAFKA_LOG_RETENTION_MS": "-1", "KAFKA_HEAP_OPTS": "-Xms768m -Xmx768m",
	}
}

// StartRedis starts a Redis that saves only on command, at an address that stays the same over its restarts.
func StartRedis(ctx context.Context) (testcontainers.Container, string, error) {
	return run(ctx, RedisImage(), "6379/tcp", func(string) testcontainers.CustomizeRequestOption {
		return testcontainers.WithCmd(
			"redis-server",
			"--bind",
			"0.0.0.0",
			"--protected-mode",
			"no",
			"--save",
			"",
			"--appendonly",
			"no",
			"--dir",
			"/data",
		)
	})
}

// KafkaAnswers waits for a Kafka that was started or restarted.
func KafkaAnswers(ctx context.Context, address string) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(address))
	if err != nil {
		return err
	}
	defer cl.Close()
	adm := kadm.NewClient(cl)
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	var last error
	err = Until(ctx, "kafka answers at "+address, func() bool {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		// A fresh broker first has to create the topic of offsets.
		if _, err := adm.FetchOffsets(ctx, "linetest"); err != nil {
			last = err
			return false
		}
		return true
	})
	if err != nil && last != nil {
		err = fmt.Errorf("%w; last: %w", err, last)
	}
	return err
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

// Setting is a variable of the environment, or its substitute where it is empty.
func Setting(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}
