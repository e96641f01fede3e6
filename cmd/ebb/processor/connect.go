package processor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/connect"
	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
)

// connectPatiently waits for Kafka and Redis where they do not answer. With --until-end it returns the error at once,
// since somebody waits for the end.
func (p *Processor) connectPatiently(ctx context.Context) error {
	if p.opts.UntilEnd || p.opts.Embedded {
		return p.connect(ctx)
	}
	return connect.Patiently(ctx, p.log, p.connect, func(reason string) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.awaited = reason
	})
}

// connect checks that everything exists and fits, each service after those it depends on. It may be repeated.
func (p *Processor) connect(ctx context.Context) (err error) {
	if p.redis == nil {
		if p.redis, err = connect.Redis(ctx, p.cfg); err != nil {
			return connect.NoRedis(err, p.cfg)
		}
	}
	if !p.opts.Embedded {
		if err := p.checkRedis(ctx); err != nil {
			return err
		}
	}
	if err := p.checkTopics(ctx); err != nil {
		return err
	}
	if err := p.checkPartitions(ctx); err != nil {
		return err
	}
	return p.findControl(ctx)
}

// findControl finds the topic of control records, which has to have a partition for each of the input's.
func (p *Processor) findControl(ctx context.Context) (err error) {
	p.control, err = connect.FindControl(ctx, p.kafka, p.cfg)
	if err != nil {
		return p.noTopic(p.cfg.Kafka.Control, err)
	}
	p.ownTopics = append(p.ownTopics, kafkawire.Topic{Name: p.control.Topic, ID: p.control.ID})
	if p.control.Missing && p.opts.shadow == nil {
		p.log.Warn().Str("topic", p.cfg.Kafka.Control).Str("goes_on_in", p.control.Topic).
			Str("do", "once every process of the group is upgraded: ebb check --create, then start them again").
			Msg("the group's own topic of control records does not exist")
	}
	if p.control.Partitions >= p.topic.Partitions {
		return nil
	}
	return advice.Add(
		fmt.Errorf(
			"topic %s has %s, the input has %d",
			p.control.Topic,
			advice.Plural(int(p.control.Partitions), "partition"),
			p.topic.Partitions,
		),
		"ebb check shows how to add the rest",
	)
}

// noTopic words why a topic cannot be found.
func (p *Processor) noTopic(name string, err error) error {
	switch {
	case errors.Is(err, kafkawire.UnknownTopicOrPartition):
		return p.topicsMissing(name)
	case connect.Silent(err) && !errors.As(err, new(kafkawire.Error)):
		return connect.NoKafka(err, p.cfg, "")
	}
	return fmt.Errorf("look up topic %s at %s: %w", name, p.kafka.Brokers(), err)
}

// topicsMissing refuses to start without the topics, and logs that as a partition's hard stop is.
func (p *Processor) topicsMissing(names ...string) error {
	found := "topic " + names[0] + " does not exist"
	if len(names) > 1 {
		found = "topics " + strings.Join(names, ", ") + " do not exist"
	}
	do := "create what is missing: " + cmp.Or(p.opts.CreateLine, "ebb check --create")
	if p.opts.shadow != nil {
		return advice.Add(errors.New(found), "%s", do) // it alone ends
	}
	stop := &pipeline.HardStop{Code: "topic_missing", Detail: found + " at " + p.kafka.Brokers(), Do: do}
	p.log.Error().EmbedObject(stop).Msg("cannot start")
	return stop
}

// checkRedis refuses a Redis that may drop state.
func (p *Processor) checkRedis(ctx context.Context) error {
	policies, err := p.redis.Policies(ctx)
	if err != nil {
		return fmt.Errorf("read Redis's policy: %w", err)
	}
	for i := range policies {
		if err := policies[i].Check(); err != nil {
			return err
		}
		if policies[i].EvictsVolatile() {
			p.log.Warn().
				Str("redis", policies[i].Address).
				Str("maxmemory_policy", policies[i].Eviction).
				Msg("Redis drops keys that have a time to live when its memory is full; no key of ebb's has one, and none may be given one")
		}
		if policies[i].Unknown != nil {
			p.log.Warn().
				Str("redis", policies[i].Address).
				Err(policies[i].Unknown).
				Msg("Redis does not report whether it may evict state; it must not")
		}
	}
	return nil
}

// checkTopics finds the input's identity and checks that all topics ebb writes to exist.
func (p *Processor) checkTopics(ctx context.Context) (err error) {
	var missing []string
	p.ownTopics = nil
	for _, name := range p.topics() {
		p.topic, err = p.kafka.Topic(ctx, name)
		if errors.Is(err, kafkawire.UnknownTopicOrPartition) {
			missing = append(missing, name)
		} else if err != nil {
			return p.noTopic(name, err)
		}
		if name == p.cfg.Kafka.Packs {
			p.ownTopics = append(p.ownTopics, p.topic)
		}
	}
	if len(missing) > 0 {
		if _, err := connect.FindControl(ctx, p.kafka, p.cfg); errors.Is(err, kafkawire.UnknownTopicOrPartition) {
			missing = append(missing, p.cfg.Kafka.Control)
		}
		return p.topicsMissing(missing...)
	}
	if !p.opts.UntilEnd && !p.opts.AcceptPoison {
		return nil
	}
	p.ends = make([]int64, p.topic.Partitions)
	if s := p.opts.shadow; s != nil {
		copy(p.ends, s.ends)
		return nil
	}
	for i := range p.ends {
		if _, p.ends[i], err = p.kafka.Bounds(ctx, p.cfg.Kafka.Input, int32(i)); err != nil {
			return fmt.Errorf("find the end of %s/%d: %w", p.cfg.Kafka.Input, i, err)
		}
	}
	return nil
}

// checkPartitions refuses to start where any partition's state was built with another number of partitions.
func (p *Processor) checkPartitions(ctx context.Context) error {
	for n := range p.topic.Partitions {
		found, err := p.redis.Inspect(ctx, p.cfg.Kafka.Group, int(n), nil)
		if errors.As(err, new(*pipeline.HardStop)) {
			continue // of this partition alone: its owner finds it, and stops
		}
		if err != nil {
			return fmt.Errorf("read the state of partition %d: %w", n, err)
		}
		if found.Exists && found.Meta.Partitions != int(p.topic.Partitions) {
			return p.refuse(n, p.identity(n).PartitionsChanged(found.Meta.Partitions))
		}
	}
	return nil
}

// topics are those written to but for that of control records, and the input last. A shadow leaves unusable input to
// the main processor, and nobody asks why its alerts do not go out.
func (p *Processor) topics() []string {
	k := &p.cfg.Kafka
	return slices.DeleteFunc(
		append(p.cfg.HoldoutTopics(), k.Alerts, p.dlq(), k.Packs, p.decisions(), k.Input),
		func(name string) bool { return name == "" },
	)
}

// decisions is the topic of decisions; empty of a shadow.
func (p *Processor) decisions() string {
	if p.opts.shadow != nil {
		return ""
	}
	return p.cfg.Kafka.Decisions
}

// dlq is the topic of quarantined records; empty of a shadow.
func (p *Processor) dlq() string {
	if p.opts.shadow != nil {
		return ""
	}
	return p.cfg.Kafka.DLQ()
}
