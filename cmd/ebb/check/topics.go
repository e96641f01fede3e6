package check

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/connect"
	"ebb/pipeline/kafkawire"
	"ebb/pipeline/secure"
)

// checkTopics checks all topics and, once the input exists, where the group stands.
func (c *checking) checkTopics(ctx context.Context) {
	k := &c.cfg.Kafka
	partitions := c.opts.Partitions
	input, found := c.topic(ctx, wantedTopic{"input topic", k.Input, kafkawire.Read, partitions, nil})
	largest := int(c.cfg.Input.MaxRecordBytes)
	if found {
		partitions = input.Partitions
		if cfg, ok := c.topicConfig(ctx, "input topic", k.Input); ok {
			largest = cfg.MaxMessageBytes
			c.checkInput(&input, cfg)
		}
		if len(input.May.Lacks(kafkawire.Read)) == 0 {
			c.checkKeys(ctx, &input)
		}
	}
	if alerts, found := c.topic(ctx, wantedTopic{"alert topic", k.Alerts, kafkawire.Write, partitions, nil}); found {
		if cfg, ok := c.topicConfig(ctx, "alert topic", k.Alerts); ok {
			c.checkKept("alert topic", &alerts, cfg, true, "a later alert would replace a customer's earlier one")
		}
	}
	if len(c.cfg.Shadows) > 0 {
		c.checkShadowTopic(ctx, partitions)
	}
	c.checkOwnTopics(ctx, partitions)
	c.checkUndelivered(ctx, partitions)
	c.checkHoldout(ctx, partitions)
	need := largest + connect.DLQHeadroom
	settings := map[string]string{"max.message.bytes": strconv.Itoa(need)}
	if dlq, found := c.topic(ctx, wantedTopic{"dlq topic", k.DLQ(), kafkawire.Write, partitions, settings}); found {
		if cfg, ok := c.topicConfig(ctx, "dlq topic", k.DLQ()); ok {
			fits := cfg.MaxMessageBytes >= need
			c.checkKept("dlq topic", &dlq, cfg, fits, "a later quarantined record would replace an earlier one of the same key")
			if !fits {
				c.problem(
					"dlq topic",
					"raise it:\n"+c.alter(k.DLQ(), fmt.Sprintf("max.message.bytes=%d", need)),
					"%s takes records of %d bytes (max.message.bytes), the input's may have %d; with the headers that say why, %d "+
						"are needed",
					k.DLQ(),
					cfg.MaxMessageBytes,
					largest,
					need,
				)
			}
		}
	}
}

// checkUndelivered checks the topic of alerts that ebb deliver has given up, where that is used.
func (c *checking) checkUndelivered(ctx context.Context, partitions int32) {
	if c.cfg.Deliver.URL == "" {
		return
	}
	const check = "undelivered topic"
	topic, found := c.topic(ctx, wantedTopic{check, c.cfg.Kafka.UndeliveredTopic(), kafkawire.Write, partitions, nil})
	if !found {
		return
	}
	if cfg, ok := c.topicConfig(ctx, check, topic.Name); ok {
		c.checkKept(check, &topic, cfg, true, "a later alert that was given up would replace a customer's earlier one")
	}
}

// checkHoldout checks the topics of a holdout, where there is one.
func (c *checking) checkHoldout(ctx context.Context, partitions int32) {
	k := &c.cfg.Kafka
	if !c.cfg.Holdout.Enabled {
		return
	}
	const held, audience = "holdout topic", "audience topic"
	if topic, found := c.topic(ctx, wantedTopic{held, k.Holdout, kafkawire.Write, partitions, nil}); found {
		if cfg, ok := c.topicConfig(ctx, held, k.Holdout); ok {
			c.checkKept(held, &topic, cfg, true, "a later alert would replace a customer's earlier one")
		}
	}
	compacted := map[string]string{"cleanup.policy": "compact"}
	if topic, found := c.topic(ctx, wantedTopic{audience, k.Audience, kafkawire.Write, partitions, compacted}); found {
		c.checkArms(ctx, audience, &topic)
	}
}

// checkArms checks that the topic of customers' arms keeps the newest of each.
func (c *checking) checkArms(ctx context.Context, check string, t *kafkawire.Topic) {
	cfg, ok := c.topicConfig(ctx, check, t.Name)
	switch {
	case !ok:
	case cfg.CleanupPolicy != "compact" && connect.KeepsFrom(cfg, time.Now()) != connect.KeepsAll:
		c.problem(
			check,
			"compact it:\n"+c.alter(t.Name, "cleanup.policy=compact"),
			"%s deletes records older than %s; a sender that starts later would not know who is to be left alone",
			t.Name,
			advice.FormatDuration(cfg.Retention),
		)
	case !c.created[t.Name]:
		c.ok(
			check,
			"%s, %s, %s, keeps the newest arm of every customer",
			t.Name,
			advice.Plural(int(t.Partitions), "partition"),
			advice.Plural(t.Replicas, "replica"),
		)
	}
}

// checkDecisions checks the topic of decisions.
func (c *checking) checkDecisions(ctx context.Context, partitions int32) {
	const check = "decisions topic"
	topic, found := c.topic(ctx, wantedTopic{check, c.cfg.Kafka.Decisions, kafkawire.Write, partitions, nil})
	if !found {
		return
	}
	if cfg, ok := c.topicConfig(ctx, check, topic.Name); ok {
		c.checkKept(check, &topic, cfg, true, "a later decision would replace a customer's earlier one")
	}
}

// checkOwnTopics checks the topics that ebb writes for itself, and for whoever asks what it has decided.
func (c *checking) checkOwnTopics(ctx context.Context, partitions int32) {
	k := &c.cfg.Kafka
	c.checkControl(ctx, c.controlTopic(ctx), partitions)
	c.checkDecisions(ctx, partitions)
	compacted := map[string]string{"cleanup.policy": "compact"}
	if packs, found := c.topic(ctx, wantedTopic{"packs topic", k.Packs, kafkawire.Write, 1, compacted}); found {
		c.checkAllowed("packs topic", k.Packs, packs.May, kafkawire.Read)
		cfg, ok := c.topicConfig(ctx, "packs topic", k.Packs)
		switch {
		case !ok:
		case cfg.CleanupPolicy != "compact" && connect.KeepsFrom(cfg, time.Now()) != connect.KeepsAll:
			c.problem(
				"packs topic",
				"compact it:\n"+c.alter(k.Packs, "cleanup.policy=compact"),
				"%s deletes records older than %s; a pack of years ago would be gone when it is needed",
				k.Packs,
				advice.FormatDuration(cfg.Retention),
			)
		case !c.created[k.Packs]:
			c.ok("packs topic", "%s, %s, keeps every pack", k.Packs, advice.Plural(packs.Replicas, "replica"))
		}
	}
}

// controlTopic is where the group's control records are written: the configured topic, or, until that is created, the
// one that the group shared with others before.
func (c *checking) controlTopic(ctx context.Context) string {
	k := &c.cfg.Kafka
	found, err := connect.FindControl(ctx, c.client, c.cfg)
	if err != nil || !found.Missing || c.opts.Create {
		return k.Control
	}
	c.warn(
		"control topic",
		"once every process of the group is upgraded:\n"+c.opts.CreateLine,
		"there is no topic %s yet; the group goes on in %s, where its records stand beside those of other groups",
		k.Control,
		found.Topic,
	)
	return found.Topic
}

// checkControl checks the topic of control records.
func (c *checking) checkControl(ctx context.Context, name string, partitions int32) {
	const check = "control topic"
	control, found := c.topic(ctx, wantedTopic{check, name, kafkawire.Write, partitions, nil})
	if !found {
		return
	}
	c.checkAllowed(check, name, control.May, kafkawire.Read)
	enough := control.Partitions >= partitions
	if cfg, ok := c.topicConfig(ctx, check, name); ok {
		c.checkForGood(check, &control, cfg, enough)
	}
	if enough {
		return
	}
	c.problem(
		check,
		fmt.Sprintf(
			"add the rest:\nkafka-topics.sh --bootstrap-server %s --alter --topic %s --partitions %d",
			c.brokers(),
			name,
			partitions,
		),
		"%s has %s, the input has %d",
		name,
		advice.Plural(int(control.Partitions), "partition"),
		partitions,
	)
}

// checkForGood checks the topic of control records, which has to keep all of them; fits reports that the rest is in
// order.
func (c *checking) checkForGood(check string, t *kafkawire.Topic, cfg kafkawire.TopicConfig, fits bool) {
	switch {
	case strings.Contains(cfg.CleanupPolicy, "compact"):
		c.problem(
			check,
			"keep every record:\n"+c.alter(t.Name, "cleanup.policy=delete"),
			"%s is compacted: all but the newest control record of each partition are removed",
			t.Name,
		)
	case connect.KeepsFrom(cfg, time.Now()) != connect.KeepsAll || cfg.RetentionBytes >= 0:
		c.problem(
			check,
			"keep it for ever:\n"+c.alter(t.Name, "retention.ms=-1,retention.bytes=-1"),
			"%s deletes records older than %s; without them a rolled-back state stops (control_lost)",
			t.Name,
			advice.FormatDuration(cfg.Retention),
		)
	case fits && !c.created[t.Name]:
		c.ok(
			check,
			"%s, %s, %s, keeps everything",
			t.Name,
			advice.Plural(int(t.Partitions), "partition"),
			advice.Plural(t.Replicas, "replica"),
		)
	}
}

// checkAllowed reports what the brokers would refuse.
func (c *checking) checkAllowed(check, name string, may kafkawire.Operations, needs kafkawire.Operation) {
	if len(may.Lacks(needs)) > 0 {
		c.notAllowed(check, needs, name)
	}
}

func (c *checking) notAllowed(check string, operation kafkawire.Operation, name string) {
	c.problem(
		check,
		fmt.Sprintf("allow ebb's user %s; docs/security.md lists all that it needs", operation),
		"%s on %s is not allowed (%s)",
		operation,
		name,
		secure.CodePermission,
	)
}

// wantedTopic is a topic that has to exist, what ebb does with it, and how --create makes it.
type wantedTopic struct {
	check      string
	name       string
	needs      kafkawire.Operation
	partitions int32
	settings   map[string]string
}

// topic finds a topic. It creates a missing one where the command line has --create.
func (c *checking) topic(ctx context.Context, w wantedTopic) (t kafkawire.Topic, found bool) {
	t, err := c.client.Topic(ctx, w.name)
	missing := errors.Is(err, kafkawire.UnknownTopicOrPartition)
	if missing && c.opts.Create {
		if t, err = c.createTopic(ctx, &w); err == nil {
			c.ok(w.check, "%s created with %s, keeping everything", w.name, advice.Plural(int(t.Partitions), "partition"))
			c.created[w.name] = true
		}
	}
	switch {
	case err == nil:
		c.topics[w.name] = t
		c.checkAllowed(w.check, w.name, t.May, w.needs)
	case missing && !c.opts.Create:
		c.problem(w.check, c.opts.CreateLine, "there is no topic %s", w.name)
	case missing && (errors.Is(err, kafkawire.TopicDenied) || errors.Is(err, kafkawire.ClusterDenied)):
		c.problem(
			w.check,
			"allow ebb's user CREATE, on the topic or on the cluster, or have an administrator create it",
			"there is no topic %s, and CREATE on it is not allowed (%s)",
			w.name,
			secure.CodePermission,
		)
	case errors.Is(err, kafkawire.TopicDenied): // hidden, while each of the needed permissions would show it
		c.notAllowed(w.check, w.needs, w.name)
	default:
		c.failed(
			w.check,
			map[bool]string{true: "mend what Kafka objects to; --partitions and --replicas may be it"}[missing],
			err,
		)
	}
	return t, err == nil
}

// createTopic makes a topic and waits until the brokers list it.
func (c *checking) createTopic(ctx context.Context, w *wantedTopic) (kafkawire.Topic, error) {
	configs := map[string]string{"retention.ms": connect.KeepAll, "cleanup.policy": "delete"}
	maps.Copy(configs, w.settings)
	err := c.client.CreateTopic(
		ctx,
		kafkawire.NewTopic{Name: w.name, Partitions: w.partitions, Replicas: c.opts.Replicas, Configs: configs},
	)
	if err != nil && !errors.Is(err, kafkawire.TopicExists) {
		return kafkawire.Topic{}, err
	}
	deadline := time.Now().Add(10 * time.Second)
	for {
		t, err := c.client.Topic(ctx, w.name)
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
	switch {
	case errors.Is(err, kafkawire.TopicDenied):
		c.notAllowed(check, kafkawire.DescribeConfigs, name)
	case err != nil:
		c.failed(check, "", err)
	}
	return cfg, err == nil
}

// checkInput checks what the input topic does with its events.
func (c *checking) checkInput(t *kafkawire.Topic, cfg kafkawire.TopicConfig) {
	if strings.Contains(cfg.CleanupPolicy, "compact") {
		c.problem(
			"input topic",
			"keep every record:\n"+c.alter(t.Name, "cleanup.policy=delete"),
			"%s is compacted: all but the newest events of each customer are removed",
			t.Name,
		)
		return
	}
	replicas := fmt.Sprintf("%s, %s", advice.Plural(int(t.Partitions), "partition"), advice.Plural(t.Replicas, "replica"))
	if from := connect.KeepsFrom(cfg, time.Now()); from != connect.KeepsAll {
		c.warn(
			"input topic",
			"for replayed logs and rebuilds:\n"+connect.KeepForever(c.brokers(), t.Name),
			"%s, %s; records older than %s are deleted by the event time they carry: fine for live events, a replayed log of "+
				"the past would be gone within minutes",
			t.Name,
			replicas,
			advice.FormatDuration(cfg.Retention),
		)
		return
	}
	if cfg.RetentionBytes >= 0 {
		c.warn(
			"input topic",
			"watch that ebb stays ahead of it, or:\n"+c.alter(t.Name, "retention.bytes=-1"),
			"%s, %s; each partition keeps %s and deletes what is older, read or not",
			t.Name,
			replicas,
			advice.FormatSize(cfg.RetentionBytes),
		)
		return
	}
	if !c.created[t.Name] { // otherwise already reported
		c.ok("input topic", "%s, %s, keeps everything", t.Name, replicas)
	}
}

// checkKept checks a topic whose records downstream has to read; fits reports that the rest is in order.
func (c *checking) checkKept(check string, t *kafkawire.Topic, cfg kafkawire.TopicConfig, fits bool, compacted string) {
	shape := fmt.Sprintf(
		"%s, %s, %s",
		t.Name,
		advice.Plural(int(t.Partitions), "partition"),
		advice.Plural(t.Replicas, "replica"),
	)
	switch {
	case strings.Contains(cfg.CleanupPolicy, "compact"):
		c.problem(
			check,
			"keep every record:\n"+c.alter(t.Name, "cleanup.policy=delete"),
			"%s is compacted: %s",
			t.Name,
			compacted,
		)
	case connect.KeepsFrom(cfg, time.Now()) != connect.KeepsAll:
		c.warn(
			check,
			"for replayed logs:\n"+connect.KeepForever(c.brokers(), t.Name),
			"%s; records older than %s are deleted by their timestamp, which is event time",
			shape,
			advice.FormatDuration(cfg.Retention),
		)
	case fits && !c.created[t.Name]:
		c.ok(check, "%s", shape)
	}
}

func (c *checking) brokers() string { return strings.Join(c.cfg.Kafka.Brokers, ",") }

// alter is the command that changes a topic's setting.
func (c *checking) alter(topic, setting string) string {
	return fmt.Sprintf(
		"kafka-configs.sh --bootstrap-server %s --alter --entity-type topics --entity-name %s --add-config %s",
		c.brokers(),
		topic,
		setting,
	)
}
