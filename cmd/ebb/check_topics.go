package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"ebb/pipeline/kafkawire"
	"ebb/pipeline/secure"
)

// dlqHeadroom is how much larger a quarantined record may be than the input record, in bytes: the headers that say why.
const dlqHeadroom = 64 << 10

// keepAll is the setting of the topics that --create makes. Their records carry event time, and a replayed log of the past
// would be deleted within minutes.
const keepAll = "-1"

// checkTopics checks the three topics and, once the input is there, where the group stands.
func (c *checking) checkTopics(ctx context.Context) {
	k := &c.cfg.Kafka
	partitions := c.flags.partitions
	input, found := c.topic(ctx, "input topic", k.Input, partitions, nil)
	largest := int(c.cfg.Input.MaxRecordBytes)
	if found {
		c.checkAllowed("input topic", "READ", k.Input, input.May.Read())
		partitions = input.Partitions
		if cfg, ok := c.topicConfig(ctx, "input topic", k.Input); ok {
			largest = cfg.MaxMessageBytes
			c.checkInput(&input, cfg)
		}
		c.checkKeys(ctx, &input)
	}
	if alerts, found := c.topic(ctx, "alert topic", k.Alerts, partitions, nil); found {
		c.checkAllowed("alert topic", "WRITE", k.Alerts, alerts.May.Write())
		if cfg, ok := c.topicConfig(ctx, "alert topic", k.Alerts); ok {
			c.checkKept("alert topic", &alerts, cfg, "a later alert would replace a customer's earlier one")
		}
	}
	need := largest + dlqHeadroom
	if dlq, found := c.topic(ctx, "dlq topic", k.DLQ(), partitions, map[string]string{"max.message.bytes": strconv.Itoa(need)}); found {
		c.checkAllowed("dlq topic", "WRITE", k.DLQ(), dlq.May.Write())
		if cfg, ok := c.topicConfig(ctx, "dlq topic", k.DLQ()); ok {
			c.checkKept("dlq topic", &dlq, cfg, "a later quarantined record would replace an earlier one of the same key")
			if cfg.MaxMessageBytes < need {
				c.problem("dlq topic", "raise it:\n"+c.alter(k.DLQ(), fmt.Sprintf("max.message.bytes=%d", need)),
					"%s takes records of %d bytes (max.message.bytes), the input's may have %d; with the headers that say why, %d are needed", k.DLQ(), cfg.MaxMessageBytes, largest, need)
			}
		}
	}
}

// checkAllowed says what the brokers would refuse.
func (c *checking) checkAllowed(check, operation, name string, allowed bool) {
	if !allowed {
		c.problem(check, "allow ebb's user "+operation+"; docs/security.md lists all that it needs", "%s on %s is not allowed (%s)", operation, name, secure.CodePermission)
	}
}

// topic asks for a topic and creates it where it is missing and the command line says so.
func (c *checking) topic(ctx context.Context, check, name string, partitions int32, extra map[string]string) (kafkawire.Topic, bool) {
	t, err := c.client.Topic(ctx, name)
	if errors.Is(err, kafkawire.UnknownTopicOrPartition) {
		if !c.flags.create {
			c.problem(check, c.create, "there is no topic %s", name)
			return t, false
		}
		if t, err = c.createTopic(ctx, name, partitions, extra); err == nil {
			c.ok(check, "%s created with %s, keeping everything", name, plural(int(t.Partitions), "partition"))
		}
	}
	if err != nil {
		c.failed(check, "see that ebb's user may DESCRIBE, READ and WRITE the topic, and CREATE it with --create", err)
		return t, false
	}
	c.topics[name] = t
	return t, true
}

// createTopic makes a topic and waits until the brokers know it.
func (c *checking) createTopic(ctx context.Context, name string, partitions int32, extra map[string]string) (kafkawire.Topic, error) {
	configs := map[string]string{"retention.ms": keepAll, "cleanup.policy": "delete"}
	maps.Copy(configs, extra)
	err := c.client.CreateTopic(ctx, kafkawire.NewTopic{Name: name, Partitions: partitions, Replicas: c.flags.replicas, Configs: configs})
	if err != nil && !errors.Is(err, kafkawire.TopicExists) {
		return kafkawire.Topic{}, err
	}
	deadline := time.Now().Add(10 * time.Second)
	for {
		t, err := c.client.Topic(ctx, name)
		if !errors.Is(err, kafkawire.UnknownTopicOrPartition) || time.Now().After(deadline) {
			return t, err
		}
		select {
		case <-ctx.Done():
			return t, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (c *checking) topicConfig(ctx context.Context, check, name string) (kafkawire.TopicConfig, bool) {
	cfg, err := c.client.TopicConfig(ctx, name)
	if err != nil {
		c.failed(check, "allow DESCRIBE_CONFIGS on the topic", err)
	}
	return cfg, err == nil
}

// checkInput looks at what the input topic does with the events in it.
func (c *checking) checkInput(t *kafkawire.Topic, cfg kafkawire.TopicConfig) {
	if strings.Contains(cfg.CleanupPolicy, "compact") {
		c.problem("input topic", "keep every record:\n"+c.alter(t.Name, "cleanup.policy=delete"), "%s is compacted: all but the newest events of each customer are removed", t.Name)
		return
	}
	replicas := fmt.Sprintf("%s, %s", plural(int(t.Partitions), "partition"), plural(t.Replicas, "replica"))
	if from := keepsFrom(cfg, time.Now()); from != keepsAll {
		c.warn("input topic", "for replayed logs and rebuilds:\n"+keepForever(c.brokers(), t.Name),
			"%s, %s; records older than %s are deleted by the event time they carry: fine for live events, a replayed log of the past would be gone within minutes", t.Name, replicas, formatDuration(cfg.Retention))
		return
	}
	if cfg.RetentionBytes >= 0 {
		c.warn("input topic", "watch that ebb stays ahead of it, or:\n"+c.alter(t.Name, "retention.bytes=-1"),
			"%s, %s; each partition keeps %s and deletes what is older, read or not", t.Name, replicas, formatSize(cfg.RetentionBytes))
		return
	}
	c.ok("input topic", "%s, %s, keeps everything", t.Name, replicas)
}

// checkKept looks at a topic whose records downstream has to read.
func (c *checking) checkKept(check string, t *kafkawire.Topic, cfg kafkawire.TopicConfig, compacted string) {
	shape := fmt.Sprintf("%s, %s, %s", t.Name, plural(int(t.Partitions), "partition"), plural(t.Replicas, "replica"))
	switch {
	case strings.Contains(cfg.CleanupPolicy, "compact"):
		c.problem(check, "keep every record:\n"+c.alter(t.Name, "cleanup.policy=delete"), "%s is compacted: %s", t.Name, compacted)
	case keepsFrom(cfg, time.Now()) != keepsAll:
		c.warn(check, "for replayed logs:\n"+keepForever(c.brokers(), t.Name),
			"%s; records older than %s are deleted by their timestamp, which is event time", shape, formatDuration(cfg.Retention))
	default:
		c.ok(check, "%s", shape)
	}
}

func (c *checking) brokers() string { return strings.Join(c.cfg.Kafka.Brokers, ",") }

// alter is the command that changes a topic's setting.
func (c *checking) alter(topic, setting string) string {
	return fmt.Sprintf("kafka-configs.sh --bootstrap-server %s --alter --entity-type topics --entity-name %s --add-config %s", c.brokers(), topic, setting)
}
