// Package embedded starts a Kafka and a Redis inside the process, for trials and for the demo.
package embedded

import (
	"context"
	"fmt"
	"strconv"

	"github.com/alicebob/miniredis/v2"
	"github.com/twmb/franz-go/pkg/kfake"

	"ebb/cmd/ebb/config"
	"ebb/cmd/ebb/connect"
	"ebb/pipeline/kafkawire"
)

// Services is a Kafka and a Redis inside this process, on free ports of the loopback interface: any client of this
// machine can produce to them and read from them. They keep everything in memory and end with the process.
type Services struct {
	kafka *kfake.Cluster
	redis *miniredis.Miniredis
}

// partitions is the number of partitions of each embedded topic.
const partitions = 4

// kafkaMessageBytes is how large a record may be in a topic without a limit of its own.
const kafkaMessageBytes = 1_048_588

// Start starts both and points the configuration to them.
func Start(ctx context.Context, cfg *config.Config) (*Services, error) {
	kafka, err := kfake.NewCluster(
		kfake.NumBrokers(1), kfake.ClusterID("embedded"),
		kfake.BrokerConfigs(map[string]string{"group.initial.rebalance.delay.ms": "0"}),
	)
	if err != nil {
		return nil, fmt.Errorf("start embedded Kafka: %w", err)
	}
	redis, err := miniredis.Run()
	if err != nil {
		kafka.Close()
		return nil, fmt.Errorf("start embedded Redis: %w", err)
	}
	cfg.Kafka.Brokers, cfg.Redis.Addresses = kafka.ListenAddrs(), []string{redis.Addr()}
	cfg.Kafka.TLS, cfg.Kafka.SASL, cfg.Redis = config.TLS{}, config.SASL{}, config.Redis{Addresses: cfg.Redis.Addresses}
	e := &Services{kafka: kafka, redis: redis}
	if err := e.createTopics(ctx, cfg); err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

// createTopics creates the topics that ebb reads and writes. They keep everything, because most trials replay a log of
// the past.
func (e *Services) createTopics(ctx context.Context, cfg *config.Config) error {
	names := []string{
		cfg.Kafka.Input, cfg.Kafka.Alerts, cfg.Kafka.DLQ(), cfg.Kafka.Control, cfg.Kafka.Packs,
		cfg.Kafka.Decisions,
	}
	if len(cfg.Shadows) > 0 {
		names = append(names, cfg.Kafka.Shadow)
	}
	names = append(names, cfg.HoldoutTopics()...)
	client, err := connect.Kafka(cfg, names...)
	if err != nil {
		return err
	}
	defer client.Close()
	for _, name := range names {
		topic := kafkawire.NewTopic{
			Name:       name,
			Partitions: partitions,
			Replicas:   1,
			Configs:    map[string]string{"retention.ms": connect.KeepAll},
		}
		switch name {
		case cfg.Kafka.DLQ():
			topic.Configs["max.message.bytes"] = strconv.Itoa(kafkaMessageBytes + connect.DLQHeadroom)
		case cfg.Kafka.Packs:
			topic.Partitions, topic.Configs["cleanup.policy"] = 1, "compact"
		case cfg.Kafka.Audience:
			topic.Configs["cleanup.policy"] = "compact"
		}
		if err := client.CreateTopic(ctx, topic); err != nil {
			return fmt.Errorf("embedded Kafka: %w", err)
		}
	}
	return nil
}

// StartRedis starts a Redis alone. stop ends it.
func StartRedis() (address string, stop func(), err error) {
	redis, err := miniredis.Run()
	if err != nil {
		return "", nil, fmt.Errorf("start embedded Redis: %w", err)
	}
	return redis.Addr(), redis.Close, nil
}

// Close ends both.
func (e *Services) Close() {
	e.redis.Close()
	e.kafka.Close()
}
