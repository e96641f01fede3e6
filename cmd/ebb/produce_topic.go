package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/config"
	"ebb/pipeline"
	"ebb/pipeline/kafkawire"
)

// topicLimits is what the topic to write to does with records that are old or large.
type topicLimits struct {
	name       string
	brokers    string
	partitions int32
	config     kafkawire.TopicConfig
	keepsFrom  int64 // ms since the epoch: older record timestamps are deleted
}

// keepsAll is keepsFrom of a topic that deletes nothing by time.
const keepsAll = -1 << 63

// readTopicLimits asks the brokers for the input topic, to write to it. Errors as findTopic has them.
func readTopicLimits(ctx context.Context, client *kafkawire.Client, cfg *config.Config) (*topicLimits, error) {
	name := cfg.Kafka.Input
	topic, err := findTopic(ctx, client, cfg, name, kafkawire.Write, kafkawire.DescribeConfigs)
	if err != nil {
		return nil, err
	}
	config, err := client.TopicConfig(ctx, name)
	if err != nil {
		return nil, explainKafka(err, cfg)
	}
	return &topicLimits{
		name: name, brokers: strings.Join(cfg.Kafka.Brokers, ","), partitions: topic.Partitions, config: config,
		keepsFrom: keepsFrom(config, time.Now()),
	}, nil
}

// noTopicError says that a topic is missing.
type noTopicError struct{ name, brokers string }

func (e noTopicError) Error() string {
	return fmt.Sprintf("there is no topic %q at %s", e.name, e.brokers)
}

// withCreate adds to the error of a missing topic the command that creates it.
func withCreate(err error, command string) error {
	if errors.As(err, new(noTopicError)) {
		return advice.Add(err, "create it:\n  %s", command)
	}
	return err
}

// findTopic asks for a topic that has to be there, and to be open to what the command needs. Errors: noTopicError,
// *pipeline.Denied, and what explainKafka makes of others.
func findTopic(ctx context.Context, client *kafkawire.Client, cfg *config.Config, name string, needs ...kafkawire.Operation) (kafkawire.Topic, error) {
	if err := dialable(ctx, cfg.Kafka.Brokers); err != nil {
		return kafkawire.Topic{}, noAnswer(err, cfg)
	}
	topic, err := client.Topic(ctx, name)
	if errors.Is(err, kafkawire.UnknownTopicOrPartition) {
		return topic, noTopicError{name, client.Brokers()}
	}
	if denied := checkTopicAllowed(&topic, err, name, needs...); denied != nil {
		return topic, denied
	}
	if err != nil {
		return topic, explainKafka(err, cfg)
	}
	return topic, nil
}

// keepsFrom is the oldest record timestamp, in ms since the epoch, that a topic does not delete.
func keepsFrom(c kafkawire.TopicConfig, now time.Time) int64 {
	if c.Retention < 0 || c.AppendTime || !strings.Contains(c.CleanupPolicy, "delete") {
		return keepsAll
	}
	return now.Add(-c.Retention).UnixMilli()
}

// keepForever is the command that has a topic delete nothing by time.
func keepForever(brokers, topic string) string {
	return fmt.Sprintf("kafka-configs.sh --bootstrap-server %s --alter --entity-type topics --entity-name %s --add-config retention.ms=-1", brokers, topic)
}

// lookAhead refuses files whose records the topic would delete, and adds up what there is to read; -1: unknown. A file that
// cannot be read twice is looked at on the way.
func (p *producing) lookAhead(ctx context.Context, files []string) (total int64, err error) {
	old := oldest{topic: p.topic}
	for _, name := range files {
		if name == stdinName {
			total = -1
			continue
		}
		f, err := openLogFile(name, nil, &p.cfg.Input.Mapping)
		if err != nil {
			return 0, err
		}
		if f.size < 0 || total < 0 {
			total = -1
		} else {
			total += f.size
		}
		if f.size >= 0 && !p.flags.force && p.topic.keepsFrom != keepsAll {
			err = old.scan(ctx, f)
		}
		f.Close()
		if err != nil {
			return 0, err
		}
	}
	return total, old.refusal()
}

// oldest finds the oldest of the records that a topic would delete.
type oldest struct {
	topic *topicLimits
	time  int64
	place string
	count int64
}

// scan looks at every event of a file. Lines that cannot be used are left for later.
func (o *oldest) scan(ctx context.Context, f *logFile) error {
	var e logEntry
	for n := 0; ; n++ {
		if n%4096 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		err := f.Next(&e)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, new(*lineError)):
			continue
		case err != nil:
			return err
		}
		o.see(f, &e)
	}
}

func (o *oldest) see(f *logFile, e *logEntry) {
	if e.Time != 0 {
		o.note(e.Time, func() string { return fmt.Sprintf("%s:%d", f.name, e.Line) })
	}
}

// note takes one record in, of which place says where it comes from.
func (o *oldest) note(time int64, place func() string) {
	if time >= o.topic.keepsFrom {
		return
	}
	if o.count == 0 || time < o.time {
		o.time, o.place = time, place()
	}
	o.count++
}

// refusal says what would be lost and how to keep it.
func (o *oldest) refusal() error {
	if o.count == 0 {
		return nil
	}
	at := time.UnixMilli(o.time).UTC()
	err := fmt.Errorf("topic %s deletes records older than %s (retention.ms=%d); %s to send %s older",
		o.topic.name, advice.FormatDuration(o.topic.config.Retention), o.topic.config.Retention.Milliseconds(),
		advice.Count(o.count, "event"), map[bool]string{true: "is", false: "are"}[o.count == 1])
	return advice.Add(err, "the oldest: %s, of %s\nA record carries its event's time, so Kafka would delete these within minutes. Have the topic keep everything:\n  %s\nor send them all the same with --force.",
		o.place, at.Format(time.RFC3339), keepForever(o.topic.brokers, o.topic.name))
}

// refuses says why the topic would not keep or take an event.
func (t *topicLimits) refuses(f *logFile, e *logEntry, force bool) error {
	if n := len(e.Key) + len(e.Value) + recordOverhead; n > t.config.MaxMessageBytes {
		return &lineError{f.name, e.Line, fmt.Sprintf("%d bytes are more than topic %s takes (max.message.bytes=%d)", n, t.name, t.config.MaxMessageBytes)}
	}
	if force || e.Time == 0 || e.Time >= t.keepsFrom {
		return nil
	}
	o := oldest{topic: t}
	o.see(f, e)
	return o.refusal()
}

// recordOverhead is what a batch of one record adds to its key and value, at most, in bytes.
const recordOverhead = 100

// explainKafka puts the failure to reach the brokers into words.
func explainKafka(err error, cfg *config.Config) error {
	if errors.As(err, new(kafkawire.Error)) || !errors.Is(err, pipeline.ErrUnavailable) {
		return advice.Add(err, "ebb check tells what else may be wrong")
	}
	return noAnswer(err, cfg)
}

func noAnswer(err error, cfg *config.Config) error {
	return noKafka(err, cfg, "--brokers, ")
}
