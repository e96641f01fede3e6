package kafkawire

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ebb/pipeline/kafkabatch"
)

// Topic is what a cluster knows of a topic.
type Topic struct {
	Name       string
	ID         string // as Kafka's tools write it; a topic made anew under the same name has another
	Cluster    string // id of the cluster
	Partitions int32
	Replicas   int // of the partition that has the fewest
	May        Operations
}

// Operations are what the user may do with a topic or a group, as the brokers reckon it.
type Operations int32

// unsaid is what brokers answer that do not tell; 0 is nothing that one who may ask can be told.
const unsaid Operations = -1 << 31

// Operation is one thing that an administrator allows, by the name that Kafka's tools give it.
type Operation string

// Operations that are asked for.
const (
	Read            Operation = "READ"
	Write           Operation = "WRITE"
	DescribeConfigs Operation = "DESCRIBE_CONFIGS"
	Delete          Operation = "DELETE"
)

// Lacks lists those of the operations that are not allowed. Nothing known against one counts as allowed.
func (o Operations) Lacks(wanted ...Operation) (missing []Operation) {
	codes := map[Operation]kmsg.ACLOperation{
		Read:            kmsg.ACLOperationRead,
		Write:           kmsg.ACLOperationWrite,
		DescribeConfigs: kmsg.ACLOperationDescribeConfigs,
		Delete:          kmsg.ACLOperationDelete,
	}
	for _, op := range wanted {
		if o != unsaid && o != 0 && o&(1<<codes[op]) == 0 {
			missing = append(missing, op)
		}
	}
	return missing
}

// Topic asks a broker for a topic, which need not be in Config.Topics. Errors: UnknownTopicOrPartition,
// pipeline.ErrUnavailable.
func (c *Client) Topic(ctx context.Context, name string) (Topic, error) {
	return c.describe(ctx, ToAny(), name, true)
}

// TopicFacts is Topic as one broker describes it, without May, which costs brokers a look at the permissions: for who asks
// after each fetch. A leader that has served a fetch knows of the topic that the records are of, while other brokers may
// still describe the one before. Errors: as of Topic, BrokerNotAvailable.
func (c *Client) TopicFacts(ctx context.Context, name string, broker int32) (Topic, error) {
	return c.describe(ctx, toNode(broker), name, false)
}

// Leader is the broker that leads a partition of one of Config.Topics, not older than about a second. Errors:
// UnknownTopicOrPartition, LeaderNotAvailable, pipeline.ErrUnavailable.
func (c *Client) Leader(ctx context.Context, topic string, partition int32) (int32, error) {
	id, err := c.leader(ctx, target{topic, partition})
	if err == nil && id < 0 {
		err = fmt.Errorf("%s/%d: %w", topic, partition, LeaderNotAvailable)
	}
	return id, err
}

func (c *Client) describe(ctx context.Context, to Route, name string, permissions bool) (Topic, error) {
	req := kmsg.NewPtrMetadataRequest()
	t := kmsg.NewMetadataRequestTopic()
	t.Topic = &name
	req.Topics = append(req.Topics, t)
	req.IncludeTopicAuthorizedOperations = permissions
	answer, err := c.askSafe(ctx, to, req, func(kmsg.Response) int16 { return 0 })
	if err != nil {
		return Topic{}, fmt.Errorf("describe topic %s: %w", name, err)
	}
	res := answer.(*kmsg.MetadataResponse)
	if len(res.Topics) != 1 {
		return Topic{}, kafkabatch.Malformed("metadata of %d topics instead of one", len(res.Topics))
	}
	got := &res.Topics[0]
	if err := asError(got.ErrorCode); err != nil {
		return Topic{}, fmt.Errorf("describe topic %s: %w", name, err)
	}
	out := Topic{
		Name:       name,
		ID:         base64.RawURLEncoding.EncodeToString(got.TopicID[:]),
		Partitions: int32(len(got.Partitions)),
		May:        Operations(got.AuthorizedOperations), // unsaid where nobody asked
	}
	if res.ClusterID != nil {
		out.Cluster = *res.ClusterID
	}
	for i, p := range got.Partitions {
		if n := len(p.Replicas); i == 0 || n < out.Replicas {
			out.Replicas = n
		}
	}
	return out, nil
}

// Partitions is how many partitions a topic of Config.Topics has, not older than about a second. One that is not there
// yet is waited for, up to the request timeout. Errors: UnknownTopicOrPartition, pipeline.ErrUnavailable.
func (c *Client) Partitions(ctx context.Context, topic string) (int32, error) {
	return repeat(ctx, c, c.timeout, func(ctx context.Context) (int32, error) {
		t, err := c.layout(ctx, topic)
		if err != nil {
			return 0, err
		}
		return int32(len(t.Partitions)), nil
	}, refused)
}

// NewTopic is a topic to create. Configs are its settings by their Kafka names; what is not named is as the cluster has
// it.
type NewTopic struct {
	Name       string
	Partitions int32 // -1: the cluster's default
	Replicas   int16 // -1: the cluster's default
	Configs    map[string]string
}

// CreateTopic creates a topic and waits until a broker knows of it. Errors: TopicExists and whatever else the cluster
// objects to, with its words; pipeline.ErrUnavailable.
func (c *Client) CreateTopic(ctx context.Context, t NewTopic) error {
	req := kmsg.NewPtrCreateTopicsRequest()
	req.TimeoutMillis = int32(c.timeout.Milliseconds())
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = t.Name, t.Partitions, t.Replicas
	for name, value := range t.Configs {
		cfg := kmsg.NewCreateTopicsRequestTopicConfig()
		cfg.Name, cfg.Value = name, &value
		topic.Configs = append(topic.Configs, cfg)
	}
	req.Topics = append(req.Topics, topic)
	var said string
	_, err := c.ask(ctx, toController(), req, func(r kmsg.Response) int16 {
		topics := r.(*kmsg.CreateTopicsResponse).Topics
		if len(topics) == 0 {
			return int16(UnknownTopicOrPartition)
		}
		if topics[0].ErrorMessage != nil {
			said = ": " + *topics[0].ErrorMessage
		}
		return topics[0].ErrorCode
	})
	if err != nil {
		return fmt.Errorf("create topic %s: %w%s", t.Name, err, said)
	}
	_, err = repeat(ctx, c, c.timeout, func(ctx context.Context) (Topic, error) { return c.Topic(ctx, t.Name) }, refused)
	return err
}

// TopicConfig is the part of a topic's settings that ebb depends on.
type TopicConfig struct {
	Retention       time.Duration // by record timestamps; below zero: for ever
	RetentionBytes  int64         // of a partition; below zero: no bound
	CleanupPolicy   string        // delete, compact or both
	MaxMessageBytes int           // of a batch
	AppendTime      bool          // records carry the broker's clock
	MinInSync       int
}

// TopicConfig asks a broker for a topic's settings. Errors: UnknownTopicOrPartition, pipeline.ErrUnavailable.
func (c *Client) TopicConfig(ctx context.Context, name string) (TopicConfig, error) {
	req := kmsg.NewPtrDescribeConfigsRequest()
	res := kmsg.NewDescribeConfigsRequestResource()
	res.ResourceType, res.ResourceName = kmsg.ConfigResourceTypeTopic, name
	req.Resources = append(req.Resources, res)
	answer, err := c.askSafe(ctx, ToAny(), req, func(kmsg.Response) int16 { return 0 })
	if err != nil {
		return TopicConfig{}, fmt.Errorf("describe settings of topic %s: %w", name, err)
	}
	set := make(map[string]string)
	for _, r := range answer.(*kmsg.DescribeConfigsResponse).Resources {
		if err := asError(r.ErrorCode); err != nil {
			return TopicConfig{}, fmt.Errorf("describe settings of topic %s: %w", name, err)
		}
		for _, c := range r.Configs {
			if c.Value != nil {
				set[c.Name] = *c.Value
			}
		}
	}
	cfg, err := readTopicConfig(set)
	if err != nil {
		return cfg, fmt.Errorf("settings of topic %s: %w", name, err)
	}
	return cfg, nil
}

func readTopicConfig(set map[string]string) (TopicConfig, error) {
	var errs []error
	number := func(name string, otherwise int64) int64 {
		text, ok := set[name]
		if !ok {
			return otherwise
		}
		v, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			errs = append(errs, kafkabatch.Malformed("%s is %q", name, text))
		}
		return v
	}
	retention := number("retention.ms", -1)
	const longest = int64(1<<63-1) / int64(time.Millisecond)
	return TopicConfig{
		Retention:       time.Duration(max(-1, min(retention, longest))) * time.Millisecond,
		RetentionBytes:  number("retention.bytes", -1),
		CleanupPolicy:   set["cleanup.policy"],
		MaxMessageBytes: int(number("max.message.bytes", 1_048_588)),
		AppendTime:      set["message.timestamp.type"] == "LogAppendTime",
		MinInSync:       int(number("min.insync.replicas", 1)),
	}, errors.Join(errs...)
}
