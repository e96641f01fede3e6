package sinks

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"ebb/pipeline"
	"ebb/pipeline/kafkabatch"
	"ebb/pipeline/kafkawire"
)

// KafkaConfig is the setting of a Kafka sink. Client, Membership, Topic and Confirm are required.
type KafkaConfig struct {
	Client     *kafkawire.Client
	Membership kafkawire.Membership // goes with every offset; the coordinator refuses those of an older generation
	Topic      string               // the input
	Partition  int32
	Confirm    func(context.Context) error // asks whether Membership still holds; see kafkasource.Generation.Confirm

	Timeout     time.Duration          // of a transaction; see kafkawire.ProducerConfig
	MaxRequest  int                    // bytes; see kafkawire.ProducerConfig
	Compression kafkabatch.Compression // of what is published
}

// Kafka publishes what one partition has decided: the half of pipeline.Log that writes.
type Kafka struct {
	cfg      KafkaConfig
	producer *kafkawire.Producer
}

// NewKafka makes a Kafka sink. It does not talk to a broker.
func NewKafka(cfg KafkaConfig) (*Kafka, error) {
	if cfg.Client == nil || cfg.Membership.Group == "" || cfg.Topic == "" || cfg.Confirm == nil {
		return nil, errors.New("new kafka sink: client, membership, topic and confirm are required")
	}
	p, err := cfg.Client.NewProducer(kafkawire.ProducerConfig{
		TransactionalID: TransactionalID(cfg.Membership.Group, cfg.Topic, cfg.Partition),
		Timeout:         cfg.Timeout,
		MaxRequest:      cfg.MaxRequest,
		Compression:     cfg.Compression,
	})
	if err != nil {
		return nil, fmt.Errorf("new kafka sink: %w", err)
	}
	return &Kafka{cfg: cfg, producer: p}, nil
}

// TransactionalID names the one writer of a partition's results. Read from the right it takes apart again, because a
// topic's name has no slash.
func TransactionalID(group, topic string, partition int32) string {
	return TransactionalPrefix(group) + topic + "/" + strconv.Itoa(int(partition))
}

// TransactionalPrefix is what the transactional ids of a group begin with: what its user must be allowed to write.
func TransactionalPrefix(group string) string { return "ebb/" + group + "/" }

// Init is pipeline.Log's.
func (k *Kafka) Init(ctx context.Context) error {
	if err := k.cfg.Confirm(ctx); err != nil {
		return err
	}
	err := k.producer.Init(ctx)
	if errors.Is(err, pipeline.ErrFenced) {
		// Somebody started under the same id in this moment. Whose the partition is, the group says, not who came last.
		return fmt.Errorf("%w: %v", pipeline.ErrUnavailable, err) //nolint:errorlint // its class is not to be passed on
	}
	return err
}

// Publish is pipeline.Log's.
func (k *Kafka) Publish(ctx context.Context, p *pipeline.Publication) error {
	return k.producer.Commit(ctx, &kafkawire.Transaction{
		Membership: k.cfg.Membership, Topic: k.cfg.Topic, Partition: k.cfg.Partition,
		Offset: p.Offset, Metadata: p.Metadata, Records: p.Records,
	})
}
