package connect

import (
	"context"
	"fmt"
	"strings"
	"time"

	"ebb/cmd/ebb/advice"
	"ebb/cmd/ebb/config"
	"ebb/pipeline/kafkawire"
)

// DLQHeadroom is how much larger a quarantined record may be than the input record, in bytes: its headers hold the
// reason.
const DLQHeadroom = 64 << 10

// KeepAll is the setting of the topics that --create makes. Their records carry event time, so a topic with a time
// limit would delete a replayed log of the past within minutes.
const KeepAll = "-1"

// Limits is what the topic to write to does with old and with large records.
type Limits struct {
	Name       string
	brokers    string
	Partitions int32
	Config     kafkawire.TopicConfig
	KeepsFrom  int64 // ms since the epoch: older record timestamps are deleted
}

// KeepsAll is KeepsFrom of a topic that deletes nothing by time.
const KeepsAll = -1 << 63

// ReadLimits reads the limits of the input topic, for a command that writes to it. Errors as for FindTopic.
func ReadLimits(ctx context.Context, client *kafkawire.Client, cfg *config.Config) (*Limits, error) {
	name := cfg.Kafka.Input
	topic, err := FindTopic(ctx, client, cfg, name, kafkawire.Write, kafkawire.DescribeConfigs)
	if err != nil {
		return nil, err
	}
	config, err := client.TopicConfig(ctx, name)
	if err != nil {
		return nil, Explain(err, cfg)
	}
	return &Limits{
		Name: name, brokers: strings.Join(cfg.Kafka.Brokers, ","), Partitions: topic.Partitions, Config: config,
		KeepsFrom: KeepsFrom(config, time.Now()),
	}, nil
}

// KeepsFrom is the oldest record timestamp, in ms since the epoch, that a topic does not delete.
func KeepsFrom(c kafkawire.TopicConfig, now time.Time) int64 {
	if c.Retention < 0 || c.AppendTime || !strings.Contains(c.CleanupPolicy, "delete") {
		return KeepsAll
	}
	return now.Add(-c.Retention).UnixMilli()
}

// KeepForever is the command that stops a topic from deleting by time.
func KeepForever(brokers, topic string) string {
	return fmt.Sprintf(
		"kafka-configs.sh --bootstrap-server %s --alter --entity-type topics --entity-name %s --add-config retention.ms=-1",
		brokers,
		topic,
	)
}

// Oldest finds the oldest of the records that a topic would delete.
type Oldest struct {
	Topic *Limits
	time  int64
	place string
	count int64
}

// Note takes in one record; place is where it comes from.
func (o *Oldest) Note(time int64, place func() string) {
	if time >= o.Topic.KeepsFrom {
		return
	}
	if o.count == 0 || time < o.time {
		o.time, o.place = time, place()
	}
	o.count++
}

// Refusal explains what would be lost and how to keep it.
func (o *Oldest) Refusal() error {
	if o.count == 0 {
		return nil
	}
	at := time.UnixMilli(o.time).UTC()
	err := fmt.Errorf("topic %s deletes records older than %s (retention.ms=%d); %s to send %s older",
		o.Topic.Name, advice.FormatDuration(o.Topic.Config.Retention), o.Topic.Config.Retention.Milliseconds(),
		advice.Count(o.count, "event"), map[bool]string{true: "is", false: "are"}[o.count == 1])
	return advice.Add(
		err,
		"the oldest: %s, of %s\nA record carries its event's time, so Kafka would delete these within minutes. Have the "+
			"topic keep everything:\n  %s\nor send them all the same with --force.",
		o.place,
		at.Format(time.RFC3339),
		KeepForever(o.Topic.brokers, o.Topic.Name),
	)
}
