package kafkawire

import (
	"context"
	"fmt"

	"github.com/segmentio/kafka-go/protocol/metadata"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ebb/pipeline"
)

// target is a partition to write to.
type target struct {
	topic     string
	partition int32
}

// sealed is a batch on its way to a partition. Sending it twice is harmless: the broker knows its sequence.
type sealed struct {
	to    target
	bytes []byte
}

// layout asks kafka-go's cache, which it refreshes every second, for a topic of Config.Topics.
func (c *Client) layout(ctx context.Context, topic string) (*metadata.ResponseTopic, error) {
	res, err := c.transport.RoundTrip(ctx, c.addr, &metadata.Request{TopicNames: []string{topic}})
	if err != nil {
		return nil, unavailable(err)
	}
	t := &res.(*metadata.Response).Topics[0]
	if err := asError(t.ErrorCode); err != nil {
		return nil, fmt.Errorf("topic %s: %w", topic, err)
	}
	if len(t.Partitions) == 0 {
		return nil, fmt.Errorf("topic %s: %w", topic, LeaderNotAvailable)
	}
	return t, nil
}

// leader is the broker that leads a partition, -1 while there is none.
func (c *Client) leader(ctx context.Context, to target) (int32, error) {
	t, err := c.layout(ctx, to.topic)
	if err != nil {
		return -1, err
	}
	for _, p := range t.Partitions {
		if p.PartitionIndex == to.partition {
			return p.LeaderID, nil
		}
	}
	return -1, fmt.Errorf("%s/%d: %w", to.topic, to.partition, UnknownTopicOrPartition)
}

// produceRequest puts batches, at most one for each partition, into a request that waits for all replicas in sync.
func (c *Client) produceRequest(version int16, transaction *string, batches []sealed) *kmsg.ProduceRequest {
	req := kmsg.NewPtrProduceRequest()
	req.Version = version
	req.TransactionID = transaction
	req.Acks = -1
	req.TimeoutMillis = int32(c.timeout.Milliseconds())
	for _, b := range batches {
		p := kmsg.NewProduceRequestTopicPartition()
		p.Partition, p.Records = b.to.partition, b.bytes
		i := indexTopic(req.Topics, b.to.topic)
		if i < 0 {
			t := kmsg.NewProduceRequestTopic()
			t.Topic = b.to.topic
			req.Topics, i = append(req.Topics, t), len(req.Topics)
		}
		req.Topics[i].Partitions = append(req.Topics[i].Partitions, p)
	}
	return req
}

func indexTopic(topics []kmsg.ProduceRequestTopic, name string) int {
	for i := range topics {
		if topics[i].Topic == name {
			return i
		}
	}
	return -1
}

// refusedBatch is a partition's answer that is not success.
type refusedBatch struct {
	to  target
	err Error
}

// refusals lists the partitions that did not take their batch. One that had it already did.
func refusals(res *kmsg.ProduceResponse) (out []refusedBatch) {
	for _, t := range res.Topics {
		for _, p := range t.Partitions {
			if code := Error(p.ErrorCode); code != 0 && code != DuplicateSequence {
				out = append(out, refusedBatch{target{t.Topic, p.Partition}, code})
			}
		}
	}
	return out
}

// notTaken makes of a record that a topic refuses for good what a person can mend.
func notTaken(to target, err error) error {
	return &pipeline.HardStop{
		Code:   "record_refused",
		Detail: fmt.Sprintf("topic %s does not take a record to be published: %v", to.topic, err),
		Do: "take off the topic what forbids it: message.timestamp.before.max.ms and its like (alerts carry event " +
			"time), or the broker's own policy",
	}
}

// oversize is a batch that its topic does not take for its size.
type oversize struct {
	to   target
	code Error
}

// Error names the topic.
func (o *oversize) Error() string { return fmt.Sprintf("topic %s: %v", o.to.topic, o.code) }

// Unwrap is the broker's code.
func (o *oversize) Unwrap() error { return o.code }

// stop makes of a single record's size what a person can mend.
func (o *oversize) stop() *pipeline.HardStop {
	return &pipeline.HardStop{
		Code:   "record_too_large",
		Detail: fmt.Sprintf("topic %s does not take a record to be published: %v", o.to.topic, o.code),
		Do:     "raise max.message.bytes of the topic to that of the input plus 64 KiB",
	}
}
