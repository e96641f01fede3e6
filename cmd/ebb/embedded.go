package main

import (
	"fmt"

	"github.com/alicebob/miniredis/v2"
	"github.com/twmb/franz-go/pkg/kfake"
)

// embedded is a Kafka and a Redis inside this process, on free ports of the loopback interface: any client of this machine
// can produce to them and read from them. They keep everything in memory and end with the process.
type embedded struct {
	kafka *kfake.Cluster
	redis *miniredis.Miniredis
}

// embeddedPartitions is the number of partitions of each embedded topic.
const embeddedPartitions = 4

// startEmbedded starts both and points the configuration to them.
func startEmbedded(cfg *Config) (*embedded, error) {
	partitions := int32(embeddedPartitions)
	kafka, err := kfake.NewCluster(
		kfake.NumBrokers(1), kfake.ClusterID("embedded"),
		kfake.SeedTopics(partitions, cfg.Kafka.Input, cfg.Kafka.Alerts, cfg.Kafka.DLQ()),
		kfake.BrokerConfigs(map[string]string{"group.initial.rebalance.delay.ms": "0", "log.retention.ms": "-1"}),
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
	cfg.Kafka.TLS, cfg.Kafka.SASL, cfg.Redis = TLSConfig{}, SASLConfig{}, RedisConfig{Addresses: cfg.Redis.Addresses}
	return &embedded{kafka: kafka, redis: redis}, nil
}

// close ends both.
func (e *embedded) close() {
	e.redis.Close()
	e.kafka.Close()
}
